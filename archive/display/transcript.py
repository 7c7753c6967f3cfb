"""Transcript lines for pages: all of them beside the player, and those cited as evidence of a violation."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from archive import formatting
from archive.cues import Cue
from archive.models import Violation

SPEAKER_COLORS = 10  # classes v0 to v9 in the style sheets
NARROW_LINE, WIDE_LINE = 36, 90  # characters per line of text on a narrow and on a wide screen, roughly
SHORT_LINES = 10  # lines of text: less than a screen


@dataclass(frozen=True)
class CueRow:
    """A line of the transcript.

    `start` and `end` are seconds, as in `?t=`; `end` is empty if unknown. `voice` (0-9) is the color of the speaker.
    `turn`: the line before has another speaker.
    """

    stamp: str
    start: str
    end: str
    speaker: str
    text: str
    voice: int
    turn: bool


@dataclass(frozen=True)
class EvidenceLine:
    """A line of the transcript with its number.

    `t` is in seconds, as in `?t=`. `cited`: the line is evidence; otherwise it is context near evidence.
    """

    number: int
    t: str
    stamp: str
    speaker: str
    text: str
    cited: bool


def cue_rows(lines: Iterable[Cue]) -> list[CueRow]:
    """Return all lines, in order. Speakers get colors in the order in which they first speak."""
    rows, voices, speaker_before = [], dict[str, int](), None
    for cue in lines:
        voice = voices.setdefault(cue.speaker, len(voices) % SPEAKER_COLORS)
        start, end = format_seconds(cue.start_ms), format_seconds(cue.end_ms) if cue.end_ms else ""
        rows.append(
            CueRow(_stamp(cue.start_ms), start, end, cue.speaker, cue.text, voice, cue.speaker != speaker_before)
        )
        speaker_before = cue.speaker
    return rows


def describe_length(rows: Sequence[CueRow]) -> str:
    """Return a class of the style sheet: "short" if a player that stays in view would only hide the lines, on any
    screen; "short-wide" if it would do so on a wide one; or ""."""
    narrow, wide = (sum(1 + len(row.text) // line for row in rows) for line in (NARROW_LINE, WIDE_LINE))
    return "short" if narrow <= SHORT_LINES else "short-wide" if wide <= SHORT_LINES else ""


def evidence_lines(violation: Violation) -> list[EvidenceLine]:
    """Return the lines that were stored when the Space was flagged."""
    return [evidence_line(line["line"], line["start_ms"], line["speaker"], line["text"]) for line in violation.evidence]


def evidence_line(number: int, start_ms: int, speaker: str, text: str, *, cited: bool = True) -> EvidenceLine:
    return EvidenceLine(number, format_seconds(start_ms), _stamp(start_ms), speaker, text, cited)


def format_seconds(milliseconds: int) -> str:
    """Format seconds with as many decimals as needed: 33000 is 33, 33120 is 33.12."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds}.{rest:03}".rstrip("0") if rest else str(seconds)


def _stamp(milliseconds: int) -> str:
    return formatting.format_duration(milliseconds // 1000)
