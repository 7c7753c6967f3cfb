"""Parse times, and recognize the line that holds the times of a cue, in the same way for all formats.

The fraction of a second is a decimal fraction of any length, after a point or a comma: ",46" is 460 ms, ".250000" is
250 ms. Hours may be missing or have many digits, the fraction may be missing, and blanks may be beside the colons, as
machine translation leaves them. Minutes beyond 59 are accepted without hours (LRC), seconds beyond 59 never.
"""

import math
import re
from typing import Any, NamedTuple

MAX_MS = 7 * 86_400_000  # milliseconds: no recording is longer

CLOCK = r"(?:(\d{1,9}) ?: ?)?(\d{1,4}) ?: ?(\d{1,2})(?!\d| ?:)(?: ?[.,] ?(\d+))?"
ARROW = r"(?:-{1,3} ?>|[\u2013—=]{1,2}>|[→⟶])"
TIMING = re.compile(rf"\s*{CLOCK}\s*{ARROW}\s*{CLOCK}(?=\s|$)(.*)", re.DOTALL)
SBV_TIMING = re.compile(r"\s*(\d{1,9}:\d{1,2}:\d{1,2}\.\d+)\s*,\s*(\d{1,9}:\d{1,2}:\d{1,2}\.\d+)\s*")
START = re.compile(rf"\s*{CLOCK}\s*{ARROW}")
# After the times: WebVTT's settings, those of its first drafts, and SubRip's coordinates. Anything else is text.
SETTINGS = re.compile(r"(?:\s+(?:align|line|position|region|size|vertical|[adlst]|[xy][12]):\S+)*\s*", re.IGNORECASE)
NUMBER = re.compile(r"\s*(-?\d{1,20}(?:\.\d*)?|-?\.\d+)\s*s?\s*")


class Span(NamedTuple):
    """The times of a cue in milliseconds, and the text after them on the same line, without settings."""

    start_ms: int
    end_ms: int
    text: str


def find_span(line: str) -> Span | None:
    """Return the times if this line begins with those of a cue, else None."""
    if ":" not in line:
        return None
    if match := TIMING.match(line):
        start, end, rest = _clock(match.groups()[:4]), _clock(match.groups()[4:8]), match[9]
        if start is not None and end is not None:
            return Span(start, end, "" if SETTINGS.fullmatch(rest) else rest)
    elif match := SBV_TIMING.fullmatch(line):
        start, end = parse_clock(match[1]), parse_clock(match[2])
        if start is not None and end is not None:
            return Span(start, end, "")
    return None


def has_arrow(line: str) -> bool:
    """Return whether the line has the arrow of WebVTT and SRT, even if its times can't be read."""
    return "-->" in line


def find_start(line: str) -> int | None:
    """Return the time before the arrow in milliseconds, for lines whose other time can't be read."""
    match = START.match(line)
    return _clock(match.groups()) if match else None


def parse_clock(text: str) -> int | None:
    """Parse a time such as 1:02:03.5 or 02:03 to milliseconds, or return None."""
    match = re.fullmatch(rf"\s*{CLOCK}\s*", text)
    return _clock(match.groups()) if match else None


def parse_seconds(value: Any) -> int | None:
    """Parse a number of seconds, as a number or as text ("1.5", "1.5s", "00:00:01,500"), to milliseconds.

    Returns None for anything else. Huge values are reduced to twice MAX_MS, which callers refuse.
    """
    if isinstance(value, str):
        match = NUMBER.fullmatch(value)
        if match is None:
            return parse_clock(value)
        value = float(match[1])
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return round(max(-MAX_MS, min(value * 1000, 2 * MAX_MS)))


def parse_fraction(digits: str | None) -> int:
    """Convert the digits of a decimal fraction of a second to milliseconds: "5" is 500, "0004" is 0."""
    return (int((digits or "")[:6].ljust(6, "0")) + 500) // 1000


def _clock(parts: tuple[str | None, ...]) -> int | None:
    hours, minutes, seconds, fraction = parts
    if int(seconds or 0) > 59 or (hours is not None and int(minutes or 0) > 59):
        return None
    return ((int(hours or 0) * 60 + int(minutes or 0)) * 60 + int(seconds or 0)) * 1000 + parse_fraction(fraction)
