"""Flag Spaces and lift flags.

A flag is a Violation row. While one is active, the Space is stored for 90 days more (30 + 90 from its end; several do
not add up: archive/policy.py). Flagging or lifting writes the row and a log entry, recomputes the deadline in the same
transaction (archive/moderation/recompute.py) and sends the host a notice. The host may appeal (appeals.py). A flagged
Space counts as reviewed (reviews.py).
"""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from archive import dbtime, lifecycle, log, policy, webhooks
from archive.errors import Refused
from archive.log import Actor, events
from archive.models import Appeal, Rule, Space, User, Violation, WebhookEvent, current_policy
from archive.moderation import reviews
from archive.moderation.conflicts import find_lift_conflict
from archive.moderation.evidence import Lines, copy_lines
from archive.moderation.recompute import lock_for_decision, notify_host, recompute, validated_reason
from archive.moderation.rules import list_rules


def flag(space_id: UUID, rule_code: str, reason: str, by: User, evidence: Lines | None = None) -> Violation:
    """Flag a Space for a rule, which extends its deadline. Raises TooLate once deletion has started, Refused."""
    reason = validated_reason(reason, by)
    with transaction.atomic():
        space, rule = lock_for_decision(space_id, by), find_rule(rule_code)
        lines = copy_lines(space, evidence, by) if evidence and evidence.numbers else []
        violation = Violation.objects.create(
            space=space,
            rule=rule,
            reason=reason,
            flagged_by=by,
            evidence=lines,
            evidence_transcript_number=evidence.transcript if evidence and lines else None,
        )
        violation.refresh_from_db()
        cited = {"evidence": log.commitment(space.salt, lines), "lines": len(lines)} if lines else {}
        log.record(
            events.VIOLATION_FLAGGED,
            space_id=space.id,
            actor=Actor.of(by),
            violation=violation.pk,
            rule=rule.code,
            rule_version=rule.number,
            reason=log.commitment(space.salt, reason),
            **cited,
        )
        reviews.mark_reviewed(space, by)
        recompute(space, Actor.of(by))
        notify_host(space, events.VIOLATION_FLAGGED, violation)
        webhooks.announce(WebhookEvent.FLAGGED, space, violation.pk, **describe(violation), rule_version=rule.number)
    return violation


def lift(space_id: UUID, reason: str, by: User) -> list[Violation]:
    """Lift all flags of a Space; open appeals against them are granted. Raises TooLate once deletion has started,
    Refused."""
    reason = validated_reason(reason, by)
    with transaction.atomic():
        space = lock_for_decision(space_id, by)
        standing = list(space.violations.select_related("appeal", "rule").exclude(state=Violation.State.LIFTED))
        if not standing:
            raise Refused("violation.none_standing")
        if conflict := find_lift_conflict(space, standing, by):
            raise conflict
        now = dbtime.now()
        lifted = [violation for violation in standing if lift_one(space, violation, reason, by, now)]
        recompute(space, Actor.of(by))
        if lifted:
            notify_host(space, events.VIOLATION_LIFTED, lifted[-1])  # one notice for all
        for violation in lifted:
            announce_lift(space, violation)
    return lifted


def lift_one(space: Space, violation: Violation, reason: str, by: User, now: datetime) -> bool:
    """Lift one flag and grant its open appeal, if any. The caller must hold the lock, check for conflicts, recompute,
    and notify the host."""
    commitment = log.commitment(space.salt, reason)
    appeal = getattr(violation, "appeal", None)
    if appeal is not None and appeal.state == Appeal.State.OPEN:
        decided: dict[str, Any] = {"decided_at": now, "decided_by": by, "decision_reason": reason}
        granted = {"violation": violation.pk, "reason": commitment}
        lifecycle.transition(
            appeal, Appeal.State.OPEN, Appeal.State.GRANTED, actor=Actor.of(by), detail=granted, **decided
        )
    detail = {"reason": commitment, "lifted_at": log.rfc3339(now)}
    changes: dict[str, Any] = {"lifted_at": now, "lifted_by": by, "lift_reason": reason}
    return lifecycle.transition(
        violation,
        Violation.State(violation.state),
        Violation.State.LIFTED,
        actor=Actor.of(by),
        detail=detail,
        **changes,
    )


def describe(violation: Violation) -> dict[str, Any]:
    """Return the facts about a flag that webhooks get."""
    return {"violation": violation.pk, "rule": violation.rule.code}


def announce_lift(space: Space, violation: Violation) -> None:
    """Tell webhooks of a lifted flag, and of the appeal that this decided. Call it after `recompute`, since they get
    the new deadline."""
    facts = describe(violation)
    appeal = getattr(violation, "appeal", None)
    if appeal is not None and appeal.state == Appeal.State.GRANTED:
        announce_decision(space, violation)
    webhooks.announce(WebhookEvent.FLAG_LIFTED, space, violation.pk, **facts)


def announce_decision(space: Space, violation: Violation) -> None:
    """Tell webhooks of a decided appeal. Call it after `recompute`."""
    appeal = violation.appeal
    decided = {**describe(violation), "appeal": appeal.pk, "decision": appeal.state}
    webhooks.announce(WebhookEvent.APPEAL_DECIDED, space, appeal.pk, **decided)


def preview_flag(space: Space, now: datetime) -> tuple[policy.Deadline, policy.Deadline]:
    """Preview the deadlines after one more flag, and after lifting all flags. Read-only."""
    facts, rule = space.retention_facts(), current_policy()
    flagged = replace(facts, lifted_at=(*facts.lifted_at, None))
    lifted = replace(facts, lifted_at=tuple(moment or now for moment in facts.lifted_at))
    return policy.deadline(flagged, rule), policy.deadline(lifted, rule)


def find_rule(code: str) -> Rule:
    """Return the current version of an active rule. Raises Refused."""
    rule = list_rules().filter(code=code.replace("\x00", "")).first()
    if rule is None:
        known = ", ".join(list_rules().values_list("code", flat=True))
        raise Refused("violation.no_such_rule", rule=code, rules=known)
    return rule
