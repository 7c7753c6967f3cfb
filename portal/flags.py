"""What pages show of violations, appeals and holds. Plain values for templates; no request in here."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from archive import policy, words
from archive.models import Appeal, Rule, Space, Violation
from archive.retention import appeals
from archive.retention.evidence import Near, around


@dataclass(frozen=True)
class Cited:
    """A line of the transcript. `t` are seconds as `?t=` takes them; `cited`: it is evidence, and not only near it."""

    number: int
    t: str
    stamp: str
    speaker: str
    text: str
    cited: bool


@dataclass(frozen=True)
class Flag:
    """A violation as its Space's page shows it. Under the names of its row, what the page in a bundle shows too."""

    id: int
    rule: Rule
    state: str
    reason: str
    flagged_at: datetime
    lifted_at: datetime | None
    lift_reason: str
    evidence: list[Cited] = field(default_factory=list)
    appeal: Appeal | None = None
    appeal_until: datetime | None = None
    closed: str = ""


def flags(space: Space, violations: Iterable[Violation], now: datetime, *, content: bool) -> list[Flag]:
    """`content`: the reader may read what was said. `closed` says why no appeal can be made, where none was."""
    until = appeals.closes(space)
    return [
        Flag(
            violation.pk,
            violation.rule,
            violation.state,
            violation.reason,
            violation.flagged_at,
            violation.lifted_at,
            violation.lift_reason,
            evidence=evidence(violation) if content else [],
            appeal=getattr(violation, "appeal", None),
            appeal_until=until,
            closed=appeals.closed(space, violation, now),
        )
        for violation in violations
    ]


def evidence(violation: Violation) -> list[Cited]:
    """The lines as they were kept."""
    return [_cited(line["line"], line["start_ms"], line["speaker"], line["text"]) for line in violation.evidence]


def nearby(violations: Iterable[Violation]) -> dict[int, list[Cited]]:
    """{violation's id: the evidence with 30 seconds around it}."""
    return {pk: [_near(line) for line in lines] for pk, lines in around(violations).items()}


def _near(line: Near) -> Cited:
    return _cited(line.number, line.cue.start_ms, line.cue.speaker, line.cue.text, cited=line.cited)


def _cited(number: int, start_ms: int, speaker: str, text: str, *, cited: bool = True) -> Cited:
    return Cited(number, f"{start_ms / 1000:.12g}", words.length(start_ms // 1000), speaker, text, cited)


def moved(before: datetime | None, after: policy.Deadline, now: datetime | None = None) -> str:
    """What would happen to the deadline, in words. With `now`, it may be that it has passed."""
    if after.at == before:
        return (
            f"The deadline stays at {words.moment(before)}." if before else "There is no deadline while a hold stands."
        )
    if after.at is None and before is not None:
        return f"The deadline moves from {words.moment(before)} to none: nothing is deleted until the hold is released."
    assert after.at is not None  # or it would be as before
    if now and after.at <= now:
        return f"The deadline was {words.moment(after.at)}. That has passed, so the Space is deleted at once."
    if before is None:
        return f"The deadline becomes {words.moment(after.at)}."
    return f"The deadline moves from {words.moment(before)} to {words.moment(after.at)}."


def rules() -> Any:
    """Those that can be chosen."""
    return Rule.objects.filter(active=True)
