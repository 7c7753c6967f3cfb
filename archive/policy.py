"""The clock: until when a Space is kept, and why. The rule that everything else serves.

| situation                               | deadline                                                    |
|-----------------------------------------|-------------------------------------------------------------|
| no violation                            | ended_at + 30 days                                          |
| a violation stands                      | ended_at + 120 days (30 + 90; several do not stack)         |
| every violation was lifted              | ended_at + 30 days, but never before 7 days after the last  |
|                                         | lifting, and never after ended_at + 120 days                |
| a legal hold stands                     | none while it stands                                        |

Values in, deadline and reasons out: no clock, database or settings in here, so the rule can explain itself, be
property-tested, and be replayed from the log years later. A day is 24 hours of UTC; no calendar is involved.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

APPEAL_DAYS = 14  # until so many days before the deadline, a host may appeal


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
    """What the deadline depends on. Times are aware.

    `lifted_at` has one entry for each violation: the time at which it was lifted, or None while it stands
    (flagged, or its appeal denied or undecided). `held`: a legal hold stands; its release leaves no trace in here, so
    what applied before applies again.
    """

    ended_at: datetime
    lifted_at: Sequence[datetime | None] = ()
    held: bool = False

    def __post_init__(self) -> None:
        for moment in (self.ended_at, *self.lifted_at):
            if moment is not None and moment.tzinfo is None:
                raise ValueError(f"a time without a zone has no place in the clock: {moment.isoformat()}")


@dataclass(frozen=True)
class Deadline:
    """When the copies go (UTC; None while a hold stands), and why, one sentence a reason.

    `codes` has one for each of `reasons`, for the log and for colours: base, violation, lifted, lift-grace, lift-cap,
    hold.
    """

    at: datetime | None
    codes: tuple[str, ...]
    reasons: tuple[str, ...]

    @property
    def deadline_reasons(self) -> list[list[str]]:
        """[[code, reason], ...], as JSON keeps it."""
        return [[code, reason] for code, reason in zip(self.codes, self.reasons, strict=True)]


def days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


def deadline(facts: Facts, rule: RetentionPolicy) -> Deadline:
    """The deadline that `rule` gives for `facts`, with its reasons."""
    end = facts.ended_at.astimezone(UTC)
    base = end + timedelta(days=rule.retention_days)
    longest = base + timedelta(days=rule.violation_extra_days)
    kept = f"Every recording is kept for {days(rule.retention_days)} after its Space ended."

    if facts.held:
        return Deadline(None, ("hold",), ("A legal hold stands: nothing is deleted until it is released.",))
    if any(moment is None for moment in facts.lifted_at):
        total = rule.retention_days + rule.violation_extra_days
        more = (
            f"A rule violation stands, so it is kept for {days(rule.violation_extra_days)} more: {days(total)} in all."
        )
        return Deadline(longest, ("base", "violation"), (kept, more))

    lifted = [moment.astimezone(UTC) for moment in facts.lifted_at if moment is not None]
    if not lifted:
        return Deadline(base, ("base",), (kept,))
    back = "Every violation was lifted, so the first deadline applies again."
    grace = max(lifted) + timedelta(days=rule.lift_grace_days)
    if grace <= base:
        return Deadline(base, ("base", "lifted"), (kept, back))
    stay = (
        f"It stays for at least {days(rule.lift_grace_days)} after the lifting, so that the host can still download it."
    )
    if grace <= longest:
        return Deadline(grace, ("base", "lifted", "lift-grace"), (kept, back, stay))
    cap = f"It never stays longer than {days(rule.retention_days + rule.violation_extra_days)} after the end."
    return Deadline(longest, ("base", "lifted", "lift-grace", "lift-cap"), (kept, back, stay, cap))
