"""Admit one admin to one open appeal or hold that is older than the roles of all admins: otherwise nobody could decide.

The entry of the log is the admission. Only the operator makes it, by a command: an admin could give the role to a new
account and admit it.
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
    """Record that `admin` may decide the case ("appeal" or "hold", and its id), in a transaction with the Space locked.
    `find_conflict`: the rule of conflicts.py for this case. Raises Refused for another conflict than the age of the
    role, and if an admin may decide already."""
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
