"""Remind hosts before a deletion, and admins of reviews of holds. With indexes over deadlines and review dates, the
cost does not depend on the number of stored Spaces."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import CharField, Exists, F, OuterRef, QuerySet
from django.db.models.functions import Cast, Now

from archive import dbtime, leases, lifecycle, log, wakeups, webhooks
from archive.log import SYSTEM
from archive.models import Hold, Notice, Space, WebhookEvent
from archive.models.notice_kinds import REMINDERS, NoticeKind
from archive.notices.outbox import make_notice, write
from archive.notices.validity import with_validity


def create_reminders(batch: int = 500) -> int:
    """Create the missing reminders for the hosts of Spaces that can still be downloaded, one transaction per batch.
    Returns how many.

    A reminder belongs to one deadline. If the deadline moves, the notice becomes obsolete when it would be sent, and
    the new deadline gets its own; if it moves back, the obsolete notice is queued again.
    """
    written = _requeue(batch)
    for kind in REMINDERS:
        more = True
        while more:
            spaces = list(_unreminded(kind).select_related("host")[:batch])
            rows = [make_notice(kind, s.host, s, log.rfc3339(s.expires_at), s.expires_at) for s in spaces]
            with transaction.atomic():
                write(rows)
                _announce_due(kind, spaces)
            written, more = written + len(rows), len(rows) == batch
    return written


def create_hold_reviews(batch: int = 500) -> int:
    """Notify the admins who placed holds whose review date is today or earlier. Once per review date: setting another
    one deletes the notice (archive/moderation/holds.py). Returns how many."""
    notified = Notice.objects.filter(
        kind=NoticeKind.HOLD_REVIEW, space=OuterRef("space"), subject_id=Cast(OuterRef("pk"), CharField())
    )
    overdue = Hold.objects.filter(state=Hold.State.STANDING, review_on__lte=dbtime.now().date())
    holds = overdue.filter(~Exists(notified)).select_related("space", "placed_by").order_by("review_on", "id")[:batch]
    rows = [make_notice(NoticeKind.HOLD_REVIEW, hold.placed_by, hold.space, hold.pk) for hold in holds]
    write(rows)
    return len(rows)


def _announce_due(kind: NoticeKind, spaces: Sequence[Space]) -> None:
    """Tell webhooks about the deadlines, once per reminder."""
    assert kind.details.remind_within is not None
    days = kind.details.remind_within[1].days
    due = [(space, f"{log.rfc3339(space.expires_at)} {days}", {"within_days": days}) for space in spaces]
    webhooks.announce_all(WebhookEvent.DUE, due)


def _unreminded(kind: NoticeKind) -> QuerySet[Space]:
    """Return Spaces that need a reminder of this kind and have none, earliest deadline first."""
    assert kind.details.remind_within is not None
    least, most = kind.details.remind_within
    reminded = Notice.objects.filter(space=OuterRef("pk"), kind=kind, deadline=OuterRef("expires_at"))
    soon = Space.objects.served().filter(expires_at__gt=Now() + least, expires_at__lte=Now() + most)
    return soon.filter(~Exists(reminded)).order_by("expires_at", "id")


def _requeue(batch: int) -> int:
    """Queue obsolete reminders again whose deadline is the Space's deadline again."""
    obsolete = Notice.objects.filter(
        state=Notice.State.OBSOLETE, deadline__gt=Now(), deadline=F("space__expires_at")
    ).order_by("deadline")
    requeued = 0
    for notice in with_validity(obsolete).filter(untrue="")[:batch]:
        if lifecycle.transition(
            notice,
            Notice.State.OBSOLETE,
            Notice.State.PENDING,
            actor=SYSTEM,
            detail={"kind": notice.kind, "user": notice.user_id},
            problem={},
            **leases.RESET,
        ):
            wakeups.wake(Notice, notice.pk)
            requeued += 1
    return requeued
