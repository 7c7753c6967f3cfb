"""Admit one admin to an open appeal or hold older than the roles of all admins. Otherwise nobody could decide.

The admission is an entry of the log. Only the operator makes it, by a command: an admin could give the role to a new
account of their own and admit that.
"""

from collections.abc import Callable

from archive import log
from archive.errors import Refused
from archive.log import OPERATOR, events
from archive.models import Space, User
from archive.models.user import ADMINS
from archive.moderation.recompute import validated_reason

TOO_YOUNG = ("appeal.role_too_young", "hold.role_too_young")


def admit(
    space: Space, case: tuple[str, int], admin: User, reason: str, find_conflict: Callable[[User], Refused | None]
) -> None:
    """Record that `admin` may decide the case ("appeal" or "hold", and its id). Call in a transaction that has locked
    the Space. `find_conflict`: the check of conflicts.py for this case. Raises Refused for a conflict other
    than a young role, and if some admin may decide already."""
    reason = validated_reason(reason, admin)
    conflict = find_conflict(admin)
    if conflict is not None and conflict.code not in TOO_YOUNG:
        raise conflict
    for one in User.objects.filter(is_active=True, groups__name=ADMINS).order_by("pk"):
        if find_conflict(one) is None:
            raise Refused("admission.not_needed", user=one.username)
    kind, number = case
    detail = {"account": admin.pk, kind: number, "reason": log.commitment(space.salt, reason)}
    log.record(events.ACCOUNT_ADMITTED, space_id=space.pk, actor=OPERATOR, **detail)
