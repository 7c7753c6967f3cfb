"""Simulate a worker that pauses at one step until it has lost its lease and another worker has done its work."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from tests.support.leases import expire_leases


@dataclass
class Sleeper:
    """`slept`: the step was reached. `error`: what the step raised after the pause; None if it succeeded."""

    slept: bool = False
    error: BaseException | None = None


@contextmanager
def sleeping_before(owner: Any, step: str, successor: Callable[[], object]) -> Iterator[Sleeper]:
    """Pause the first call of `owner.step` before it does anything. When it resumes, its lease has expired and
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
    """The same, but the first call pauses after it has its result."""
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
