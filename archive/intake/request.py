"""What somebody wants taken in, and what is wrong with it before a single byte is read."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from archive import dbtime, policy
from archive.display.deadline_reasons import render_reason
from archive.errors import Refused, TooLate
from archive.models import User, current_policy

LONGEST_TITLE = 300  # characters
LONGEST_NAME = 100  # characters
MOST_COHOSTS = 2
MOST_SPEAKERS = 10
LANGUAGE = re.compile(r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$")


@dataclass(frozen=True)
class Request:
    """What somebody wants taken in. `ended_at` is aware. Names of co-hosts and speakers are as they were shown."""

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
    """The end in UTC. Raises Refused without a zone or in the future, TooLate when the deadline has passed already."""
    if ended_at.tzinfo is None:
        raise Refused(f"{ended_at.isoformat()} has no time zone: write the end as in 2026-11-22T14:05:00Z or +01:00.")
    try:
        ended_at = ended_at.astimezone(UTC)
    except OverflowError as error:
        raise Refused(f"{ended_at.isoformat()} is no time that the calendar has in UTC.") from error
    now = dbtime.now()
    if ended_at > now:
        raise Refused(f"The Space can't have ended at {ended_at:%Y-%m-%d %H:%M:%S} UTC: that is in the future.")
    deadline = policy.deadline(policy.Facts(ended_at), current_policy())
    if deadline.at is not None and deadline.at <= now:
        raise TooLate(
            f"The Space ended at {ended_at:%Y-%m-%d %H:%M} UTC, and its deadline was {deadline.at:%Y-%m-%d %H:%M} UTC. "
            f"{render_reason(deadline.reasons[0])} It can't be taken in any more."
        )
    return ended_at


def validate_text(request: Request) -> None:
    """Raises Refused for what the database could not hold, in words instead of a constraint's name."""
    if not LANGUAGE.match(request.language) or len(request.language) > 16:
        raise Refused(f"{request.language!r} is not a language tag such as en or pt-BR.")
    validate_facts(request.title, request.cohosts, request.speakers, (request.listeners_peak, request.listeners_total))


def validate_facts(
    title: str, cohosts: Sequence[str], speakers: Sequence[str], listeners: tuple[int | None, int | None]
) -> None:
    """What is said of a Space, whoever says it. `listeners`: peak and total. Raises Refused."""
    if len(title) > LONGEST_TITLE:
        raise Refused(f"The title has {len(title)} characters; at most {LONGEST_TITLE} fit.")
    if len(cohosts) > MOST_COHOSTS or len(speakers) > MOST_SPEAKERS:
        raise Refused(f"A Space has at most {MOST_COHOSTS} co-hosts and {MOST_SPEAKERS} speakers.")
    if any("\ud800" <= c <= "\udfff" for text in (title, *cohosts, *speakers) for c in text):
        raise Refused("The title, or the file's name that stands for it, is not valid text. Give --title.")
    if any(count is not None and not 0 <= count < 2**63 for count in listeners):
        raise Refused("Numbers of listeners are whole numbers from 0 on.")
    if any(not name.strip() or len(name) > LONGEST_NAME for name in (*cohosts, *speakers)):
        raise Refused(f"The name of somebody who spoke has 1 to {LONGEST_NAME} characters.")
