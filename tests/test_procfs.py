"""Reading /proc works while threads come and go, as in tests that watch child processes."""

import subprocess
import threading

from tests.support.procfs import children, process_tree


def test_children_are_read_while_threads_end() -> None:
    end = threading.Event()

    def churn() -> None:
        while not end.is_set():
            thread = threading.Thread(target=lambda: None)
            thread.start()
            thread.join()

    churning = [threading.Thread(target=churn) for _ in range(3)]
    with subprocess.Popen(["sleep", "60"]) as child:
        for thread in churning:
            thread.start()
        try:
            assert all(child.pid in children() for _ in range(300))
        finally:
            end.set()
            child.kill()
            for thread in churning:
                thread.join()


def test_a_process_that_ended_has_no_tree() -> None:
    with subprocess.Popen(["true"]) as child:
        child.wait()
        assert process_tree(child.pid) == {child.pid}
