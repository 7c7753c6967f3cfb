"""Appeals of hosts against flags. At most one for each flag; an admin decides it once, with a reason.

An open appeal does not change the deadline. If it is denied, the flag is upheld; if it is granted, the flag is lifted,
and the deadline is recomputed.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from archive import dbtime, lifecycle, log, policy
from archive.errors import Conflict, Refused, TooLate
from archive.log import Actor, events
from archive.models import Appeal, Space, User, Violation, current_policy
from archive.moderation.admissions import admit
from archive.moderation.conflicts import find_decision_conflict
from archive.moderation.recompute import lock_for_change, notify_host, recompute, validated_reason
from archive.moderation.violations import announce_decision, announce_lift, lift_one


def closes(space: Space) -> datetime | None:
    """Return the last time to appeal (UTC); None on hold."""
    return policy.appeal_closes(space.expires_at)


def closed(space: Space, violation: Violation, now: datetime) -> Refused | None:
    """Return the error to raise if the host can't appeal now."""
    if violation.state == Violation.State.LIFTED:
        return Conflict("appeal.violation_lifted")
    appeal = getattr(violation, "appeal", None)
    if appeal is not None:
        return Conflict("appeal.exists")
    last = closes(space)
    if last is not None and last <= now:
        return TooLate("appeal.too_late", until=last, days=policy.APPEAL_DAYS)
    return None


def appeal(violation_id: int, text: str, by: User) -> Appeal:
    """Appeal as the host. Raises TooLate, Refused for other users, Conflict for a second appeal."""
    text = text.replace("\x00", "").strip()
    with transaction.atomic():
        violation, space = _locked(Violation.objects.filter(pk=violation_id))
        if space.host_id != by.pk:
            raise Refused("appeal.not_the_host", user=by.username)
        now = dbtime.now()
        if error := closed(space, violation, now):
            raise error
        if not text:
            raise Refused("appeal.statement_missing")
        if len(text) > Appeal.MAX_LENGTH:
            raise Refused("appeal.statement_too_long", length=len(text), limit=Appeal.MAX_LENGTH)
        made = Appeal.objects.create(violation=violation, statement=text, created_by=by)
        detail = {"appeal": made.pk, "statement": log.commitment(space.salt, text)}
        lifecycle.transition(
            violation, Violation.State.STANDING, Violation.State.APPEALED, actor=Actor.of(by), detail=detail
        )
        recompute(space, Actor.of(by))
    made.refresh_from_db()
    return made


def decide(appeal_id: int, reason: str, by: User, *, granted: bool) -> Appeal:
    """Grant the appeal (lift the flag) or deny it (uphold the flag). Raises TooLate, Conflict if it was decided before,
    and Refused for users who are not admins or have a conflict of interest (conflicts.py)."""
    reason = validated_reason(reason, by)
    with transaction.atomic():
        violation, space = _locked(Violation.objects.filter(appeal=appeal_id))
        decided = violation.appeal
        if decided.state != Appeal.State.OPEN:
            raise Conflict("appeal.decided", state=decided.state)
        if conflict := find_decision_conflict(violation, by):
            raise conflict
        if granted:
            lift_one(space, violation, reason, by, dbtime.now())
            notify_host(space, events.VIOLATION_LIFTED, violation)
        else:
            _deny(space, violation, reason, by)
        recompute(space, Actor.of(by))
        (announce_lift if granted else announce_decision)(space, violation)
    decided.refresh_from_db()
    return decided


def admit_admin(appeal_id: int, admin: User, reason: str) -> None:
    """Admit this admin to the appeal, which must be older than the roles of all admins (admissions.py). Raises Refused,
    and Conflict if it was decided before."""
    with transaction.atomic():
        violation, space = _locked(Violation.objects.filter(appeal=appeal_id))
        if violation.appeal.state != Appeal.State.OPEN:
            raise Conflict("appeal.decided", state=violation.appeal.state)
        admit(space, ("appeal", appeal_id), admin, reason, lambda one: find_decision_conflict(violation, one))


def _deny(space: Space, violation: Violation, reason: str, by: User) -> None:
    detail = {"violation": violation.pk, "reason": log.commitment(space.salt, reason)}
    changes: dict[str, Any] = {"decided_at": dbtime.now(), "decided_by": by, "decision_reason": reason}
    lifecycle.transition(
        violation.appeal, Appeal.State.OPEN, Appeal.State.DENIED, actor=Actor.of(by), detail=detail, **changes
    )
    upheld = {"appeal": violation.appeal.pk}
    lifecycle.transition(
        violation, Violation.State.APPEALED, Violation.State.STANDING, actor=Actor.of(by), detail=upheld
    )
    notify_host(space, events.APPEAL_DENIED, violation)


def open_appeals() -> QuerySet[Violation]:
    """Return flags with an open appeal. Excludes Spaces that are deleted or being deleted: nothing about them can be
    decided."""
    of_kept = {"space__is_appealed": True, "space__state__in": Space.KEPT}
    return Violation.objects.filter(state=Violation.State.APPEALED, **of_kept)


def decided_appeals() -> QuerySet[Appeal]:
    """Return decided appeals, without those of deleted Spaces, whose texts are scrubbed."""
    return Appeal.objects.exclude(state=Appeal.State.OPEN).exclude(statement="")


def if_granted(space: Space, violation: Violation, now: datetime) -> policy.Deadline:
    """Preview the deadline after granting its appeal at `now`. Read-only."""
    facts = space.retention_facts()
    ordered = sorted(space.violations.all(), key=lambda one: one.pk)
    lifted = tuple(now if one.pk == violation.pk else one.lifted_at for one in ordered)
    return policy.deadline(replace(facts, lifted_at=lifted), current_policy())


def _locked(violations: QuerySet[Violation]) -> tuple[Violation, Space]:
    """Lock the violation's Space, and return the violation, read after that, and the Space."""
    space_id = violations.values_list("space", flat=True).first()
    if space_id is None:
        raise Refused("violation.not_found")
    space = lock_for_change(space_id)
    violation = violations.select_related("appeal", "rule").get()
    violation.space = space
    return violation, space
