"""Collect the cues and faults of a transcript while it is parsed, and enforce the limits of all formats."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field

from archive.cues import Cue, plain
from archive.errors import Problem, Unreadable, make_problem

MAX_CUES = 100_000  # a day of speech has about 30,000
MAX_LINES = 1_000_000
MAX_LINE = 100_000  # characters
MAX_TEXT = 10_000  # characters in one cue
MAX_NAME = 100  # characters
MAX_MS = 7 * 86_400_000  # milliseconds
MAX_FAULTS = 5  # broken cues that are listed


@dataclass
class TranscriptDraft:
    """A transcript that is being parsed.

    `broken` counts all broken cues, `faults` lists the first few: "line 14: it ends before it starts". `unit` is what
    faults count in the file: "line" or "segment".
    """

    cues: list[Cue] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    language: str | None = None
    broken: int = 0
    faults: list[Problem] = field(default_factory=list)
    unit: str = "line"
    limit: int = MAX_CUES
    _seen: int = 0

    def add(self, number: int, start_ms: int, end_ms: int, speaker: str, text: str) -> None:
        """Add a cue. `text` and `speaker` hold no markup and no entities; white space is normalized here.

        Skips a cue without text, counts an impossible one as broken. Raises Unreadable if there are too many.
        """
        words = plain(text)
        if why := _find_fault(start_ms, end_ms, words):
            self.refuse(number, why)
            return
        if words:
            self.cues.append(Cue(start_ms, end_ms, plain(speaker)[:MAX_NAME].rstrip(), words))
        self._count()

    def refuse(self, number: int, why: Problem) -> None:
        """Count a broken cue. `number` is that of its line (or segment) in the file, from 1."""
        self.broken += 1
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(make_problem(f"cue.at_{self.unit}", number=number, reason=why))
        self._count()

    def first_faults(self) -> list[Problem]:
        """Return the first faults and the number of the others."""
        rest = self.broken - len(self.faults)
        return [*self.faults, make_problem("cue.more", count=rest)] if rest else self.faults

    def _count(self) -> None:
        self._seen += 1
        if self._seen > self.limit:
            raise too_many(self.limit)


def too_many(limit: int) -> Unreadable:
    return Unreadable("transcript.too_many_cues", limit=limit)


def _find_fault(start_ms: int, end_ms: int, words: str) -> Problem:
    if end_ms < start_ms:
        return make_problem("cue.ends_before_start")
    if end_ms == start_ms:
        return make_problem("cue.ends_at_start")
    if start_ms < 0:
        return make_problem("cue.before_recording")
    if end_ms > MAX_MS:
        return make_problem("cue.beyond_limit", days=MAX_MS // 86_400_000)
    return make_problem("cue.too_long", limit=MAX_TEXT) if len(words) > MAX_TEXT else {}


def lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield (number from 1, line without its end).

    Only CR, LF and CRLF end a line; U+2028 and the like are part of the text. Yields one line at a time, since a list
    of 20 million empty lines would take 160 MB.
    """
    for number, line in enumerate(io.StringIO(text, newline=None), 1):
        if number > MAX_LINES:
            raise Unreadable("transcript.too_many_lines", limit=MAX_LINES)
        if len(line) > MAX_LINE + 1:
            raise Unreadable("transcript.line_too_long", line=number, limit=MAX_LINE)
        yield number, line.removesuffix("\n")
