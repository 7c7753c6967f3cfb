"""Restore flags, lifts and appeals of a Space from the entries that record them. True if a row was changed."""

from datetime import datetime

from archive.log import events
from archive.models import Appeal, Rule, Space, Violation
from archive.transparency.reapply_step import (
    ByHand,
    change,
    describe_lost,
    find_account,
    require_no_deletion,
    require_same,
)
from archive.transparency.recovery import LostEntry


def flag(space: Space, entry: LostEntry) -> bool:
    pk, by = int(entry.detail["violation"]), find_account(entry)
    if known := Violation.objects.filter(pk=pk).first():
        return require_same((known.space_id, known.flagged_by_id) == (space.pk, by.pk), f"flag {pk}")
    rule = Rule.objects.filter(code=entry.detail["rule"], number=entry.detail["rule_version"]).first()
    require_no_deletion(space)
    if rule is None:
        raise ByHand(f"this database does not have version {entry.detail['rule_version']} of its rule")
    Violation.objects.create(
        pk=pk, space=space, rule=rule, reason=describe_lost(entry), flagged_by=by, flagged_at=entry.at
    )
    Space.objects.filter(pk=space.pk, reviewed_at=None).update(reviewed_at=entry.at, reviewed_by=by)
    return True


def lift(space: Space, entry: LostEntry) -> bool:
    by, at = find_account(entry), datetime.fromisoformat(entry.detail["lifted_at"])
    violation = _find_violation(space, entry)
    if violation.state == Violation.State.LIFTED:
        return False
    return change(violation, state=Violation.State.LIFTED, lifted_at=at, lifted_by=by, lift_reason=describe_lost(entry))


def appeal(space: Space, entry: LostEntry) -> bool:
    violation, pk, by = _find_violation(space, entry), int(entry.detail["appeal"]), find_account(entry)
    if known := Appeal.objects.filter(pk=pk).first():
        return require_same(known.violation_id == violation.pk, f"appeal {pk}")
    Appeal.objects.create(
        pk=pk, violation=violation, statement=describe_lost(entry), created_by=by, created_at=entry.at
    )
    return change(violation, state=Violation.State.APPEALED)


def decide(space: Space, entry: LostEntry) -> bool:
    appeal = Appeal.objects.filter(pk=int(entry.detail["appeal"]), violation__space=space).first()
    if appeal is None:
        raise ByHand("its appeal is not in this database")
    if appeal.state != Appeal.State.OPEN:
        return False
    state = Appeal.State.GRANTED if entry.event == events.APPEAL_GRANTED else Appeal.State.DENIED
    return change(
        appeal, state=state, decided_at=entry.at, decided_by=find_account(entry), decision_reason=describe_lost(entry)
    )


def uphold(space: Space, entry: LostEntry) -> bool:
    violation = _find_violation(space, entry)
    return violation.state == Violation.State.APPEALED and change(violation, state=Violation.State.STANDING)


def _find_violation(space: Space, entry: LostEntry) -> Violation:
    found = space.violations.filter(pk=int(entry.detail["violation"])).first()
    if found is None:
        raise ByHand("its flag is not in this database")
    return found
