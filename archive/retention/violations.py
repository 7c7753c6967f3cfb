"""Flagging and lifting. Each recomputes the deadline in its own transaction, so the clock is never behind."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from archive import clock, lifecycle, log, policy, words
from archive.errors import Refused, TooLate
from archive.log import Actor, events
from archive.models import LogEntry, Rule, Space, User, Violation, current_rule

LONGEST_REASON = 2000


def flag(space_id: UUID, rule_code: str, reason: str, by: User) -> Violation:
    """The Space broke a rule: it is kept for longer from now on. Raises TooLate once deletion has begun, Refused."""
    reason = _checked(reason, by)
    with transaction.atomic():
        space = _locked(space_id)
        rule = Rule.objects.filter(code=rule_code.replace("\x00", ""), active=True).first()
        if rule is None:
            known = ", ".join(Rule.objects.filter(active=True).values_list("code", flat=True))
            raise Refused(f"There is no rule {rule_code!r}. The rules are: {known}.")
        violation = Violation.objects.create(space=space, rule=rule, reason=reason, flagged_by=by)
        violation.refresh_from_db()
        log.record(
            events.VIOLATION_FLAGGED,
            space_id=space.id,
            actor=Actor.of(by),
            violation=violation.pk,
            rule=rule.code,
            reason=log.commitment(space.salt, reason),
        )
        recompute(space, Actor.of(by))
    return violation


def lift(space_id: UUID, reason: str, by: User) -> list[Violation]:
    """Every violation that stands was flagged in error. Raises TooLate once deletion has begun, Refused."""
    reason = _checked(reason, by)
    with transaction.atomic():
        space = _locked(space_id)
        standing = list(space.violations.exclude(state=Violation.State.LIFTED))
        if not standing:
            raise Refused("No violation of this Space stands, so there is nothing to lift.")
        now, lifted = clock.now(), []
        for violation in standing:
            detail = {"reason": log.commitment(space.salt, reason), "lifted_at": log.moment(now)}
            changes: dict[str, Any] = {"lifted_at": now, "lifted_by": by, "lift_reason": reason}
            if lifecycle.move(violation, violation.state, "lifted", actor=Actor.of(by), detail=detail, **changes):
                lifted.append(violation)
        recompute(space, Actor.of(by))
    return lifted


def recompute(space: Space, actor: Actor) -> None:
    """Bring `expires_at` in line with the facts, and log the move. Call it with the row locked, in the transaction of
    whatever changed."""
    due = space.deadline()
    before, moved = space.expires_at, due.at != space.expires_at
    space.expires_at, space.because = due.at, due.because
    Space.objects.filter(pk=space.pk).update(expires_at=due.at, because=due.because)
    if not moved:
        return
    log.record(
        events.DEADLINE_MOVED,
        space_id=space.id,
        actor=actor,
        before=log.moment(before),
        after=log.moment(due.at),
        because=list(due.codes),
        policy=vars(current_rule()),
    )


def _checked(reason: str, by: User) -> str:
    reason = reason.replace("\x00", "").strip()
    if not by.is_admin:
        raise Refused(f"{by.username} is not an admin, and only admins flag and lift.")
    if not reason:
        raise Refused("A reason is needed: the host will read it.")
    if len(reason) > LONGEST_REASON:
        raise Refused(f"The reason has {len(reason)} characters; at most {LONGEST_REASON} fit.")
    return reason


def _locked(space_id: UUID) -> Space:
    """The Space, locked until the transaction ends: the sweep's compare-and-set waits for it, and then sees the new
    deadline."""
    space = Space.objects.select_for_update().filter(pk=space_id).first()
    if space is None:
        raise Refused(f"There is no Space {space_id}.")
    began = LogEntry.objects.filter(space_id=space.id, event=events.DELETION_BEGAN).values_list("at", flat=True).first()
    if began is not None:
        raise TooLate(f"Too late: the deletion of this Space began at {words.moment(began)}.")
    if space.expires_at is not None and space.expires_at <= clock.now():
        # Nothing of it is served any more. Taking that back would keep what people were promised is gone.
        raise TooLate(f"Too late: the deadline of this Space was {words.moment(space.expires_at)}.")
    return space


def what_if(space: Space, now: datetime) -> tuple[policy.Deadline, policy.Deadline]:
    """The deadline after a flag at this moment, and after lifting everything that stands. Changes nothing."""
    facts, rule = space.facts(), current_rule()
    flagged = replace(facts, lifted_at=(*facts.lifted_at, None))
    lifted = replace(facts, lifted_at=tuple(moment or now for moment in facts.lifted_at))
    return policy.deadline(flagged, rule), policy.deadline(lifted, rule)
