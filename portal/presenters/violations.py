"""Violations, appeals and holds, as plain values for templates."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from archive import formatting, policy
from archive.display.transcript import EvidenceLine, evidence_line
from archive.display.violations import FlagView, flag_view
from archive.models import Space, Violation, current_policy
from archive.moderation import appeals, holds
from archive.moderation.evidence import ContextLine, context_lines
from archive.moderation.reason_templates import list_templates
from archive.moderation.rules import list_rules


def flags(space: Space, violations: Iterable[Violation], now: datetime, *, content: bool) -> list[FlagView]:
    """Return the flags of a Space. `content`: the reader may read the transcript. `closed`: why the host can't
    appeal."""
    until, rows = appeals.closes(space), list(violations)
    return [
        flag_view(
            violation,
            content=content,
            appeal_until=until,
            closed=str(appeals.closed(space, violation, now) or ""),
            if_granted=_if_granted(space, rows, violation, now),
        )
        for violation in rows
    ]


def _if_granted(space: Space, violations: Iterable[Violation], violation: Violation, now: datetime) -> datetime | None:
    """Like `appeals.if_granted`, for a Space whose violations have been read already."""
    lifted = tuple(now if one.pk == violation.pk else one.lifted_at for one in violations)
    facts = policy.Facts(space.ended_at, lifted, held=space.expires_at is None)
    return policy.deadline(facts, current_policy()).at


def nearby(violations: Iterable[Violation]) -> dict[int, list[EvidenceLine]]:
    """Return {violation's id: the evidence with 30 seconds around it}."""
    return {pk: [_near(line) for line in lines] for pk, lines in context_lines(violations).items()}


def _near(line: ContextLine) -> EvidenceLine:
    return evidence_line(line.number, line.cue.start_ms, line.cue.speaker, line.cue.text, cited=line.cited)


def describe_change(before: datetime | None, after: policy.Deadline) -> str:
    """Describe in words how the deadline would change."""
    if after.at == before:
        if before is None:
            return _("The Space is on hold, so it has no deadline. This would not change anything now.")
        return _("The deadline would stay at {time}.").format(time=formatting.format_time(before))
    if after.at is None and before is not None:
        old = formatting.format_time(before)
        return _("There would be no deadline until the hold is released. Now it is {time}.").format(time=old)
    assert after.at is not None  # otherwise it would be as before
    new = formatting.format_time(after.at)
    if before is None:
        return _("The deadline would be {time}.").format(time=new)
    sentence = _("The deadline would move from {before} to {after}.")
    moves = sentence.format(before=formatting.format_time(before), after=new)
    return f"{moves} {formatting.describe_clock_change(before, after.at)}".rstrip()


def describe_release(space: Space, now: datetime, *, is_only_hold: bool) -> str:
    """Describe in words the effect of releasing a hold: now, and after the deadline. A release adds no days
    (archive/policy.py). Reads the holds and the violations of the Space."""
    if not is_only_hold:
        return _("Another hold is active, so there would be no deadline after the release either.")
    due = holds.if_released(space).at
    assert due is not None  # nothing else stops it
    values = {"time": formatting.format_time(due), "minutes": policy.MAX_DELETION_DELAY // timedelta(minutes=1)}
    if due <= now:
        sentence = _(
            "The deadline was {time}. It has passed, so after the release nobody could play or download the Space, and"
            " every copy would be deleted within {minutes} minutes."
        )
    else:
        sentence = _(
            "After the release, the deadline would be {time}. A release adds no days: if the hold is released after"
            " that time, every copy is deleted within {minutes} minutes."
        )
    return sentence.format(**values)


def rules() -> Any:
    """Return the rules that can be chosen."""
    return list_rules()


def reason_templates() -> list[dict[str, Any]]:
    """Return the reason templates by rule; rules without templates are left out."""
    by_rule = list_templates()
    return [{"rule": rule, "templates": by_rule[rule.code]} for rule in list_rules() if rule.code in by_rule]
