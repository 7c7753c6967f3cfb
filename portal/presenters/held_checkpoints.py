"""Other holders of the log's checkpoints, for the page of the proof."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from archive.models import CheckpointCopy, CheckpointMail, CheckpointTimestamp, LogCheckpoint, LogCosignature


@dataclass(frozen=True)
class HeldCheckpoint:
    """The newest checkpoint of another holder. `how`: mailed, copied, cosigned or stamped. `count`: number of addresses
    that it was mailed to. `locked_until`: by the second bucket."""

    how: str
    holder: str
    checkpoint: LogCheckpoint
    at: datetime
    count: int = 0
    locked_until: datetime | None = None


def held_checkpoints() -> list[HeldCheckpoint]:
    """Return one for each holder. Reads only rows, so that pages don't wait for a bucket or a mail server."""
    return [*_mailed(), *_copied(), *_cosigned(), *_stamped()]


def _mailed() -> list[HeldCheckpoint]:
    sent = CheckpointMail.objects.filter(state=CheckpointMail.State.SENT)
    last = sent.select_related("checkpoint").order_by("-day", "-sent_at").first()
    if last is None or last.sent_at is None:
        return []
    count = sent.filter(day=last.day).count()
    return [HeldCheckpoint("mailed", _("Mailboxes of auditors"), last.checkpoint, last.sent_at, count=count)]


def _copied() -> list[HeldCheckpoint]:
    last = CheckpointCopy.objects.select_related("checkpoint").order_by("-id").first()
    if last is None:
        return []
    holder = _("Second bucket {name}").format(name=last.place.rpartition("/")[2])
    return [HeldCheckpoint("copied", holder, last.checkpoint, last.at, locked_until=last.locked_until)]


def _cosigned() -> list[HeldCheckpoint]:
    rows = LogCosignature.objects.select_related("checkpoint").order_by("witness", "-id").distinct("witness")
    holders = {row.witness: _("Witness {name}").format(name=row.witness) for row in rows}
    return [HeldCheckpoint("cosigned", holders[row.witness], row.checkpoint, row.at) for row in rows]


def _stamped() -> list[HeldCheckpoint]:
    last = CheckpointTimestamp.objects.select_related("checkpoint").order_by("-id").first()
    if last is None:
        return []
    holder = _("Time-stamp authority {name}").format(name=last.authority)
    return [HeldCheckpoint("stamped", holder, last.checkpoint, last.stamped_at)]
