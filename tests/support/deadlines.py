"""Move the deadline of a Space, and read it from the database."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from archive import dbtime
from archive.models import Space


def make_due(space: Space) -> None:
    Space.objects.filter(pk=space.pk).update(expires_at=dbtime.now() - timedelta(seconds=1))


def move_deadline(space: Space, seconds: float) -> datetime:
    """As if the Space had ended earlier: its deadline comes in `seconds`. Returns it."""
    deadline = dbtime.now() + timedelta(seconds=seconds)
    Space.objects.filter(pk=space.pk).update(ended_at=deadline - timedelta(days=30), expires_at=deadline)
    return deadline


def approaching_deadlines(space: Space) -> Iterator[datetime]:
    """Deadlines of the Space, later each time: for a test that has to do something before one comes, on any machine."""
    for seconds in (10, 30, 90, 270):
        yield move_deadline(space, seconds)


def retention_period(space: Space) -> timedelta:
    """For how long after its end the Space is kept, as the database has it."""
    space.refresh_from_db()
    assert space.expires_at is not None
    return space.expires_at - space.ended_at


def seconds_from_now(moment: datetime | None) -> float:
    assert moment is not None
    return (moment - dbtime.now()).total_seconds()
