"""Legal holds: until a hold is released, its Space has no deadline and is not deleted.

A hold that commits before the sweep's compare-and-set wins, since the Space then has no deadline. A later one is
refused as too late. A release recomputes the deadline at once, so the Space may be due immediately.

The host gets a notice when the deadline ends and when there is one again. It names no admin, no reason and no case.
"""

from dataclasses import replace
from datetime import UTC, date
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now, TruncDate

from archive import dbtime, lifecycle, log, notices, policy
from archive.errors import Conflict, Refused
from archive.log import Actor, events
from archive.models import Hold, Notice, Space, User, current_policy
from archive.models.hold import MAX_CASE_NUMBER
from archive.moderation.admissions import admit
from archive.moderation.conflicts import find_own_space_conflict, find_release_conflict
from archive.moderation.recompute import (
    check_is_admin,
    lock_for_change,
    lock_for_decision,
    recompute,
    validated_reason,
)


def place(space_id: UUID, reason: str, by: User, *, case_number: str = "", review_on: date | None = None) -> Hold:
    """Place a hold, which removes the deadline. `review_on`: the day (UTC) to check whether it is still needed.

    Raises TooLate once deletion has started, Refused, and Conflict if the Space is already on hold for this case.
    """
    reason = validated_reason(reason, by, "hold.reason_missing")
    case_number = validated_case_number(case_number)
    check_review_day(review_on)
    with transaction.atomic():
        space = lock_for_decision(space_id, by)
        if case_number and space.holds.filter(state=Hold.State.STANDING, case_number=case_number).exists():
            raise Conflict("hold.exists", case=case_number)
        hold = Hold.objects.create(
            space=space, reason=reason, placed_by=by, case_number=case_number, review_on=review_on
        )
        hold.refresh_from_db()
        detail = {"hold": hold.pk, "reason": log.commitment(space.salt, reason), **_day(review_on)}
        if case_number:
            detail["case"] = log.commitment(space.salt, case_number)
        log.record(events.HOLD_PLACED, space_id=space.id, actor=Actor.of(by), **detail)
        had_deadline = space.expires_at is not None
        recompute(space, Actor.of(by))
        if had_deadline:  # a second hold changes nothing for the host
            notices.tell(Notice.Kind.HOLD_PLACED, space.host, space, hold.pk)
    return hold


def review(hold_id: int, review_on: date, by: User) -> Hold:
    """Record that the hold is still needed, and the day of the next review. Raises Refused, and Conflict if it was
    released."""
    check_is_admin(by)
    check_review_day(review_on)
    with transaction.atomic():
        space, hold = _locked(hold_id)
        if conflict := find_own_space_conflict(space, by):
            raise conflict
        hold.review_on = review_on
        hold.save(update_fields=["review_on"])
        Notice.objects.filter(kind=Notice.Kind.HOLD_REVIEW, space=space, subject_id=str(hold.pk)).delete()
        log.record(events.HOLD_REVIEWED, space_id=space.id, actor=Actor.of(by), hold=hold.pk, **_day(review_on))
    return hold


def release(hold_id: int, reason: str, by: User) -> Hold:
    """Release the hold; unless there is another one, the deadline applies again at once. Raises Refused for an admin
    who may not (conflicts.py), Conflict if it was released before."""
    reason = validated_reason(reason, by, "hold.reason_missing")
    with transaction.atomic():
        space, hold = _locked(hold_id)
        if conflict := find_release_conflict(hold, by):
            raise conflict
        detail = {"reason": log.commitment(space.salt, reason)}
        changes: dict[str, Any] = {"released_at": dbtime.now(), "released_by": by, "release_reason": reason}
        lifecycle.transition(
            hold, Hold.State.STANDING, Hold.State.RELEASED, actor=Actor.of(by), detail=detail, **changes
        )
        recompute(space, Actor.of(by))
        if space.expires_at is not None:
            notices.tell(Notice.Kind.HOLD_RELEASED, space.host, space, hold.pk)
    return hold


def admit_admin(hold_id: int, admin: User, reason: str) -> None:
    """Admit this admin to the release of the hold, which must be older than the roles of all admins (admissions.py).
    Raises Refused, and Conflict if it was released before."""
    with transaction.atomic():
        space, hold = _locked(hold_id)
        admit(space, ("hold", hold_id), admin, reason, lambda one: find_release_conflict(hold, one))


def if_held(space: Space) -> policy.Deadline:
    """Preview the deadline after a hold: none. Read-only."""
    return policy.deadline(replace(space.retention_facts(), held=True), current_policy())


def if_released(space: Space) -> policy.Deadline:
    """Preview the deadline after the release of its only hold. Read-only."""
    return policy.deadline(replace(space.retention_facts(), held=False), current_policy())


def overdue_reviews() -> QuerySet[Hold]:
    """Return active holds whose review day is today or earlier (UTC)."""
    return Hold.objects.filter(state=Hold.State.STANDING, review_on__lte=TruncDate(Now(), tzinfo=UTC))


def validated_case_number(text: str) -> str:
    """Return the case number without blanks around it; "" for none. Raises Refused if it is too long."""
    text = text.replace("\x00", "").strip()
    if len(text) > MAX_CASE_NUMBER:
        raise Refused("hold.case_too_long", length=len(text), limit=MAX_CASE_NUMBER)
    return text


def check_review_day(day: date | None) -> None:
    """Raise Refused unless the day is in the future, by the database's clock (UTC)."""
    if day is not None and day <= dbtime.now().date():
        raise Refused("hold.review_not_in_future")


def _locked(hold_id: int) -> tuple[Space, Hold]:
    """Lock the Space, and return it and its active hold. Raises Refused, and Conflict if the hold was released."""
    space_id = Hold.objects.filter(pk=hold_id).values_list("space", flat=True).first()
    if space_id is None:
        raise Refused("hold.not_found")
    space = lock_for_change(space_id)
    hold = Hold.objects.get(pk=hold_id)
    hold.space = space
    if hold.state == Hold.State.RELEASED:
        raise Conflict("hold.released")
    return space, hold


def _day(review_on: date | None) -> dict[str, str]:
    return {} if review_on is None else {"review_on": review_on.isoformat()}
