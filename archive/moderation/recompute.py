"""Shared by flags, lifts, appeals and holds: lock the Space, check that it is not too late and that the admin may
decide, and recompute the deadline.

The Space's row is locked first. Either the sweep's compare-and-set waits for the lock and sees the new deadline, or it
came first and the change is refused as too late. The deadline is recomputed in the transaction that changes the facts,
so it is never out of date.
"""

from datetime import datetime
from uuid import UUID

from archive import dbtime, log, notices, policy, wakeups
from archive.errors import Refused, TooLate
from archive.log import Actor, events
from archive.models import LogEntry, Space, User, Violation, current_policy
from archive.models.notice_kinds import NoticeKind
from archive.moderation.conflicts import find_own_space_conflict

LONGEST_REASON = 2000


def lock_for_change(space_id: UUID) -> Space:
    """Lock the Space until the transaction ends, and return it. Raises TooLate once its deletion has started or its
    deadline has passed; Refused if it does not exist."""
    space = Space.objects.select_for_update().filter(pk=space_id).first()
    if space is None:
        raise Refused("space.not_found", space=space_id)
    if late := too_late(space, dbtime.now()):
        raise late
    return space


def lock_for_decision(space_id: UUID, by: User) -> Space:
    """Lock the Space for a decision of this admin, and return it. Raises as `lock_for_change`, and Refused for the
    admin's own Space."""
    space = lock_for_change(space_id)
    if conflict := find_own_space_conflict(space, by):
        raise conflict
    return space


def too_late(space: Space, now: datetime) -> TooLate | None:
    """Return the error to raise if nothing about the Space can be changed any more."""
    began = (
        LogEntry.objects.filter(space_id=space.id, event=events.DELETION_STARTED).values_list("at", flat=True).first()
    )
    if began is not None:
        return TooLate("space.deletion_started", at=began)
    if space.expires_at is not None and space.expires_at <= now:
        # The host was told that it is deleted by now, so the deadline can't move any more.
        return TooLate("space.deadline_passed", at=space.expires_at)
    return None


def check_is_admin(by: User) -> None:
    """Raise Refused unless the user is an active admin."""
    if not (by.is_active and by.is_admin):
        raise Refused("moderation.not_an_admin", user=by.username)


def validated_reason(reason: str, by: User, missing: str = "moderation.reason_missing") -> str:
    """Return an admin's reason without blanks around it. Raises Refused if the user is not an admin, if the reason is
    too long, and, with the code `missing`, if it is empty."""
    reason = reason.replace("\x00", "").strip()
    check_is_admin(by)
    if not reason:
        raise Refused(missing)
    if len(reason) > LONGEST_REASON:
        raise Refused("moderation.reason_too_long", length=len(reason), limit=LONGEST_REASON)
    return reason


def recompute(space: Space, actor: Actor) -> None:
    """Recompute `expires_at` from the facts, and log it if it moved. Call with the row locked, in the transaction that
    changed the facts. A trigger updates `is_flagged` and `is_appealed`, which lists filter by."""
    facts = space.retention_facts()
    due = policy.deadline(facts, current_policy())
    before, moved = space.expires_at, due.at != space.expires_at
    space.expires_at, space.deadline_reasons = due.at, due.reasons_as_json()
    Space.objects.filter(pk=space.pk).update(expires_at=due.at, deadline_reasons=space.deadline_reasons)
    if not moved:
        return
    if due.at is not None and (before is None or due.at < before):
        wakeups.wake(Space, space.pk)  # the Space may be due now
    log.record(
        events.DEADLINE_MOVED,
        space_id=space.id,
        actor=actor,
        before=log.rfc3339(before),
        after=log.rfc3339(due.at),
        deadline_reasons=list(due.codes),
        policy=vars(current_policy()),
    )


def notify_host(space: Space, event: str, violation: Violation) -> None:
    """Notify the host of a change to a violation, in the same transaction. `event`: of a kind in notice_kinds.py."""
    (kind,) = (kind for kind in NoticeKind if kind.details.event == event)
    notices.tell(kind, space.host, space, violation.pk)
