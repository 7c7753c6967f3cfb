"""Limit repeated log lines: when the store is down, a thousand rows fail for the same reason.

This process writes at most MOST lines with the same key in each window of a minute, and counts the others. Their count
follows as one line `lines_left_out`, at the latest at the first `flush` after the minute (portal/worker_thread.py).
Thread-safe. Imports no Django, because a process logs before Django is loaded.
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
    """Return whether to write a line with these fields, which identify the cause. Counts the line either way."""
    flush()
    key = tuple(sorted(fields.items()))
    with _lock:
        window = _windows.setdefault(key, _Window(time.monotonic() + WINDOW, fields))
        window.lines += 1
        return window.lines <= MOST


def mark_known(error: BaseException) -> None:
    """Mark an error that the log already has a line about, so that its handlers need not write another one."""
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
    """Reset all counts."""
    with _lock:
        _windows.clear()
