"""Preview the effect of a bulk moderation action on each Space."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from archive.errors import Refused
from archive.models import Space, User, Violation
from archive.moderation import conflicts, holds, violations
from portal.presenters.violations import describe_change


def preview(act: str, spaces: Iterable[Space], user: User, now: datetime) -> list[dict[str, Any]]:
    """Return for each Space why this admin may not do it, or else the effect on its deadline. `act`: "flag", "lift",
    "hold". The Spaces must come with their violations, appeals and holds."""
    return [{"space": space, **_row(act, space, user, now)} for space in spaces]


def _row(act: str, space: Space, user: User, now: datetime) -> dict[str, Any]:
    flagged, lifted = violations.preview_flag(space, now)
    after = {"flag": flagged, "lift": lifted, "hold": holds.if_held(space)}[act]
    return {"conflict": _conflict(act, space, user), "until": describe_change(space.expires_at, after)}


def _conflict(act: str, space: Space, user: User) -> Refused | None:
    if act != "lift":
        return conflicts.find_own_space_conflict(space, user)
    standing = [one for one in space.violations.all() if one.state != Violation.State.LIFTED]
    if not standing:
        return Refused("violation.none_standing")
    return conflicts.find_lift_conflict(space, standing, user)
