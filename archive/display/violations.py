"""What a bundle says of the rules that its Space broke: what was flagged, the lines that show it, the appeal."""

from typing import Any

from archive.display import space as space_display
from archive.log import rfc3339
from archive.models import Appeal, Space, Violation


def as_json(space: Space) -> list[dict[str, Any]]:
    """For space.json. Times are RFC 3339, UTC; places in the recording in milliseconds."""
    return [
        {
            "rule": violation.rule.name,
            "code": violation.rule_id,
            "state": violation.state,
            "reason": violation.reason,
            "flagged_at": rfc3339(violation.flagged_at),
            "evidence": violation.evidence,
            "appeal": _appeal(violation),
            "lifted_at": rfc3339(violation.lifted_at),
            "lift_reason": violation.lift_reason,
        }
        for violation in _violations(space)
    ]


def flags(space: Space) -> list[space_display.FlagView]:
    """For the page."""
    return [space_display.flag_view(violation) for violation in _violations(space)]


def _violations(space: Space) -> list[Violation]:
    return list(space.violations.select_related("rule", "appeal"))


def _appeal(violation: Violation) -> dict[str, Any] | None:
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
