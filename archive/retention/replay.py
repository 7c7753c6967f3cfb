"""Judging the log by the log alone: every deadline is computed again with archive/policy.py, years later if need be.

Entries in, findings out: no database, no store, no settings, no clock in `judge`. The policy that was in force is in
the log, beside each deadline that it gave.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from archive import dbtime, formatting, policy
from archive.log import events
from archive.models import LogEntry

READ = (*events.DECISIONS, events.SPACE_RECEIVED, events.DELETION_STARTED, events.SPACE_DELETED)


@dataclass(frozen=True)
class Entry:
    id: int
    at: datetime
    event: str
    detail: dict[str, Any]


@dataclass(frozen=True)
class Finding:
    """`kind`: early, late, without a reason, wrong (a deadline that the rule did not give). `entry`: None where the log
    lacks one."""

    space: UUID
    kind: str
    said: str
    entry: int | None = None


@dataclass
class SpaceHistory:
    """What the log has told of a Space so far. `changed`: when what its deadline depends on changed last."""

    ended_at: datetime | None = None
    rule: policy.RetentionPolicy = field(default_factory=policy.RetentionPolicy)
    lifted: dict[str, datetime | None] = field(default_factory=dict)
    holds: set[str] = field(default_factory=set)
    opened: datetime | None = None
    changed: datetime | None = None
    received: bool = False
    began: datetime | None = None
    why: str = ""
    deleted: bool = False

    @property
    def deadline(self) -> datetime | None:
        """What the rule gives; None while a hold stands. The Space was opened."""
        assert self.ended_at is not None
        facts = policy.Facts(self.ended_at, tuple(self.lifted.values()), bool(self.holds))
        return policy.deadline(facts, self.rule).at

    @property
    def latest(self) -> datetime | None:
        """Until when the deletion has to be done: a change may bring a deadline that is past already."""
        due = self.began if self.why == "abandoned" else self.deadline
        return due and max(due, self.changed or due) + policy.MAX_DELETION_DELAY


def judge(space: UUID, entries: Sequence[Entry], now: datetime) -> list[Finding]:
    """All that is not as the rule says, for one Space. `entries` are its own, oldest first."""
    story = SpaceHistory()
    found = [Finding(space, *said, entry.id) for entry in entries if (said := _read(story, entry))]
    if story.ended_at and not story.deleted and (latest := story.latest) and now > latest:
        found.append(Finding(space, "late", f"It had to be deleted by {formatting.format_time(latest)}, and is not."))
    return found


def _read(story: SpaceHistory, entry: Entry) -> tuple[str, str] | None:
    """Take the entry in. What is wrong with it, as (kind, words)."""
    detail = entry.detail
    if entry.event == events.SPACE_REGISTERED:
        story.ended_at, story.opened = datetime.fromisoformat(detail["ended_at"]), entry.at
        return _decided(story, detail, detail["deadline"])
    if story.ended_at is None:
        return "without a reason", f"{entry.event}, but the log does not say when the Space ended."
    match entry.event:
        case events.VIOLATION_FLAGGED:
            story.lifted[str(detail["violation"])] = None
        case events.VIOLATION_LIFTED:
            story.lifted[str(detail["violation"])] = datetime.fromisoformat(detail["lifted_at"])
        case events.HOLD_PLACED:
            story.holds.add(str(detail["hold"]))
        case events.HOLD_RELEASED:
            story.holds.discard(str(detail["hold"]))
        case events.SPACE_RECEIVED:
            story.received = True
            return None
        case events.DEADLINE_MOVED:
            story.changed = entry.at
            return _decided(story, detail, detail["after"])
        case events.DELETION_STARTED:
            return _began(story, entry)
        case events.SPACE_DELETED:
            return _deleted(story, entry)
    story.changed = entry.at
    return None


def _decided(story: SpaceHistory, detail: dict[str, Any], recorded: str | None) -> tuple[str, str] | None:
    if "policy" in detail:
        story.rule = policy.RetentionPolicy(**detail["policy"])
    given, said = story.deadline, datetime.fromisoformat(recorded) if recorded else None
    return (
        None if given == said else ("wrong", f"The deadline was set to {_when(said)}; the rule gives {_when(given)}.")
    )


def _began(story: SpaceHistory, entry: Entry) -> tuple[str, str] | None:
    story.began, story.why = entry.at, entry.detail.get("why", "")
    if story.holds:
        return "early", "Its deletion began while a legal hold stood."
    due = story.deadline
    if story.why == "abandoned":
        assert story.opened is not None
        if story.received or entry.at < story.opened + policy.ABANDONED_AFTER:
            return "without a reason", "It was discarded as abandoned, and was not."
        return None
    if story.why != "deadline":
        return "without a reason", "Its deletion began, and the log does not say why."
    if due is None or entry.at < due:
        return "early", f"Its deletion began at {formatting.format_time(entry.at)}; its deadline was {_when(due)}."
    return None


def _deleted(story: SpaceHistory, entry: Entry) -> tuple[str, str] | None:
    again, story.deleted = story.deleted, True
    if story.began is None:
        return "without a reason", "It was deleted, but its deletion never began."
    if again:
        return "without a reason", "It was deleted a second time."
    if (latest := story.latest) and entry.at > latest:
        return (
            "late",
            f"It had to be deleted by {formatting.format_time(latest)}, and was at {formatting.format_time(entry.at)}.",
        )
    return None


def _when(moment: datetime | None) -> str:
    return formatting.format_time(moment) if moment else "none"


def replay() -> Iterator[tuple[UUID, list[Finding]]]:
    """Every Space that the log speaks of, with what is not as the rule says."""
    now = dbtime.now()
    rows = LogEntry.objects.filter(event__in=READ, space_id__isnull=False).order_by("space_id", "id")
    columns = rows.values_list("space_id", "id", "at", "event", "detail").iterator(chunk_size=5000)
    for space_id, entries in groupby(columns, lambda row: row[0]):
        assert space_id is not None
        yield space_id, judge(space_id, [Entry(*row[1:]) for row in entries], now)
