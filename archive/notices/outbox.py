"""Writing down that somebody is to be told."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from archive.models import Notice, Space, User


def tell(kind: Notice.Kind, user: User, space: Space, subject_id: object = "") -> None:
    """`user` is to be told of `space`, in the caller's transaction: either the change and its notice are there, or
    neither. `subject_id` is the bundle or violation that it is about (a row's id). The same asked twice is one.

    Raises RuntimeError outside a transaction.
    """
    if not connection.in_atomic_block:
        raise RuntimeError(f"{kind}: a notice is written in the transaction of the change that it tells of")
    Notice.objects.bulk_create([write_notices(kind, user, space, subject_id)], ignore_conflicts=True)


def tell_hosts(kind: Notice.Kind, spaces: Sequence[Space]) -> None:
    """As `tell`, for each of `spaces` its own host: in one statement."""
    if not connection.in_atomic_block:
        raise RuntimeError(f"{kind}: a notice is written in the transaction of the change that it tells of")
    Notice.objects.bulk_create([write_notices(kind, space.host, space) for space in spaces], ignore_conflicts=True)


def write_notices(
    kind: Notice.Kind, user: User, space: Space, subject_id: object = "", deadline: datetime | None = None
) -> Notice:
    """The row, not yet saved. Without a way to send mail it is for the page only, for good: whoever sets up mail next
    year does not send last year's news."""
    state = Notice.State.PENDING if address(user) else Notice.State.WEB_ONLY
    return Notice(kind=kind, user=user, space=space, subject_id=str(subject_id), deadline=deadline, state=state)


def address(user: User) -> str:
    """Where mail for `user` goes; "" where none is to be sent."""
    return user.email.strip() if settings.MAIL_ON and user.is_active else ""


def pending_notices(space_id: UUID) -> list[UUID]:
    """Ids of the notices about this Space that wait to be sent."""
    return list(Notice.objects.filter(space=space_id, state=Notice.State.PENDING).values_list("pk", flat=True))


def dismiss(spaces: Sequence[Space]) -> None:
    """These Spaces are gone: no page looks for their notices any more, but for the one that says so."""
    unseen = Notice.objects.filter(space__in=spaces, dismissed_at=None).exclude(kind=Notice.Kind.DELETED)
    unseen.update(dismissed_at=Now())
