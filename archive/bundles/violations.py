"""What a bundle says of the rules that its Space broke: what was flagged, the lines that show it, the appeal."""

from typing import Any

from archive import shown
from archive.log import moment
from archive.models import Appeal, Space, Violation


def told(space: Space) -> list[dict[str, Any]]:
    """For space.json. Times are RFC 3339, UTC; places in the recording in milliseconds."""
    return [
        {
            "rule": violation.rule.name,
            "code": violation.rule_id,
            "state": violation.state,
            "reason": violation.reason,
            "flagged_at": moment(violation.flagged_at),
            "evidence": violation.evidence,
            "appeal": _appeal(violation),
            "lifted_at": moment(violation.lifted_at),
            "lift_reason": violation.lift_reason,
        }
        for violation in _violations(space)
    ]


def flags(space: Space) -> list[shown.Flag]:
    """For the page."""
    return [shown.flag(violation) for violation in _violations(space)]


def _violations(space: Space) -> list[Violation]:
    return list(space.violations.select_related("rule", "appeal"))


def _appeal(violation: Violation) -> dict[str, Any] | None:
    appeal: Appeal | None = getattr(violation, "appeal", None)
    if appeal is None:
        return None
    return {
        "state": appeal.state,
        "words": appeal.words,
        "made_at": moment(appeal.made_at),
        "decision": appeal.decision,
        "decided_at": moment(appeal.decided_at),
    }
