"""The retention log: append-only entries that outlive what they speak of."""

import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from archive.log import events
from archive.models import LogEntry, User

__all__ = ["SYSTEM", "Actor", "commitment", "events", "record", "record_all", "rfc3339"]


@dataclass(frozen=True)
class Actor:
    """Who did it: `user` with an id, or `system` (a job, with nobody asking)."""

    kind: str
    id: int | None = None

    @classmethod
    def of(cls, user: User) -> "Actor":
        return cls("user", user.pk)


SYSTEM = Actor("system")


def record(event: str, *, space_id: UUID | None, actor: Actor, **detail: Any) -> LogEntry:
    """Append one entry, in the caller's transaction: either the change and its entry are there, or neither.

    `detail` is JSON: ids, times by `moment()`, sizes in bytes, commitments. Never a name, a title or words of people.
    Raises RuntimeError outside a transaction, KeyError for an event that events.py does not know.
    """
    if not connection.in_atomic_block:
        raise RuntimeError(f"{event}: a log entry is written in the transaction of the change that it records")
    entry = _entry(event, space_id, actor, detail)
    entry.save(force_insert=True)
    return entry


def record_all(event: str, told: Iterable[tuple[UUID | None, dict[str, Any]]], *, actor: Actor) -> None:
    """As `record`, for the same event of many Spaces, given as (Space, detail): in one statement."""
    LogEntry.objects.bulk_create([_entry(event, space_id, actor, detail) for space_id, detail in told])


def _entry(event: str, space_id: UUID | None, actor: Actor, detail: dict[str, Any]) -> LogEntry:
    if not connection.in_atomic_block:
        raise RuntimeError(f"{event}: a log entry is written in the transaction of the change that it records")
    events.WORDS[event]
    return LogEntry(
        event=event,
        premis=events.PREMIS.get(event, ""),
        space_id=space_id,
        actor_kind=actor.kind,
        actor_id=actor.id,
        detail=detail,
    )


def rfc3339(value: datetime | None) -> str | None:
    """A time as the log writes it: RFC 3339, UTC."""
    return None if value is None else value.isoformat().replace("+00:00", "Z")


def commitment(salt: str, value: Any) -> str:
    """HMAC-SHA256 (hex) of `value` as JSON: whoever has the value and the salt can show that they belong together;
    once the salt is scrubbed, nobody can guess the value from it."""
    return hmac.new(bytes.fromhex(salt), json.dumps(value, sort_keys=True).encode(), hashlib.sha256).hexdigest()
