"""Rows as the database has them, and how tests bring them into a state."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models.functions import Now

from archive import dbtime, leases
from archive.leases import Claim
from archive.models import (
    Bundle,
    DeletionRecheck,
    ExportPart,
    LogEntry,
    Notice,
    Space,
    Transcription,
    UploadSession,
)

CLAIMED = (Space, UploadSession, Transcription, Bundle, ExportPart, Notice, DeletionRecheck)


def make_due(space: Space) -> None:
    Space.objects.filter(pk=space.pk).update(expires_at=dbtime.now() - timedelta(seconds=1))


def expire_leases() -> None:
    """As if the holder of each claim had died long ago, and no work had to wait for its next try."""
    for model in CLAIMED:
        model._default_manager.filter(lease_until__gt=Now()).update(lease_until=Now())
    end_pauses()


def end_pauses() -> None:
    """As if it were time for the next try of each work that failed."""
    for model in CLAIMED:
        model._default_manager.filter(retry_at__gt=Now()).update(retry_at=Now())


def come_near(space: Space, seconds: float) -> datetime:
    """As if the Space had ended earlier: its deadline comes in `seconds`. Returns it."""
    deadline = dbtime.now() + timedelta(seconds=seconds)
    Space.objects.filter(pk=space.pk).update(ended_at=deadline - timedelta(days=30), expires_at=deadline)
    return deadline


def deadlines(space: Space) -> Iterator[datetime]:
    """Deadlines of the Space, later each time: for a test that has to do something before one comes, on any machine."""
    for seconds in (10, 30, 90, 270):
        yield come_near(space, seconds)


def events(space: Space) -> list[str]:
    return list(LogEntry.objects.filter(space_id=space.pk).order_by("id").values_list("event", flat=True))


def told(space: Space, event: str) -> dict[str, Any]:
    detail: dict[str, Any] = LogEntry.objects.get(space_id=space.pk, event=event).detail
    return detail


def entries(space: Space) -> list[tuple[str, dict[str, Any]]]:
    return list(LogEntry.objects.filter(space_id=space.pk).order_by("id").values_list("event", "detail"))


def kept(space: Space) -> timedelta:
    """For how long after its end the Space is kept, as the database has it."""
    space.refresh_from_db()
    assert space.expires_at is not None
    return space.expires_at - space.ended_at


def claim(space: Space) -> Claim[Space] | None:
    return leases.claim(Space, space.pk, ["processing", "expiring"])


def claimed(space: Space) -> Claim[Space]:
    found = claim(space)
    assert found is not None
    return found


def row(space: Space) -> Space:
    return Space.objects.get(pk=space.pk)


def change(space: Space, **fields: Any) -> None:
    Space.objects.filter(pk=space.pk).update(**fields)


def seconds_from_now(moment: datetime | None) -> float:
    assert moment is not None
    return (moment - dbtime.now()).total_seconds()
