"""Acknowledge copies in the second bucket that contradict the log, after an operator has examined them.

Such a copy can't be deleted while it is locked, so the alert about it would never end. Acknowledging one ends the alert
for these bytes at this key only: another copy, or other bytes at the same key, raise it again. The same transaction
writes an entry of the log; the page of the proof shows the reason.
"""

import hashlib
import secrets
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction

from archive import log, restores
from archive.log import Actor, events
from archive.models import LogPublisher, User


@dataclass(frozen=True)
class Copy:
    """A checkpoint in a bucket: its key there, its number of entries, and the SHA-256 (hex) of its note."""

    key: str
    size: int
    sha256: str


def digest(note: str) -> str:
    return hashlib.sha256(note.encode()).hexdigest()


def acknowledged(place: str) -> list[dict[str, Any]]:
    """Return the acknowledged copies of the bucket at `place`, the oldest first: {place, key, size, sha256, reason,
    salt (of the commitment to the reason), entry (its number in the log)}."""
    rows = LogPublisher.objects.values_list("acknowledged", flat=True).first() or []
    return [row for row in rows if row["place"] == place]


def acknowledged_bytes(place: str) -> set[tuple[str, str]]:
    """Return (key, SHA-256) of each acknowledged copy."""
    return {(row["key"], row["sha256"]) for row in acknowledged(place)}


def acknowledge(place: str, copy: Copy, reason: str, by: User) -> None:
    """Record and log the acknowledgement. Idempotent."""
    with transaction.atomic():
        publisher = LogPublisher.objects.select_for_update().get()
        if (copy.key, copy.sha256) in acknowledged_bytes(place):
            return
        salt = secrets.token_hex(16)
        commitment = log.commitment(salt, reason)
        entry = log.record(
            events.LOG_COPY_ACKNOWLEDGED, space_id=None, actor=Actor.of(by), **asdict(copy), reason=commitment
        )
        row = {"place": place, **asdict(copy), "reason": reason, "salt": salt, "entry": entry.pk}
        LogPublisher.objects.filter(pk=publisher.pk).update(acknowledged=[*publisher.acknowledged, row])
        restores.dismiss(place, copy.size, reason, by)
