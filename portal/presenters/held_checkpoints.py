"""Who else holds checkpoints of the log, for the page of its proof."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from archive import formatting
from archive.models import CheckpointCopy, CheckpointMail, CheckpointTimestamp, LogCheckpoint, LogCosignature


@dataclass(frozen=True)
class HeldCheckpoint:
    """The newest checkpoint that somebody else holds: who, since when, and what else is to be said."""

    holder: str
    checkpoint: LogCheckpoint
    at: datetime
    more: str = ""


def held_checkpoints() -> list[HeldCheckpoint]:
    """One for each holder. From rows only: pages wait for no bucket and no mail server."""
    return [*_mailed(), *_copied(), *_cosigned(), *_stamped()]


def _mailed() -> list[HeldCheckpoint]:
    sent = CheckpointMail.objects.filter(state=CheckpointMail.State.SENT)
    last = sent.select_related("checkpoint").order_by("-day", "-sent_at").first()
    if last is None or last.sent_at is None:
        return []
    count = sent.filter(day=last.day).count()
    more = ngettext("mailed to {count} address", "mailed to {count} addresses", count).format(count=count)
    return [HeldCheckpoint(_("Mailboxes of auditors"), last.checkpoint, last.sent_at, more)]


def _copied() -> list[HeldCheckpoint]:
    last = CheckpointCopy.objects.select_related("checkpoint").order_by("-id").first()
    if last is None:
        return []
    holder = _("Second bucket {name}").format(name=last.place.rpartition("/")[2])
    if last.locked_until is None:
        more = _("not locked by the store")
    else:
        more = _("locked until {day}").format(day=formatting.format_day(last.locked_until))
    return [HeldCheckpoint(holder, last.checkpoint, last.at, more)]


def _cosigned() -> list[HeldCheckpoint]:
    rows = LogCosignature.objects.select_related("checkpoint").order_by("witness", "-id").distinct("witness")
    return [HeldCheckpoint(_("Witness {name}").format(name=row.witness), row.checkpoint, row.at) for row in rows]


def _stamped() -> list[HeldCheckpoint]:
    last = CheckpointTimestamp.objects.select_related("checkpoint").order_by("-id").first()
    if last is None:
        return []
    holder = _("Time-stamp authority {name}").format(name=last.authority)
    return [HeldCheckpoint(holder, last.checkpoint, last.stamped_at, _("the time is the authority's"))]
