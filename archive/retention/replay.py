"""Replay the retention log: recompute every deadline with archive/policy.py and report entries that disagree.

`judge` is a pure function from entries to findings: it reads no database, store, settings or clock. The policy in force
is in the log beside each deadline, so this works years later.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from archive import dbtime, formatting, policy
from archive.log import events
from archive.models import LogEntry

READ = (*events.DECISIONS, events.SPACE_RECEIVED, events.DELETION_STARTED, events.SPACE_DELETED)
PAGE = 500  # Spaces whose entries are read at a time


@dataclass(frozen=True)
class Entry:
    id: int
    at: datetime
    event: str
    detail: dict[str, Any]


@dataclass(frozen=True)
class Finding:
    """`kind`: early, late, without a reason, or wrong (not the deadline of the policy). `entry`: the id of the log
    entry; None if it is missing in the log."""

    space: UUID
    kind: str
    text: str
    entry: int | None = None


@dataclass
class SpaceHistory:
    """The state of a Space after its entries so far. `changed`: when the facts of its deadline last changed."""

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
        """The deadline by the policy; None while on hold. Requires that the Space was registered."""
        assert self.ended_at is not None
        facts = policy.Facts(self.ended_at, tuple(self.lifted.values()), bool(self.holds))
        return policy.deadline(facts, self.rule).at

    @property
    def latest(self) -> datetime | None:
        """The latest time for the end of the deletion: a change may set a deadline in the past."""
        due = self.began if self.why == "abandoned" else self.deadline
        return due and max(due, self.changed or due) + policy.MAX_DELETION_DELAY


def judge(space: UUID, entries: Sequence[Entry], now: datetime) -> list[Finding]:
    """Return every deviation from the policy in the entries of one Space, oldest first."""
    history = SpaceHistory()
    findings = [Finding(space, *wrong, entry.id) for entry in entries if (wrong := _read(history, entry))]
    if history.ended_at and not history.deleted and (latest := history.latest) and now > latest:
        findings.append(
            Finding(space, "late", f"It had to be deleted by {formatting.format_time(latest)}, and is not.")
        )
    return findings


def _read(history: SpaceHistory, entry: Entry) -> tuple[str, str] | None:
    """Like `_apply`, but an entry with unreadable details is a deviation, and leaves the history as it was."""
    before = replace(history, lifted=dict(history.lifted), holds=set(history.holds))
    try:
        found = _apply(history, entry)
        _ = history.ended_at and history.latest
    except (KeyError, TypeError, ValueError, OverflowError):
        vars(history).update(vars(before))
        return "wrong", f"The details of {entry.event} cannot be read."
    return found


def _time(text: str) -> datetime:
    """Parse a time of the log. Raises ValueError if it has no time zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"a time without a zone: {text}")
    return moment


def _apply(history: SpaceHistory, entry: Entry) -> tuple[str, str] | None:
    """Apply an entry to the history. Returns (kind, text) if it deviates."""
    detail = entry.detail
    if entry.event == events.SPACE_REGISTERED:
        history.ended_at, history.opened = _time(detail["ended_at"]), entry.at
        return _decided(history, detail, detail["deadline"])
    if history.ended_at is None:
        return "without a reason", f"{entry.event}, but the log does not say when the Space ended."
    match entry.event:
        case events.VIOLATION_FLAGGED:
            history.lifted[str(detail["violation"])] = None
        case events.VIOLATION_LIFTED:
            history.lifted[str(detail["violation"])] = _time(detail["lifted_at"])
        case events.HOLD_PLACED:
            history.holds.add(str(detail["hold"]))
        case events.HOLD_RELEASED:
            history.holds.discard(str(detail["hold"]))
        case events.SPACE_RECEIVED:
            history.received = True
            return None
        case events.DEADLINE_MOVED:
            history.changed = entry.at
            return _decided(history, detail, detail["after"])
        case events.DELETION_STARTED:
            return _began(history, entry)
        case events.SPACE_DELETED:
            return _deleted(history, entry)
    history.changed = entry.at
    return None


def _decided(history: SpaceHistory, detail: dict[str, Any], recorded: str | None) -> tuple[str, str] | None:
    if "policy" in detail:
        history.rule = policy.RetentionPolicy(**detail["policy"])
    expected, actual = history.deadline, _time(recorded) if recorded else None
    return (
        None
        if expected == actual
        else ("wrong", f"The deadline was set to {_when(actual)}; the rule gives {_when(expected)}.")
    )


def _began(history: SpaceHistory, entry: Entry) -> tuple[str, str] | None:
    history.began, history.why = entry.at, entry.detail.get("why", "")
    if history.holds:
        return "early", "Its deletion began while a legal hold stood."
    due = history.deadline
    if history.why == "abandoned":
        assert history.opened is not None
        if history.received or entry.at < history.opened + policy.ABANDONED_AFTER:
            return "without a reason", "It was discarded as abandoned, and was not."
        return None
    if history.why != "deadline":
        return "without a reason", "Its deletion began, and the log does not say why."
    if due is None or entry.at < due:
        return "early", f"Its deletion began at {formatting.format_time(entry.at)}; its deadline was {_when(due)}."
    return None


def _deleted(history: SpaceHistory, entry: Entry) -> tuple[str, str] | None:
    again, history.deleted = history.deleted, True
    if history.began is None:
        return "without a reason", "It was deleted, but its deletion never began."
    if again:
        return "without a reason", "It was deleted a second time."
    if (latest := history.latest) and entry.at > latest:
        return (
            "late",
            f"It had to be deleted by {formatting.format_time(latest)}, and was at {formatting.format_time(entry.at)}.",
        )
    return None


def _when(moment: datetime | None) -> str:
    return formatting.format_time(moment) if moment else "none"


def replay() -> Iterator[tuple[UUID, list[Finding]]]:
    """Yield every Space in the log, with its deviations."""
    for space_ids in _pages():
        now = dbtime.now()
        rows = LogEntry.objects.filter(event__in=READ, space_id__in=space_ids).order_by("space_id", "id")
        columns = rows.values_list("space_id", "id", "at", "event", "detail")
        for space_id, entries in groupby(columns, lambda row: row[0]):
            assert space_id is not None
            yield space_id, judge(space_id, [Entry(*row[1:]) for row in entries], now)


def _pages() -> Iterator[list[UUID | None]]:
    """Yield the ids of all Spaces in the log, PAGE at a time. No server-side cursor: behind a transaction pooler it
    would need one transaction for the whole replay."""
    ids = LogEntry.objects.filter(space_id__isnull=False).order_by("space_id").values_list("space_id", flat=True)
    page = list(ids.distinct()[:PAGE])
    while page:
        yield page
        page = list(ids.filter(space_id__gt=page[-1]).distinct()[:PAGE])
