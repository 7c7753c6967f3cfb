"""Run calls in threads that start together."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection

T = TypeVar("T")


def at_once(*calls: Callable[[], T], first: Callable[[], None] | None = None) -> list[T]:
    """Run the calls in threads that start together, each with its own connection. `first` is called just before."""
    together = threading.Barrier(len(calls), first)

    def run(call: Callable[[], T]) -> T:
        try:
            connection.ensure_connection()
            together.wait(10)
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))
