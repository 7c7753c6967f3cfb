"""Run calls in threads that start together, or of which one waits for a lock of the other."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from django.db import connection, transaction

from tests.support.waiting import wait_until

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


def has_waiting_locks() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return bool(cursor.fetchone() == (True,))


def commit_first(first: Callable[[], object], second: Callable[[], T]) -> "Future[T]":
    """Run `first` in a transaction, let `second` wait for its locks on another connection, then commit. Returns the
    future of `second`, which is done."""

    def run() -> T:
        try:
            return second()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        first()
        future = pool.submit(run)
        wait_until(has_waiting_locks, "the second transaction waits for the first")
    return future
