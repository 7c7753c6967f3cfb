"""Appeals: the host's answer to a flag. One for each violation, decided once, by an admin, with a reason.

While an appeal is open its violation stands, so the deadline stays. Denied, it stands as before; granted, it is lifted,
and the deadline moves back by the rule.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from archive import dbtime, formatting, lifecycle, log, policy
from archive.errors import Conflict, Refused, TooLate
from archive.log import Actor, events
from archive.models import Appeal, Space, User, Violation, current_policy
from archive.moderation.deadline import lock_for_change, recompute, tell_host, validated_reason
from archive.moderation.violations import lift_one

ACTS = "decide appeals"


def closes(space: Space) -> datetime | None:
    """From when on no appeal is taken any more (UTC): 14 days before the deadline, so that it can be decided in time.
    None while a hold stands: there is no deadline then."""
    return None if space.expires_at is None else space.expires_at - timedelta(days=policy.APPEAL_DAYS)


def closed(space: Space, violation: Violation, now: datetime) -> str:
    """Why its host can't appeal now, or nothing."""
    if violation.state == Violation.State.LIFTED:
        return "This violation was lifted, so there is nothing to appeal against."
    appeal = getattr(violation, "appeal", None)
    if appeal is not None:
        return "An appeal was made already, and there is one for each violation."
    last = closes(space)
    if last is not None and last <= now:
        until = formatting.format_time(last)
        return f"Too late: appeals were taken until {until}, {policy.APPEAL_DAYS} days before the deadline."
    return ""


def appeal(violation_id: int, text: str, by: User) -> Appeal:
    """The host appeals. Raises TooLate, Refused for anybody else, Conflict for a second one; nothing is changed."""
    text = text.replace("\x00", "").strip()
    with transaction.atomic():
        violation, space = _locked(Violation.objects.filter(pk=violation_id))
        if space.host_id != by.pk:
            raise Refused(f"{by.username} is not the host of this Space, and only its host appeals.")
        now = dbtime.now()
        if why := closed(space, violation, now):
            raise (TooLate if why.startswith("Too late") else Conflict)(why)
        if not text:
            raise Refused("Say why the flag is wrong: whoever decides will read it.")
        if len(text) > Appeal.LONGEST:
            raise Refused(f"The appeal has {len(text)} characters; at most {Appeal.LONGEST} fit.")
        made = Appeal.objects.create(violation=violation, statement=text, created_by=by)
        detail = {"appeal": made.pk, "statement": log.commitment(space.salt, text)}
        lifecycle.transition(violation, "standing", "appealed", actor=Actor.of(by), detail=detail)
        recompute(space, Actor.of(by))
    made.refresh_from_db()
    return made


def decide(appeal_id: int, reason: str, by: User, *, granted: bool) -> Appeal:
    """Grant it (the violation is lifted) or deny it (the violation stands). Raises TooLate, Conflict when it was
    decided already, Refused for whoever is no admin or the host."""
    reason = validated_reason(reason, by, ACTS)
    with transaction.atomic():
        violation, space = _locked(Violation.objects.filter(appeal=appeal_id))
        if space.host_id == by.pk:
            raise Refused("This is your own Space: another admin decides your appeal.")
        decided = violation.appeal
        if decided.state != Appeal.State.OPEN:
            raise Conflict(f"This appeal was {decided.get_state_display()} already.")
        if granted:
            lift_one(space, violation, reason, by, dbtime.now())
            tell_host(space, events.VIOLATION_LIFTED, violation)
        else:
            _deny(space, violation, reason, by)
        recompute(space, Actor.of(by))
    decided.refresh_from_db()
    return decided


def _deny(space: Space, violation: Violation, reason: str, by: User) -> None:
    detail = {"violation": violation.pk, "reason": log.commitment(space.salt, reason)}
    changes: dict[str, Any] = {"decided_at": dbtime.now(), "decided_by": by, "decision_reason": reason}
    lifecycle.transition(violation.appeal, "open", "denied", actor=Actor.of(by), detail=detail, **changes)
    lifecycle.transition(violation, "appealed", "standing", actor=Actor.of(by), detail={"appeal": violation.appeal.pk})
    tell_host(space, events.APPEAL_DENIED, violation)


def if_granted(space: Space, violation: Violation, now: datetime) -> policy.Deadline:
    """The deadline after granting its appeal at `now`. Changes nothing."""
    facts = space.retention_facts()
    ordered = sorted(space.violations.all(), key=lambda one: one.pk)
    lifted = tuple(now if one.pk == violation.pk else one.lifted_at for one in ordered)
    return policy.deadline(replace(facts, lifted_at=lifted), current_policy())


def _locked(found: QuerySet[Violation]) -> tuple[Violation, Space]:
    """The violation as it is once its Space is locked."""
    space_id = found.values_list("space", flat=True).first()
    if space_id is None:
        raise Refused("There is no such violation.")
    space = lock_for_change(space_id)
    return found.select_related("appeal", "rule").get(), space
