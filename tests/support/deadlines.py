"""Move the deadline of a Space, and read it from the database."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from archive import dbtime
from archive.models import Space


def make_due(space: Space) -> None:
    Space.objects.filter(pk=space.pk).update(expires_at=dbtime.now() - timedelta(seconds=1))


def move_deadline(space: Space, seconds: float) -> datetime:
    """Move the end of the Space so that its deadline is in `seconds`. Return the deadline."""
    deadline = dbtime.now() + timedelta(seconds=seconds)
    Space.objects.filter(pk=space.pk).update(ended_at=deadline - timedelta(days=30), expires_at=deadline)
    return deadline


def approaching_deadlines(space: Space, first_seconds: float = 10) -> Iterator[datetime]:
    """Give the Space later and later deadlines, so that a test can finish before one of them even on a slow machine."""
    for factor in (1, 3, 9, 27):
        yield move_deadline(space, first_seconds * factor)


def retention_period(space: Space) -> timedelta:
    """Return the time between the end of the Space and its deadline in the database."""
    space.refresh_from_db()
    assert space.expires_at is not None
    return space.expires_at - space.ended_at


def seconds_from_now(moment: datetime | None) -> float:
    assert moment is not None
    return (moment - dbtime.now()).total_seconds()
