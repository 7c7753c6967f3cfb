"""Evidence: lines of a transcript, by their numbers from 1. What they say is copied into the violation."""

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from archive import cues
from archive.cues import Cue
from archive.errors import Refused
from archive.models import Space, Transcript, Violation

MOST_LINES = 200
MOST_CHARACTERS = 50_000
AROUND_MS = 30_000
PART = re.compile(r"(\d{1,6})(?:\s*[-\u2013]\s*(\d{1,6}))?")


@dataclass(frozen=True)
class Lines:
    """Lines of the Space's transcript with this number: the newest may be another one by now."""

    transcript: int
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class ContextLine:
    """A line of the transcript near the evidence. `cited`: it is part of it."""

    number: int
    cue: Cue
    cited: bool


def parse(typed: str) -> tuple[int, ...]:
    """ "12, 14-16" is 12, 14, 15, 16: in order, each once. Raises Refused for anything else, and for too many."""
    found: set[int] = set()
    for part in filter(None, (part.strip() for part in re.split(r"[,;\n]", typed))):
        read = PART.fullmatch(part)
        if read is None:
            raise Refused("evidence.not_a_line", text=part[:40])
        first, last = int(read[1]), int(read[2] or read[1])
        if last < first or last - first >= MOST_LINES:
            raise Refused("evidence.bad_range", text=part, limit=MOST_LINES)
        found.update(range(first, last + 1))
    if len(found) > MOST_LINES:
        raise Refused("evidence.too_many_lines", count=len(found), limit=MOST_LINES)
    return tuple(sorted(found))


def copy_lines(space: Space, lines: Lines) -> list[dict[str, Any]]:
    """The lines as a violation keeps them. Raises Refused for a line that there is not, and for too many words."""
    kept = space.transcripts.filter(number=lines.transcript).first()
    if kept is None:
        raise Refused("evidence.no_transcript")
    for number in lines.numbers:
        if not 1 <= number <= len(kept.cues):
            raise Refused("evidence.no_such_line", line=number, count=len(kept.cues))
    found = [{"line": number, **asdict(Cue(**kept.cues[number - 1]))} for number in lines.numbers]
    if sum(len(line["text"]) for line in found) > MOST_CHARACTERS:
        raise Refused("evidence.too_long", limit=MOST_CHARACTERS)
    return found


def context_lines(violations: Iterable[Violation]) -> dict[int, list[ContextLine]]:
    """{violation's id: the evidence with what was said up to 30 seconds before and after}, in one query. Where that
    transcript is no longer there, only the words that were kept."""
    asked = [violation for violation in violations if violation.evidence]
    kept = {
        (transcript.space_id, transcript.number): cues.load(transcript.cues)
        for transcript in Transcript.objects.filter(space__in={violation.space_id for violation in asked})
        if any((v.space_id, v.evidence_transcript_number) == (transcript.space_id, transcript.number) for v in asked)
    }
    return {v.pk: _near(v, kept.get((v.space_id, v.evidence_transcript_number or 0), [])) for v in asked}


def _near(violation: Violation, spoken: list[Cue]) -> list[ContextLine]:
    cited = {line["line"]: line for line in violation.evidence}
    if len(spoken) < max(cited):
        spoken = []
    places = [
        (line["start_ms"] - AROUND_MS, max(line["start_ms"], line["end_ms"]) + AROUND_MS) for line in cited.values()
    ]
    near = {
        number: cue
        for number, cue in enumerate(spoken, 1)
        if any(start <= cue.start_ms <= end for start, end in places)
    }
    near |= {n: Cue(**{k: v for k, v in line.items() if k != "line"}) for n, line in cited.items()}
    return [ContextLine(number, near[number], number in cited) for number in sorted(near)]
