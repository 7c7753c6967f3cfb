"""Writing down that somebody is to be told."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from archive.models import Notice, Space, User


def tell(kind: Notice.Kind, user: User, space: Space, subject: object = "") -> None:
    """`user` is to be told of `space`, in the caller's transaction: either the change and its notice are there, or
    neither. `subject` is the bundle or violation that it is about (a row's id). The same asked twice is one.

    Raises RuntimeError outside a transaction.
    """
    if not connection.in_atomic_block:
        raise RuntimeError(f"{kind}: a notice is written in the transaction of the change that it tells of")
    Notice.objects.bulk_create([written(kind, user, space, subject)], ignore_conflicts=True)


def tell_hosts(kind: Notice.Kind, spaces: Sequence[Space]) -> None:
    """As `tell`, for each of `spaces` its own host: in one statement."""
    if not connection.in_atomic_block:
        raise RuntimeError(f"{kind}: a notice is written in the transaction of the change that it tells of")
    Notice.objects.bulk_create([written(kind, space.host, space) for space in spaces], ignore_conflicts=True)


def written(
    kind: Notice.Kind, user: User, space: Space, subject: object = "", deadline: datetime | None = None
) -> Notice:
    """The row, not yet saved. Without a way to send mail it is for the page only, for good: whoever sets up mail next
    year does not send last year's news."""
    state = Notice.State.DUE if address(user) else Notice.State.PAGE
    return Notice(kind=kind, user=user, space=space, subject=str(subject), deadline=deadline, state=state)


def address(user: User) -> str:
    """Where mail for `user` goes; "" where none is to be sent."""
    return user.email.strip() if settings.MAIL_ON and user.is_active else ""


def waiting(space_id: UUID) -> list[UUID]:
    """Ids of the notices about this Space that wait to be sent."""
    return list(Notice.objects.filter(space=space_id, state=Notice.State.DUE).values_list("pk", flat=True))


def put_away(spaces: Sequence[Space]) -> None:
    """These Spaces are gone: no page looks for their notices any more, but for the one that says so."""
    unseen = Notice.objects.filter(space__in=spaces, seen_at=None).exclude(kind=Notice.Kind.DELETED)
    unseen.update(seen_at=Now())
