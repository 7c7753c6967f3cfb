"""What pages show of violations, appeals and holds. Plain values for templates; no request in here."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from archive import formatting, policy
from archive.display.transcript import EvidenceLine, evidence_line
from archive.display.violations import FlagView, flag_view
from archive.models import Rule, Space, Violation
from archive.moderation import appeals
from archive.moderation.evidence import ContextLine, context_lines


def flags(space: Space, violations: Iterable[Violation], now: datetime, *, content: bool) -> list[FlagView]:
    """The flags of a Space. `content`: the reader may read the transcript. `closed`: why the host can't appeal."""
    until = appeals.closes(space)
    return [
        flag_view(v, content=content, appeal_until=until, closed=str(appeals.closed(space, v, now) or ""))
        for v in violations
    ]


def nearby(violations: Iterable[Violation]) -> dict[int, list[EvidenceLine]]:
    """{violation's id: the evidence with 30 seconds around it}."""
    return {pk: [_near(line) for line in lines] for pk, lines in context_lines(violations).items()}


def _near(line: ContextLine) -> EvidenceLine:
    return evidence_line(line.number, line.cue.start_ms, line.cue.speaker, line.cue.text, cited=line.cited)


def describe_change(before: datetime | None, after: policy.Deadline, now: datetime | None = None) -> str:
    """What would happen to the deadline, in words. With `now`, it may be that it has passed."""
    if after.at == before:
        return (
            f"The deadline stays at {formatting.format_time(before)}."
            if before
            else "There is no deadline while a hold stands."
        )
    if after.at is None and before is not None:
        old = formatting.format_time(before)
        return f"The deadline moves from {old} to none: nothing is deleted until the hold is released."
    assert after.at is not None  # or it would be as before
    if now and after.at <= now:
        return f"The deadline was {formatting.format_time(after.at)}. That has passed, so the Space is deleted at once."
    if before is None:
        return f"The deadline becomes {formatting.format_time(after.at)}."
    return f"The deadline moves from {formatting.format_time(before)} to {formatting.format_time(after.at)}."


def rules() -> Any:
    """Those that can be chosen."""
    return Rule.objects.filter(active=True)
