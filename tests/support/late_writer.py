"""A worker that sleeps at one step for so long that it loses its lease: another one does its work meanwhile."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from tests.support.leases import expire_leases


@dataclass
class Sleeper:
    """`slept`: it came to the step. `error`: what the step raised when it went on; None if it was carried out."""

    slept: bool = False
    error: BaseException | None = None


@contextmanager
def sleeping_before(owner: Any, step: str, successor: Callable[[], object]) -> Iterator[Sleeper]:
    """The first call of `owner.step` sleeps before it does anything. By the time it goes on, its lease has expired and
    `successor` has run."""
    sleeper, original = Sleeper(), getattr(owner, step)

    def sleep(*args: Any, **options: Any) -> Any:
        if sleeper.slept:
            return original(*args, **options)
        sleeper.slept = True
        expire_leases()
        successor()
        try:
            return original(*args, **options)
        except BaseException as error:
            sleeper.error = error
            raise

    with patch.object(owner, step, sleep):
        yield sleeper


@contextmanager
def sleeping_after(owner: Any, step: str, successor: Callable[[], object]) -> Iterator[Sleeper]:
    """The same, but it sleeps with the answer of the first call in its hands."""
    sleeper, original = Sleeper(), getattr(owner, step)

    def sleep(*args: Any, **options: Any) -> Any:
        answer = original(*args, **options)
        if not sleeper.slept:
            sleeper.slept = True
            expire_leases()
            successor()
        return answer

    with patch.object(owner, step, sleep):
        yield sleeper
