"""Legal holds: until the hold is released, its Space has no deadline and is not deleted.

A hold that commits before the sweep's compare-and-set wins, since the Space has no deadline any more. A later one is
refused as too late. On release the deadline is recomputed at once, so the Space may be due immediately.
"""

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db import transaction

from archive import dbtime, lifecycle, log, policy
from archive.errors import Conflict, Refused
from archive.log import Actor, events
from archive.models import Hold, Space, User, current_policy
from archive.moderation.conflicts import find_release_conflict
from archive.moderation.recompute import lock_for_change, lock_for_decision, recompute, validated_reason


def place(space_id: UUID, reason: str, by: User) -> Hold:
    """Place a hold: the Space has no deadline any more. Raises TooLate once deletion has started, Refused."""
    reason = validated_reason(reason, by, "hold.reason_missing")
    with transaction.atomic():
        space = lock_for_decision(space_id, by)
        hold = Hold.objects.create(space=space, reason=reason, placed_by=by)
        hold.refresh_from_db()
        commitment = log.commitment(space.salt, reason)
        log.record(events.HOLD_PLACED, space_id=space.id, actor=Actor.of(by), hold=hold.pk, reason=commitment)
        recompute(space, Actor.of(by))
    return hold


def release(hold_id: int, reason: str, by: User) -> Hold:
    """Release the hold; without another one, the deadline applies again at once. Raises Refused for an admin who
    may not (conflicts.py), Conflict if it was released before."""
    reason = validated_reason(reason, by, "hold.reason_missing")
    with transaction.atomic():
        space_id = Hold.objects.filter(pk=hold_id).values_list("space", flat=True).first()
        if space_id is None:
            raise Refused("hold.not_found")
        space = lock_for_change(space_id)
        hold = Hold.objects.get(pk=hold_id)
        hold.space = space
        if hold.state == Hold.State.RELEASED:
            raise Conflict("hold.released")
        if conflict := find_release_conflict(hold, by):
            raise conflict
        detail = {"reason": log.commitment(space.salt, reason)}
        changes: dict[str, Any] = {"released_at": dbtime.now(), "released_by": by, "release_reason": reason}
        lifecycle.transition(
            hold, Hold.State.STANDING, Hold.State.RELEASED, actor=Actor.of(by), detail=detail, **changes
        )
        recompute(space, Actor.of(by))
    return hold


def if_held(space: Space) -> policy.Deadline:
    """Preview the deadline after a hold: none. Read-only."""
    return policy.deadline(replace(space.retention_facts(), held=True), current_policy())


def if_released(space: Space) -> policy.Deadline:
    """Preview the deadline after the release of its only hold. Read-only."""
    return policy.deadline(replace(space.retention_facts(), held=False), current_policy())
