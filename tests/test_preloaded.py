"""Commands that are forked from a preloaded process do what new processes do (tests/support/preloaded.py)."""

import os
import signal

import pytest

from embedded.process import facts
from tests.support.preloaded import PreloadedProcess
from tests.support.processes import Services, manage
from tests.support.waiting import wait_until

COMMANDS = (("sweep", "--dry-run"), ("sweep", "--dry-run", "--at", "never"), ("sweep", "--dry-run", "--json"))


@pytest.mark.long  # every other test that starts a command relies on this
@pytest.mark.usefixtures("committed")
def test_a_fork_prints_and_ends_as_a_new_process(services: Services) -> None:
    forked = [manage(services, *command, ok=False) for command in COMMANDS]
    services.preload = False
    new = [manage(services, *command, ok=False) for command in COMMANDS]

    assert [done.returncode for done in forked] == [0, 1, 0]
    assert "Nothing is due." in forked[0].stdout
    for fork, process in zip(forked, new, strict=True):
        assert (fork.returncode, fork.stdout, fork.stderr) == (process.returncode, process.stdout, process.stderr)


@pytest.mark.usefixtures("committed")
def test_a_fork_is_a_child_of_the_tests_with_a_session_of_its_own(services: Services) -> None:
    worker = services.worker(1)
    assert isinstance(worker, PreloadedProcess)
    assert worker.pid is not None
    wait_until(lambda: "ready" in worker.log.read_text(), "the worker is ready")

    seen = facts(worker.pid)
    assert seen is not None
    assert (seen.parent, seen.session) == (os.getpid(), worker.pid)

    worker.kill()

    assert (worker.running, worker.exit_status) == (False, -signal.SIGKILL)
