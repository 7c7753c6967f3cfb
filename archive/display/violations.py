"""The violations of a Space, for pages and for the bundle's space.json."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from archive.display.transcript import EvidenceLine, evidence_lines
from archive.log import rfc3339
from archive.models import Appeal, Rule, Space, Violation


@dataclass(frozen=True)
class FlagView:
    """A violation for archive/parts/violation_summary.html and its neighbors.

    Only the site sets `appeal_until`, `closed` (why the host can't appeal) and `if_granted` (the deadline if an appeal
    were granted now; None on hold).
    """

    id: int
    rule: Rule
    state: str
    reason: str
    flagged_at: datetime
    lifted_at: datetime | None
    lift_reason: str
    evidence: list[EvidenceLine] = field(default_factory=list)
    appeal: Appeal | None = None
    appeal_until: datetime | None = None
    closed: str = ""
    if_granted: datetime | None = None


def flag_view(
    violation: Violation,
    *,
    content: bool = True,
    appeal_until: datetime | None = None,
    closed: str = "",
    if_granted: datetime | None = None,
) -> FlagView:
    """Return the flag for a template. `content`: the reader may read the transcript, and so the evidence."""
    return FlagView(
        violation.pk,
        violation.rule,
        violation.state,
        violation.reason,
        violation.flagged_at,
        violation.lifted_at,
        violation.lift_reason,
        evidence=evidence_lines(violation) if content else [],
        appeal=getattr(violation, "appeal", None),
        appeal_until=appeal_until,
        closed=closed,
        if_granted=if_granted,
    )


def flag_views(space: Space) -> list[FlagView]:
    """Return all violations of the Space, for the offline page."""
    return [flag_view(violation) for violation in _violations(space)]


def violations_as_json(space: Space) -> list[dict[str, Any]]:
    """Return all violations of the Space, for space.json. Times are RFC 3339, UTC; positions in milliseconds."""
    return [
        {
            "rule": violation.rule.name,
            "rule_text": violation.rule.text,
            "code": violation.rule.code,
            "state": violation.state,
            "reason": violation.reason,
            "flagged_at": rfc3339(violation.flagged_at),
            "evidence": violation.evidence,
            "appeal": _appeal_as_json(violation),
            "lifted_at": rfc3339(violation.lifted_at),
            "lift_reason": violation.lift_reason,
        }
        for violation in _violations(space)
    ]


def _violations(space: Space) -> list[Violation]:
    return list(space.violations.select_related("rule", "appeal"))


def _appeal_as_json(violation: Violation) -> dict[str, Any] | None:
    appeal: Appeal | None = getattr(violation, "appeal", None)
    if appeal is None:
        return None
    return {
        "state": appeal.state,
        "statement": appeal.statement,
        "created_at": rfc3339(appeal.created_at),
        "decision_reason": appeal.decision_reason,
        "decided_at": rfc3339(appeal.decided_at),
    }
