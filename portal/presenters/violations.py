"""What pages show of violations, appeals and holds. Plain values for templates; no request in here."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from archive import formatting, policy
from archive.display.transcript import EvidenceLine, evidence_line
from archive.display.violations import FlagView, flag_view
from archive.models import Space, Violation
from archive.moderation import appeals
from archive.moderation.evidence import ContextLine, context_lines
from archive.moderation.reason_templates import list_templates
from archive.moderation.rules import list_rules


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
        if before is None:
            return _("It is on hold, so there is no deadline. This would change nothing now.")
        return _("The deadline would stay at {time}.").format(time=formatting.format_time(before))
    if after.at is None and before is not None:
        old = formatting.format_time(before)
        return _("There would be no deadline until the hold is released. Now it is {time}.").format(time=old)
    assert after.at is not None  # or it would be as before
    new = formatting.format_time(after.at)
    if now and after.at <= now:
        return _("The deadline was {time}. That has passed, so the Space would be deleted at once.").format(time=new)
    if before is None:
        return _("The deadline would be {time}.").format(time=new)
    return _("The deadline would move from {before} to {after}.").format(
        before=formatting.format_time(before), after=new
    )


def rules() -> Any:
    """Those that can be chosen."""
    return list_rules()


def reason_templates() -> list[dict[str, Any]]:
    """The templates of reasons, by rule; rules without any are left out."""
    by_rule = list_templates()
    return [{"rule": rule, "templates": by_rule[rule.code]} for rule in list_rules() if rule.code in by_rule]
