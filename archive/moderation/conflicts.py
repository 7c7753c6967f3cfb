"""Conflicts of interest: decisions that an admin must not make.

Nobody decides about their own Space: no flag, no lift, no decision of an appeal, no hold and no release. Two decisions
need a second admin, whose role is older than the case: the release of a hold placed by another admin, and the decision
of an appeal against another admin's flag. Otherwise one person could create a second account, give it the role, and act
as both. Lifting a flag with an open appeal decides that appeal. Lifting one without needs a role that is older than the
flag: otherwise a host who is an admin could skip the appeal, and invite an admin who lifts the flag.

If a case is older than the roles of all admins, the operator must admit one of them to it (admissions.py).

Pages, the API, commands and Django's admin all call the functions of this package, which make these checks.
"""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings

from archive.errors import Refused
from archive.models import Appeal, Hold, Space, User, Violation
from archive.models.user import ADMINS


def find_own_space_conflict(space: Space, by: User) -> Refused | None:
    """Return the error to raise if it is the admin's own Space."""
    return Refused("moderation.own_space") if space.host_id == by.pk else None


def find_release_conflict(hold: Hold, by: User) -> Refused | None:
    """Return the error to raise if this admin may not release the hold."""
    if conflict := find_own_space_conflict(hold.space, by):
        return conflict
    if not settings.HOLD_RELEASE_NEEDS_SECOND_ADMIN:
        return None
    if hold.placed_by_id == by.pk:
        return Refused("hold.own")
    if not by.has_role_since_before(ADMINS, hold.placed_at) and ("hold", hold.pk) not in by.admitted_to:
        return Refused("hold.role_too_young", since=hold.placed_at)
    return None


def find_decision_conflict(violation: Violation, by: User) -> Refused | None:
    """Return the error to raise if this admin may not decide the appeal against this flag."""
    if conflict := find_own_space_conflict(violation.space, by):
        return conflict
    if not settings.APPEAL_NEEDS_SECOND_ADMIN:
        return None
    if violation.flagged_by_id == by.pk:
        return Refused("appeal.own_flag")
    appeal = violation.appeal
    if not by.has_role_since_before(ADMINS, appeal.created_at) and ("appeal", appeal.pk) not in by.admitted_to:
        return Refused("appeal.role_too_young", since=appeal.created_at)
    return None


def find_lift_conflict(space: Space, violations: Iterable[Violation], by: User) -> Refused | None:
    """Return the error to raise if this admin may not lift all of these flags of the Space."""
    if conflict := find_own_space_conflict(space, by):
        return conflict
    for violation in violations:
        appeal = getattr(violation, "appeal", None)
        if appeal is not None and appeal.state == Appeal.State.OPEN:
            violation.space = space
            if conflict := find_decision_conflict(violation, by):
                return conflict
        elif settings.APPEAL_NEEDS_SECOND_ADMIN and not _was_admin_at(violation.flagged_at, by):
            return Refused("violation.role_too_young", since=violation.flagged_at)
    return None


def _was_admin_at(moment: datetime, by: User) -> bool:
    since = by.role_since(ADMINS)
    return since is not None and since <= moment
