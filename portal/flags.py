"""What pages show of violations, appeals and holds. Plain values for templates; no request in here."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from archive import policy, shown, words
from archive.models import Rule, Space, Violation
from archive.retention import appeals
from archive.retention.evidence import Near, around


def flags(space: Space, violations: Iterable[Violation], now: datetime, *, content: bool) -> list[shown.Flag]:
    """`content`: the reader may read what was said. `closed` says why no appeal can be made, where none was."""
    until = appeals.closes(space)
    return [
        shown.flag(v, content=content, appeal_until=until, closed=appeals.closed(space, v, now)) for v in violations
    ]


def nearby(violations: Iterable[Violation]) -> dict[int, list[shown.Cited]]:
    """{violation's id: the evidence with 30 seconds around it}."""
    return {pk: [_near(line) for line in lines] for pk, lines in around(violations).items()}


def _near(line: Near) -> shown.Cited:
    return shown.cited(line.number, line.cue.start_ms, line.cue.speaker, line.cue.text, cited=line.cited)


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
