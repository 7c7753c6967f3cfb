"""Validate a request to ingest a recording, before any byte is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from archive import dbtime, policy
from archive.errors import Problem, Refused, TooLate
from archive.language_tags import is_language_tag
from archive.models import User, current_policy
from archive.models.space import MAX_COHOSTS, MAX_SPEAKERS

LONGEST_TITLE = 300  # characters
LONGEST_NAME = 100  # characters
CLOCK_TOLERANCE = timedelta(minutes=1)  # how far a recorder's clock may be ahead of the database's


@dataclass(frozen=True)
class Request:
    """A recording to ingest, with its facts. `ended_at` is aware; names are display names."""

    recording: Path
    host: User
    ended_at: datetime
    title: str = ""
    transcript: Path | None = None
    language: str = "und"
    audience: str = ""
    cohosts: tuple[str, ...] = ()
    speakers: tuple[str, ...] = ()
    listeners_peak: int | None = None
    listeners_total: int | None = None
    accept_short: bool = False
    skip_bad_transcript: bool = False
    lenient_transcript: bool = False
    transcribe: bool = False


def validate_ended_at(ended_at: datetime) -> datetime:
    """Return `ended_at` in UTC, at most the present time. Raises Refused if it is naive or in the future by more than
    CLOCK_TOLERANCE, TooLate if the deadline has passed."""
    if ended_at.tzinfo is None:
        raise Refused("intake.no_time_zone", ended_at=ended_at.isoformat())
    try:
        ended_at = ended_at.astimezone(UTC)
    except OverflowError as error:
        raise Refused("intake.time_out_of_range", ended_at=ended_at.isoformat()) from error
    now = dbtime.now()
    if ended_at > now + CLOCK_TOLERANCE:
        raise Refused("intake.end_in_future", ended_at=ended_at)
    ended_at = min(ended_at, now)
    deadline = policy.deadline(policy.Facts(ended_at), current_policy())
    if deadline.at is not None and deadline.at <= now:
        kept = deadline.reasons[0].days
        raise TooLate("intake.deadline_passed", ended_at=ended_at, days=kept, deadline=deadline.at)
    return ended_at


def find_end_problem(ended_at: datetime) -> Problem:
    """Return why no recording with this end can be accepted, or {}."""
    try:
        validate_ended_at(ended_at)
    except Refused as error:  # includes TooLate
        return error.problem
    return {}


def validate_text(request: Request) -> None:
    """Check language, title, names and counts. Raises Refused for what the database would reject."""
    if not is_language_tag(request.language):
        raise Refused("upload.bad_language", language=request.language)
    validate_facts(request.title, request.cohosts, request.speakers, (request.listeners_peak, request.listeners_total))


def validate_facts(
    title: str, cohosts: Sequence[str], speakers: Sequence[str], listeners: tuple[int | None, int | None]
) -> None:
    """Check the facts of a Space, from whatever source. `listeners` is (peak, total). Raises Refused."""
    if len(title) > LONGEST_TITLE:
        raise Refused("intake.title_too_long", length=len(title), limit=LONGEST_TITLE)
    if len(cohosts) > MAX_COHOSTS or len(speakers) > MAX_SPEAKERS:
        raise Refused("intake.too_many_participants", cohosts=MAX_COHOSTS, speakers=MAX_SPEAKERS)
    if any("\ud800" <= c <= "\udfff" for text in (title, *cohosts, *speakers) for c in text):
        raise Refused("intake.invalid_text")
    if any(count is not None and not 0 <= count < 2**63 for count in listeners):
        raise Refused("intake.listeners_invalid")
    if any(not name.strip() or len(name) > LONGEST_NAME for name in (*cohosts, *speakers)):
        raise Refused("intake.name_invalid", limit=LONGEST_NAME)
