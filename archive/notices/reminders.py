"""Reminders before deletion. The cost follows what comes due, not what is stored: the index over deadlines finds it."""

from datetime import timedelta

from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Now

from archive import leases, lifecycle, log
from archive.log import SYSTEM
from archive.models import Notice, Space
from archive.notices.outbox import write_notices
from archive.notices.validity import with_validity

# Kind, and the time left for which it is made: more than, and at most. Who comes late gets the one that fits.
WINDOWS = [
    (Notice.Kind.DUE_7_DAYS, timedelta(days=1), timedelta(days=7)),
    (Notice.Kind.DUE_1_DAY, timedelta(0), timedelta(days=1)),
]


def create_reminders(batch: int = 500) -> int:
    """Make the reminders that are missing, for the hosts of Spaces that can still be downloaded; a transaction for each
    batch. Returns how many.

    A reminder is of one deadline. If that moves, the notice is dropped when it is to be sent, and the new deadline has
    one of its own; if it moves back, the dropped one is sent after all.
    """
    made = _renew(batch)
    for kind, least, most in WINDOWS:
        more = True
        while more:
            spaces = list(_without(kind, least, most).select_related("host")[:batch])
            rows = [write_notices(kind, s.host, s, log.rfc3339(s.expires_at), s.expires_at) for s in spaces]
            Notice.objects.bulk_create(rows, ignore_conflicts=True)
            made, more = made + len(rows), len(rows) == batch
    return made


def _without(kind: Notice.Kind, least: timedelta, most: timedelta) -> QuerySet[Space]:
    """Spaces with so much time left that have no reminder of this kind, shortest first."""
    reminded = Notice.objects.filter(space=OuterRef("pk"), kind=kind, deadline=OuterRef("expires_at"))
    soon = Space.objects.served().filter(expires_at__gt=Now() + least, expires_at__lte=Now() + most)
    return soon.filter(~Exists(reminded)).order_by("expires_at", "id")


def _renew(batch: int) -> int:
    dropped = Notice.objects.filter(
        state=Notice.State.OBSOLETE, deadline__gt=Now(), deadline=F("space__expires_at")
    ).order_by("deadline")
    renewed = 0
    for notice in with_validity(dropped).filter(untrue="")[:batch]:
        detail = {"kind": notice.kind, "user": notice.user_id}
        renewed += lifecycle.transition(
            notice, "obsolete", "pending", actor=SYSTEM, detail=detail, problem={}, **leases.RESET
        )
    return renewed
