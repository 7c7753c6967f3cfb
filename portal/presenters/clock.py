"""What pages show of a Space: its clock, its length, its story. Plain values for templates; no request in here."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from archive import formatting
from archive.display.deadline_reasons import render_reasons
from archive.display.space import ClockFace, marks
from archive.log import events
from archive.models import LogEntry, Notice, Recording, Rule, Space, current_policy

SOON = timedelta(days=7)
URGENT = timedelta(days=1)
HELD = "nothing is deleted until the hold is released"


def format_time_left(left: timedelta) -> str:
    """ "24 days left", "5 hours left", "3 minutes left": whole units, rounded down, so never more than there is."""
    for unit, length in (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1))):
        count = left // length
        if count >= 2 or (count == 1 and unit == "minute"):
            return f"{count} {unit}{'s' if count > 1 else ''} left"
    return "less than a minute left"


def clock_face(space: Space, now: datetime) -> ClockFace:
    if space.state == Space.State.DELETED:
        deleted = space.deleted_at or now
        return ClockFace(
            "gone", "Deleted", f"deleted on {formatting.format_time(deleted)}", space.ended_at, deleted, 100.0
        )
    due = space.stored_deadline()
    until = space.expires_at
    if until is None:
        return ClockFace(
            "kept", "Kept: a legal hold stands", HELD, space.ended_at, None, 100.0, [], render_reasons(due)
        )
    total, passed = until - space.ended_at, now - space.ended_at
    percent = round(min(max(passed / total * 100, 0), 100), 2)
    marked = marks(space.ended_at, until, _deleting_days())
    if space.is_gone(now):
        return ClockFace(
            "gone",
            "Being deleted",
            f"its deadline was {formatting.format_time(until)}",
            space.ended_at,
            until,
            100.0,
            marked,
        )
    left = until - now
    tone = "urgent" if left <= URGENT else "soon" if left <= SOON else "kept" if "violation" in due.codes else "calm"
    sentence = f"will be deleted on {formatting.format_time(until)}"
    return ClockFace(
        tone, format_time_left(left), sentence, space.ended_at, until, percent, marked, render_reasons(due)
    )


def _deleting_days() -> tuple[int, int]:
    """The days at which the rule may delete, without and with a violation."""
    rule = current_policy()
    return rule.retention_days, rule.retention_days + rule.violation_extra_days


def length(recording: Recording | None) -> str:
    return formatting.format_duration(recording.duration_ms / 1000) if recording else ""


@dataclass(frozen=True)
class LogLine:
    """An entry of the log as people read it."""

    at: datetime
    event: str
    label: str
    space_id: object
    actor: str
    summary: str
    facts: list[tuple[str, str]]
    removed: list[dict[str, Any]]


@dataclass(frozen=True)
class HistoryLine:
    """One line of a Space's history for its host."""

    at: datetime
    label: str
    note: str


# What a host reads of their Space's story; the auditors' log has everything.
TOLD = (
    events.SPACE_REGISTERED,
    events.SPACE_AVAILABLE,
    events.VIOLATION_FLAGGED,
    events.VIOLATION_LIFTED,
    events.VIOLATION_APPEALED,
    events.APPEAL_DENIED,
    events.APPEAL_GRANTED,
    events.HOLD_PLACED,
    events.HOLD_RELEASED,
    events.DEADLINE_MOVED,
    events.BUNDLE_READY,
    events.BUNDLE_FAILED,
)


def history(space: Space, most: int = 50) -> list[HistoryLine]:
    """The newest first."""
    entries = LogEntry.objects.filter(space_id=space.pk, event__in=TOLD).order_by("-id")[:most]
    rules = dict(Rule.objects.values_list("code", "name"))

    def note(entry: LogEntry) -> str:
        flagged = entry.event == events.VIOLATION_FLAGGED
        return rules.get(entry.detail["rule"], entry.detail["rule"]) if flagged else _summary(entry.event, entry.detail)

    return [HistoryLine(entry.at, events.WORDS[entry.event], note(entry)) for entry in entries]


def log_line(entry: LogEntry, names: dict[int, str]) -> LogLine:
    """`names` gives the user names of actors that still exist; the log itself holds ids only."""
    if entry.actor_id is None:
        actor = "Spacekeep" if entry.actor_kind == "system" else entry.actor_kind
    else:
        actor = names.get(entry.actor_id, f"user {entry.actor_id}")
    detail = dict(entry.detail)
    removed = detail.pop("removed", [])
    facts = [(key.replace("_", " "), _plain(value)) for key, value in detail.items()]
    return LogLine(
        at=entry.at,
        event=entry.event,
        label=events.WORDS.get(entry.event, entry.event),
        space_id=entry.space_id,
        actor=actor,
        summary=_summary(entry.event, entry.detail),
        facts=facts,
        removed=removed,
    )


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key.replace('_', ' ')} {_plain(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return "; ".join(_plain(inner) for inner in value)
    return str(value)


def _summary(event: str, detail: dict[str, Any]) -> str:
    """The one thing that one wants to know of this entry."""
    match event:
        case events.SPACE_REGISTERED:
            return f"kept until {_when(detail['deadline'])}"
        case events.SPACE_RECEIVED:
            lasts = f", {formatting.format_duration(detail['duration_ms'] / 1000)}" if "duration_ms" in detail else ""
            return formatting.format_size(detail["size"]) + lasts  # its length is not known before it was listened to
        case events.UPLOAD_OPENED:
            return f"{detail['kind']}, {formatting.format_size(detail['size'])}"
        case events.DEADLINE_MOVED:
            return f"from {_when(detail['before'])} to {_when(detail['after'])}"
        case events.VIOLATION_FLAGGED:
            return f"rule {detail['rule']}"
        case (
            events.NOTICE_REQUEUED
            | events.NOTICE_SENT
            | events.NOTICE_WEB_ONLY
            | events.NOTICE_OBSOLETE
            | events.NOTICE_FAILED
        ):
            return Notice.Kind(detail["kind"]).label
        case events.HOLD_PLACED | events.HOLD_RELEASED:
            return f"hold {detail['hold']}"
        case events.BUNDLE_READY:
            return formatting.format_size(detail["size"])
        case events.DELETION_STARTED:
            return f"deadline {_when(detail['deadline'])}"
        case events.SPACE_DELETED:
            objects = formatting.format_count(len(detail["removed"]), "object")
            return f"{objects}, seen empty at {_when(detail['listed_empty_at'])}"
        case _:
            return ""


def _when(text: str | None) -> str:
    return formatting.format_time(datetime.fromisoformat(text)) if text else "no deadline"
