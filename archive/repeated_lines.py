"""Keep one cause from filling the log of a process: when the store is down, a thousand rows fail alike.

Of lines with the same key this process writes MOST in each window of a minute. The others are counted, and the count
follows as one line `lines_left_out`, at the latest when somebody calls `flush` after the minute
(portal/worker_thread.py). Safe in threads. Imports no Django: the first lines of a process have none.
"""

import threading
import time
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import structlog

MOST = 5
WINDOW = 60.0  # seconds

logger = structlog.get_logger()


@dataclass
class _Window:
    until: float
    fields: dict[str, Any]
    lines: int = 0


_windows: dict[Hashable, _Window] = {}
_lock = threading.Lock()


def may_write(**fields: Any) -> bool:
    """Whether a line with these fields, which tell causes apart, is to be written. It is counted otherwise."""
    flush()
    key = tuple(sorted(fields.items()))
    with _lock:
        window = _windows.setdefault(key, _Window(time.monotonic() + WINDOW, fields))
        window.lines += 1
        return window.lines <= MOST


def mark_known(error: BaseException) -> None:
    """The log has a line about this error already: who catches it need not write another one."""
    error.is_known = True  # type: ignore[attr-defined]


def is_known(error: BaseException) -> bool:
    return getattr(error, "is_known", False)


def flush() -> None:
    """Write the counts of the windows that are over."""
    now = time.monotonic()
    with _lock:
        over = [_windows.pop(key) for key, window in list(_windows.items()) if window.until <= now]
    for window in over:
        if window.lines > MOST:
            logger.warning("lines_left_out", **window.fields, lines=window.lines - MOST)


def forget() -> None:
    """Begin anew, as a new process does."""
    with _lock:
        _windows.clear()
