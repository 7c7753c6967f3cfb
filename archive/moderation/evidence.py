"""Evidence of a flag: lines of a transcript, by number from 1. Their text is copied into the violation."""

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from archive import cues
from archive.cues import Cue
from archive.errors import Refused
from archive.models import Space, Transcript, User, Violation

MAX_LINES = 200
MAX_CHARACTERS = 50_000
AROUND_MS = 30_000
PART = re.compile(r"(\d{1,6})(?:\s*[-\u2013]\s*(\d{1,6}))?")


@dataclass(frozen=True)
class Lines:
    """Numbers of lines in the transcript with the number `transcript`, which may not be the newest."""

    transcript: int
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class ContextLine:
    """A line of the transcript near the evidence. `cited`: it belongs to the evidence."""

    number: int
    cue: Cue
    cited: bool


def parse(typed: str) -> tuple[int, ...]:
    """Parse "12, 14-16" as (12, 14, 15, 16), in order and without duplicates. Raises Refused for other text and for too
    many lines."""
    numbers: set[int] = set()
    for part in filter(None, (part.strip() for part in re.split(r"[,;\n]", typed))):
        match = PART.fullmatch(part)
        if match is None:
            raise Refused("evidence.not_a_line", text=part[:40])
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first or last - first >= MAX_LINES:
            raise Refused("evidence.bad_range", text=part, limit=MAX_LINES)
        numbers.update(range(first, last + 1))
    if len(numbers) > MAX_LINES:
        raise Refused("evidence.too_many_lines", count=len(numbers), limit=MAX_LINES)
    return tuple(sorted(numbers))


def copy_lines(space: Space, lines: Lines, by: User) -> list[dict[str, Any]]:
    """Return the lines as a violation stores them. Raises Refused for a line that does not exist, for too much text,
    and if this admin uploaded the transcript, as admins must not cite evidence of their own making."""
    transcript = space.transcripts.filter(number=lines.transcript).first()
    if transcript is None:
        raise Refused("evidence.no_transcript")
    if transcript.uploaded_by_id == by.pk:
        raise Refused("evidence.own_transcript")
    for number in lines.numbers:
        if not 1 <= number <= len(transcript.cues):
            raise Refused("evidence.no_such_line", line=number, count=len(transcript.cues))
    copied = [{"line": number, **asdict(Cue(**transcript.cues[number - 1]))} for number in lines.numbers]
    if sum(len(line["text"]) for line in copied) > MAX_CHARACTERS:
        raise Refused("evidence.too_long", limit=MAX_CHARACTERS)
    return copied


def context_lines(violations: Iterable[Violation]) -> dict[int, list[ContextLine]]:
    """Return {violation id: the evidence with the lines up to 30 seconds before and after}, in one query. If the
    transcript no longer exists, only the copied lines."""
    with_evidence = [violation for violation in violations if violation.evidence]
    cited = {(v.space_id, v.evidence_transcript_number or 0) for v in with_evidence}
    cues_by_transcript = {
        (transcript.space_id, transcript.number): cues.load(transcript.cues)
        for transcript in Transcript.objects.filter(space__in={violation.space_id for violation in with_evidence})
        if (transcript.space_id, transcript.number) in cited
    }
    return {
        v.pk: _near(v, cues_by_transcript.get((v.space_id, v.evidence_transcript_number or 0), []))
        for v in with_evidence
    }


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
