"""The retention rule: when a Space is deleted, and why. Everything else serves this rule.

| situation                               | deadline                                                    |
|-----------------------------------------|-------------------------------------------------------------|
| no violation                            | ended_at + 30 days                                          |
| a violation is standing or appealed     | ended_at + 120 days (30 + 90; several do not stack)         |
| every violation was lifted              | ended_at + 30 days, but never before 7 days after the last  |
|                                         | lifting, and never after ended_at + 120 days                |
| on legal hold                           | none until the hold is released                             |

A pure function from facts to a deadline with its reasons. It reads no clock, database or settings, so it can be
property-tested and replayed from the log years later. A day is 24 hours of UTC; no calendar is involved.

Reasons are codes with numbers, never sentences: they are stored, and archive/display/deadline_reasons.py renders them.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

APPEAL_DAYS = 14  # a host may appeal until this many days before the deadline
ABANDONED_AFTER = timedelta(hours=24)  # an upload without progress for this long is discarded
MAX_DELETION_DELAY = timedelta(minutes=15)  # all copies are deleted at most this long after the deadline


@dataclass(frozen=True)
class RetentionPolicy:
    """The three numbers of the rule, in days of 24 hours."""

    retention_days: int = 30
    violation_extra_days: int = 90
    lift_grace_days: int = 7

    def __post_init__(self) -> None:
        if self.retention_days < 1 or self.violation_extra_days < 0 or self.lift_grace_days < 0:
            raise ValueError(f"a retention rule counts days forward: {self}")


@dataclass(frozen=True)
class Facts:
    """The inputs of a deadline. Times are aware.

    `lifted_at` has one entry for each violation: the time at which it was lifted, or None while it is standing
    (flagged, or its appeal denied or undecided). `held`: the Space is on legal hold; a released hold leaves no trace
    here, so the previous deadline applies again.
    """

    ended_at: datetime
    lifted_at: Sequence[datetime | None] = ()
    held: bool = False

    def __post_init__(self) -> None:
        for moment in (self.ended_at, *self.lifted_at):
            if moment is not None and moment.tzinfo is None:
                raise ValueError(f"naive datetime: {moment.isoformat()}")


class ReasonCode(StrEnum):
    """The reasons for a deadline. Stored in rows, log entries and certificates."""

    BASE = "base"
    VIOLATION = "violation"
    LIFTED = "lifted"
    LIFT_GRACE = "lift-grace"
    LIFT_CAP = "lift-cap"
    HOLD = "hold"


@dataclass(frozen=True)
class Reason:
    """One reason for a deadline.

    `days` is the policy's number that the reason applies; `total_days` counts from the end of the Space when it is the
    sum of several numbers. None: the reason has no such number.
    """

    code: str
    days: int | None = None
    total_days: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return {"code": ..., "days": ..., "total_days": ...} without the numbers that are None."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class Deadline:
    """When all copies are deleted (UTC; None while on hold), and the reasons in reading order."""

    at: datetime | None
    reasons: tuple[Reason, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the reasons, for the log and for choosing colors."""
        return tuple(str(reason.code) for reason in self.reasons)

    def reasons_as_json(self) -> list[dict[str, Any]]:
        """Return the reasons in the format of `Space.deadline_reasons`."""
        return [reason.as_json() for reason in self.reasons]


def appeal_closes(expires_at: datetime | None) -> datetime | None:
    """Return the last time to appeal (UTC): 14 days before the deadline, which leaves time to decide. None on hold,
    since there is no deadline."""
    return None if expires_at is None else expires_at - timedelta(days=APPEAL_DAYS)


def deadline(facts: Facts, rule: RetentionPolicy) -> Deadline:
    """Compute the deadline that `rule` gives for `facts`, with its reasons."""
    end = facts.ended_at.astimezone(UTC)
    base = end + timedelta(days=rule.retention_days)
    longest = base + timedelta(days=rule.violation_extra_days)
    total_days = rule.retention_days + rule.violation_extra_days
    base_reason = Reason(ReasonCode.BASE, days=rule.retention_days)

    if facts.held:
        return Deadline(None, (Reason(ReasonCode.HOLD),))
    if any(moment is None for moment in facts.lifted_at):
        violation = Reason(ReasonCode.VIOLATION, days=rule.violation_extra_days, total_days=total_days)
        return Deadline(longest, (base_reason, violation))

    lifted = [moment.astimezone(UTC) for moment in facts.lifted_at if moment is not None]
    if not lifted:
        return Deadline(base, (base_reason,))
    reasons: tuple[Reason, ...] = (base_reason, Reason(ReasonCode.LIFTED))
    grace = max(lifted) + timedelta(days=rule.lift_grace_days)
    if grace <= base:
        return Deadline(base, reasons)
    reasons = (*reasons, Reason(ReasonCode.LIFT_GRACE, days=rule.lift_grace_days))
    if grace <= longest:
        return Deadline(grace, reasons)
    return Deadline(longest, (*reasons, Reason(ReasonCode.LIFT_CAP, total_days=total_days)))
