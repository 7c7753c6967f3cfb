"""Points where a process can be killed: before and after every commit, store call, publish and webhook request.

Each point has a label: the operation, and the innermost function of ours that does it. The label is written to a file
before the operation, so that it is known also if the process is killed there.
"""

import http.client
import os
import signal
import sys
import threading
from collections.abc import Callable
from functools import wraps
from typing import Any

import botocore.client
from celery.app.task import Task
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

WRITES = ("INSERT", "UPDATE", "DELETE")


class Points:
    """Count points, report them, and kill the process at one."""

    def __init__(self) -> None:
        self.count, self.kill_at, self.output, self.label = 0, 0, -1, ""
        self.lock = threading.Lock()

    def arm(self, output: int, kill_at: int, label: str) -> None:
        """Write labels to the descriptor `output`. `label` limits which points are counted; "" counts all."""
        self.count, self.kill_at, self.output, self.label = 0, kill_at, output, label

    def pass_by(self, label: str) -> None:
        if self.output < 0:
            return
        with self.lock:  # tiles are written by several threads
            self.count += self.label in ("", label)
            os.write(self.output, f"{label}\n".encode())
            if self.count == self.kill_at:
                os.kill(os.getpid(), signal.SIGKILL)


points = Points()


def where() -> str:
    """Return the innermost function of archive/ on the stack, without plumbing: `bundles.build:_settle`."""
    frame: Any = sys._getframe(2)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        plumbing = name.startswith(("archive.storage", "archive.leases", "archive.lifecycle", "archive.dbtime"))
        if name.startswith("archive.") and not plumbing:
            return f"{name.removeprefix('archive.')}:{frame.f_code.co_name}"
        frame = frame.f_back
    return "-"


def install() -> None:
    """Install the points until the process ends."""
    _around(botocore.client.BaseClient, "_make_api_call", lambda client, operation, *_: f"s3 {operation}")
    _around(BaseDatabaseWrapper, "_commit", lambda *_: "commit")
    _around(CursorWrapper, "execute", _autocommitted)
    _around(http.client.HTTPConnection, "request", lambda connection, method, *_: f"http {method}")
    _around(Task, "apply_async", lambda task, *_: f"publish {task.name.rpartition('.')[2]}")


def _autocommitted(cursor: Any, sql: Any, *_: Any) -> str:
    """Return a label for a write outside of a transaction, which commits by itself, or "" for other statements."""
    alone = not cursor.db.in_atomic_block and str(sql).lstrip().startswith(WRITES)
    return f"commit {str(sql).split()[0].lower()}" if alone else ""


def _around(owner: Any, name: str, label: Callable[..., str]) -> None:
    whole = getattr(owner, name)

    @wraps(whole)
    def passed(self: Any, *args: Any, **kwargs: Any) -> Any:
        action = label(self, *args)
        if not action:
            return whole(self, *args, **kwargs)
        place = where()
        points.pass_by(f"before {action} in {place}")
        try:
            return whole(self, *args, **kwargs)
        finally:
            points.pass_by(f"after {action} in {place}")

    setattr(owner, name, passed)
