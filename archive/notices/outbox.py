"""Write notices: rows that `deliver` sends after the transaction commits (a transactional outbox)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from archive import dbtime, wakeups
from archive.models import Notice, Space, User
from archive.models.notice_kinds import REMINDERS


def tell(
    kind: Notice.Kind, user: User, space: Space, subject_id: object = "", *, delay: timedelta | None = None
) -> None:
    """Notify `user` about `space`, in the caller's transaction, so that the change and its notice commit together.
    `subject_id` is the id of the bundle or violation. `delay`: how long the mail waits, if it may become obsolete.
    Idempotent: repeating it adds no row.

    Raises RuntimeError outside a transaction.
    """
    _require_transaction(kind)
    notice = make_notice(kind, user, space, subject_id)
    notice.retry_at = dbtime.now() + delay if delay else None
    write([notice])


def tell_hosts(kind: Notice.Kind, spaces: Sequence[Space]) -> None:
    """Notify the host of each of `spaces`, in one statement. See `tell`."""
    _require_transaction(kind)
    write([make_notice(kind, space.host, space) for space in spaces])


def write(rows: Sequence[Notice]) -> None:
    """Insert the missing rows, and wake up workers for the pending ones."""
    Notice.objects.bulk_create(rows, ignore_conflicts=True)
    wakeups.wake(Notice, *(row.pk for row in rows if row.state == Notice.State.PENDING))


def make_notice(
    kind: Notice.Kind, user: User, space: Space, subject_id: object = "", deadline: datetime | None = None
) -> Notice:
    """Make a notice without saving it. If no mail can be sent, it stays on the page only, for good: setting up mail
    next year must not send last year's news."""
    state = Notice.State.PENDING if address(user, kind) else Notice.State.WEB_ONLY
    return Notice(kind=kind, user=user, space=space, subject_id=str(subject_id), deadline=deadline, state=state)


def _require_transaction(kind: Notice.Kind) -> None:
    if not connection.in_atomic_block:
        raise RuntimeError(f"{kind}: a notice must be written in the transaction of its change")


def address(user: User, kind: str) -> str:
    """Return the e-mail address of `user`, or "" if no mail of this kind must be sent: mail is off, the account is
    inactive, or the user does not want it, or wants a weekly digest (digests.py). Users can't turn off reminders of a
    deletion."""
    wanted = kind in REMINDERS or (user.digest_since is None and kind not in user.unmailed_kinds)
    return user.email.strip() if settings.MAIL_ON and user.is_active and wanted else ""


def pending_notices(space_id: UUID) -> list[UUID]:
    """Return the ids of the pending notices about this Space."""
    return list(Notice.objects.filter(space=space_id, state=Notice.State.PENDING).values_list("pk", flat=True))


def dismiss(spaces: Sequence[Space]) -> None:
    """Dismiss all notices about deleted Spaces, except the one about the deletion."""
    rows = Notice.objects.filter(space__in=spaces, dismissed_at=None).exclude(kind=Notice.Kind.DELETED)
    rows.update(dismissed_at=Now())
