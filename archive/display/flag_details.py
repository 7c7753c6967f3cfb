"""The details of a notice about a flag: reason, rule, evidence, end of the time to appeal, and the previous deadline.
The mail and the page show the same."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from archive import policy
from archive.display.transcript import EvidenceLine, evidence_lines
from archive.log import events
from archive.models import LogEntry, Violation
from archive.models.notice_kinds import NoticeKind

KINDS = (NoticeKind.FLAGGED, NoticeKind.LIFTED, NoticeKind.APPEAL_DENIED)
MOVING = (events.VIOLATION_FLAGGED, events.VIOLATION_LIFTED, events.DEADLINE_MOVED)


@dataclass(frozen=True)
class FlagDetails:
    """`rules`: the names of the rules; `rule_text`: the text of the rule when the Space was flagged. `reason`: of the
    flag, or of its lift. `appeal_until`: None if the host can't appeal any more, or can appeal without a time limit.
    `before`: the deadline before the flag or the lift moved it; None if it did not move."""

    violation_id: int
    rules: str
    rule_text: str
    reason: str
    evidence: list[EvidenceLine] = field(default_factory=list)
    may_appeal: bool = False
    appeal_until: datetime | None = None
    before: datetime | None = None


def find_flag_details(notices: Iterable[Any]) -> dict[UUID, FlagDetails]:
    """Return {notice id: details} of notices about a flag, in three queries at most. The notices must have the
    annotations of archive/notices/validity.py."""
    about = [notice for notice in notices if notice.kind in KINDS]
    if not about:
        return {}
    violations = _violations(about)
    before, lifted = _previous_deadlines(about), _lifted_together(violations.values())
    return {
        notice.pk: _details(notice, violation, before.get(notice.pk), lifted)
        for notice in about
        if (violation := violations.get((notice.space_id, notice.subject_id)))
    }


def _details(notice: Any, violation: Violation, before: datetime | None, lifted: dict[Any, list[str]]) -> FlagDetails:
    is_lift = notice.kind == NoticeKind.LIFTED
    names = lifted.get((violation.space_id, violation.lifted_at)) or [violation.rule.name]
    return FlagDetails(
        violation.pk,
        rules=", ".join(dict.fromkeys(names)),
        rule_text="" if is_lift else violation.rule.text,
        reason=_reason(notice, violation),
        evidence=[] if is_lift else evidence_lines(violation),
        may_appeal=notice.may_appeal,
        appeal_until=policy.appeal_closes(notice.space.expires_at) if notice.may_appeal else None,
        before=before,
    )


def _reason(notice: Any, violation: Violation) -> str:
    match notice.kind:
        case NoticeKind.LIFTED:
            return violation.lift_reason
        case NoticeKind.APPEAL_DENIED:
            appeal = getattr(violation, "appeal", None)
            return appeal.decision_reason if appeal else ""
        case _:
            return violation.reason


def _violations(notices: list[Any]) -> dict[tuple[UUID, str], Violation]:
    """Return {(Space, id as text): violation}. The Space is part of the key, so that a notice can't get another's."""
    ids = [int(notice.subject_id) for notice in notices if notice.subject_id.isdecimal()]
    rows = Violation.objects.filter(pk__in=ids).select_related("rule", "appeal")
    return {(row.space_id, str(row.pk)): row for row in rows}


def _lifted_together(violations: Iterable[Violation]) -> dict[Any, list[str]]:
    """Return {(Space, time): names of the rules of all flags that were lifted at that time}."""
    times = {violation.lifted_at for violation in violations if violation.lifted_at}
    names: dict[Any, list[str]] = defaultdict(list)
    rows = Violation.objects.filter(lifted_at__in=times, space__in=[v.space_id for v in violations]).order_by("pk")
    for space_id, at, name in rows.values_list("space_id", "lifted_at", "rule__name") if times else ():
        names[space_id, at].append(name)
    return names


def _previous_deadlines(notices: list[Any]) -> dict[UUID, datetime]:
    """Return {notice id: the previous deadline}.

    The log has the move right after its cause, because one transaction wrote both while it had the Space locked.
    """
    entries: dict[UUID | None, list[LogEntry]] = defaultdict(list)
    spaces = {notice.space_id for notice in notices}
    for entry in LogEntry.objects.filter(space_id__in=spaces, event__in=MOVING).order_by("id"):
        entries[entry.space_id].append(entry)
    moved = {notice.pk: _moved_from(notice, entries[notice.space_id]) for notice in notices}
    return {pk: before for pk, before in moved.items() if before}


def _moved_from(notice: Any, entries: list[LogEntry]) -> datetime | None:
    details = NoticeKind(notice.kind).details
    subject = (notice.subject_id, int(notice.subject_id)) if notice.subject_id.isdecimal() else ()
    causes = [
        n
        for n, entry in enumerate(entries)
        if entry.event == details.event and entry.detail.get("violation") in subject
    ]
    if not causes or causes[-1] + 1 == len(entries):
        return None
    after = entries[causes[-1] + 1]
    if after.event != events.DEADLINE_MOVED or details.reason not in (after.detail.get("deadline_reasons") or ()):
        return None
    before: str | None = after.detail.get("before")
    return datetime.fromisoformat(before) if before else None
