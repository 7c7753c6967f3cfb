"""The retention log: append-only entries, kept after their subject is deleted."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from archive.log import events
from archive.models import LogEntry, User

__all__ = ["OPERATOR", "SYSTEM", "Actor", "commitment", "events", "record", "record_all", "rfc3339", "run_by_command"]

MAX_DETAIL_BYTES = 60_000  # as JSON: an entry must fit into the tree's entry bundles (archive/log/leaf.py)
_BY_COMMAND: ContextVar[bool] = ContextVar("by_command", default=False)


@dataclass(frozen=True)
class Actor:
    """The cause of an event: a `user` with an id, a `recorder`, or the `system` (a background job).

    A `command` of manage.py has the id of the account given by --by, who did not sign in for it.
    """

    kind: str
    id: int | None = None

    @classmethod
    def of(cls, user: User) -> "Actor":
        return cls("command" if _BY_COMMAND.get() else "user", user.pk)


SYSTEM = Actor("system")
OPERATOR = Actor("command")  # a command without --by


@contextmanager
def run_by_command() -> Iterator[None]:
    """Log events in this block as caused by a command of manage.py, for whichever account."""
    token = _BY_COMMAND.set(True)
    try:
        yield
    finally:
        _BY_COMMAND.reset(token)


def record(event: str, *, space_id: UUID | None, actor: Actor, **detail: Any) -> LogEntry:
    """Append one entry in the caller's transaction, so that the change and its entry commit together.

    `detail` is JSON: ids, times by `rfc3339()`, sizes in bytes, commitments. Never a name, a title or text that people
    wrote. Raises RuntimeError outside a transaction, KeyError for an event that is not in events.py, ValueError for a
    detail of more than MAX_DETAIL_BYTES.
    """
    entry = _entry(event, space_id, actor, detail)
    entry.save(force_insert=True)
    return entry


def record_all(event: str, details: Iterable[tuple[UUID | None, dict[str, Any]]], *, actor: Actor) -> None:
    """Append an entry of the same event for each (Space, detail), in one statement. Raises as `record` does."""
    LogEntry.objects.bulk_create([_entry(event, space_id, actor, detail) for space_id, detail in details])


def _entry(event: str, space_id: UUID | None, actor: Actor, detail: dict[str, Any]) -> LogEntry:
    if not connection.in_atomic_block:
        raise RuntimeError(f"{event}: write a log entry in the transaction of the change that it records")
    if len(json.dumps(detail).encode()) > MAX_DETAIL_BYTES:
        raise ValueError(f"{event}: the detail is too long for one entry; write several")
    return LogEntry(
        event=str(event),
        premis=events.EVENTS[event].premis,
        space_id=space_id,
        actor_kind=actor.kind,
        actor_id=actor.id,
        detail=detail,
    )


def rfc3339(value: datetime | None) -> str | None:
    """Format a UTC time for the log: RFC 3339."""
    return None if value is None else value.isoformat().replace("+00:00", "Z")


def commitment(salt: str, value: Any) -> str:
    """Return the HMAC-SHA256 (hex) of `value` as JSON.

    The value and the salt together prove what an entry refers to. Once the salt is scrubbed, nobody can guess the value
    from the commitment.
    """
    return hmac.new(bytes.fromhex(salt), json.dumps(value, sort_keys=True).encode(), hashlib.sha256).hexdigest()
