"""Make sure that no process we started outlives us: adopt orphaned grandchildren and kill them (Linux only)."""

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

from embedded.process import family, kill_all

PR_SET_CHILD_SUBREAPER = 36
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STOP_SECONDS = 30.0


def adopt_orphans() -> None:
    """Become the parent of all descendants that lose theirs from now on."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1)


def end_orphans(seconds: float = 2.0) -> None:
    """Kill and reap every remaining descendant. A supervisor calls it last."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        kill_all(family(os.getpid()))
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
            time.sleep(0.01)
            continue
        return  # no child is left


@contextlib.contextmanager
def no_process_left(clean_up: Callable[[], None], seconds: float = STOP_SECONDS) -> Iterator[None]:
    """Adopt all orphaned descendants during the block. At its end call `clean_up`, and kill those that remain.

    The first SIGINT, SIGTERM or SIGHUP raises KeyboardInterrupt in the block; later signals are ignored, so that they
    can't interrupt the clean-up. If the block still runs `seconds` later, all processes are killed, this one too.
    """
    adopt_orphans()
    overdue = threading.Timer(seconds, _kill_everything, [clean_up])
    overdue.daemon = True

    def interrupt(number: int, frame: FrameType | None) -> None:
        _set_all(signal.SIG_IGN)
        overdue.start()
        raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    _set_all(interrupt)
    if before[signal.SIGHUP] == signal.SIG_IGN:  # nohup
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield
    finally:
        _set_all(signal.SIG_IGN)
        try:
            clean_up()
        finally:
            end_orphans()
            overdue.cancel()
            for number, handler in before.items():
                signal.signal(number, handler)


def _set_all(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    for number in STOP_SIGNALS:
        signal.signal(number, handler)


def _kill_everything(clean_up: Callable[[], None]) -> None:
    """Kill all descendants and this process, from another thread, because the block did not end in time."""
    kill_all(family(os.getpid()))
    with contextlib.suppress(Exception):
        clean_up()
    os._exit(1)
