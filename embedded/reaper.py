"""Grandchildren whose parent was killed become ours, so that they can be ended too (on Linux)."""

import contextlib
import ctypes
import os
import sys
import time

from embedded.process import family, kill_all

PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """From now on, processes below us that lose their parent get us as the new one."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1)


def end_orphans(seconds: float = 2.0) -> None:
    """Kill whatever is still below us and collect it: the last thing that a supervisor does."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        kill_all(family(os.getpid()))
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
            time.sleep(0.01)
            continue
        return  # nobody is left
