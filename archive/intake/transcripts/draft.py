"""What a reader fills in, whatever the form: the cues, what was broken and where; and the limits of all forms."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field

from archive.cues import Cue, plain
from archive.errors import Problem, Unreadable, make_problem

CUES = 100_000  # a day of speech has about 30,000
LINES = 1_000_000
LINE = 100_000  # characters
WORDS = 10_000  # characters in one cue
NAME = 100  # characters
LONGEST = 7 * 86_400_000  # milliseconds
NAMED = 5  # broken cues that are named


@dataclass
class TranscriptDraft:
    """`broken` counts all broken cues, `faults` names the first few: "line 14: it ends before it starts". `unit` is
    what people count in the file: "line", "segment"."""

    cues: list[Cue] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    language: str | None = None
    broken: int = 0
    faults: list[Problem] = field(default_factory=list)
    unit: str = "line"
    most: int = CUES
    _seen: int = 0

    def add(self, number: int, start_ms: int, end_ms: int, speaker: str, text: str) -> None:
        """`text` and `speaker` without markup and entities; white space and control characters are seen to here.
        A cue that says nothing is passed over, one that can't be is counted as broken. Raises Unreadable when there
        are too many."""
        words = plain(text)
        if why := _fault(start_ms, end_ms, words):
            self.refuse(number, why)
            return
        if words:
            self.cues.append(Cue(start_ms, end_ms, plain(speaker)[:NAME].rstrip(), words))
        self._count()

    def refuse(self, number: int, why: Problem) -> None:
        """A broken cue: `number` of its line (or segment) in the file, from 1."""
        self.broken += 1
        if len(self.faults) < NAMED:
            self.faults.append(make_problem(f"cue.at_{self.unit}", number=number, reason=why))
        self._count()

    def named(self) -> list[Problem]:
        """The first faults, and how many more there are."""
        rest = self.broken - len(self.faults)
        return [*self.faults, make_problem("cue.more", count=rest)] if rest else self.faults

    def _count(self) -> None:
        self._seen += 1
        if self._seen > self.most:
            raise too_many(self.most)


def too_many(most: int) -> Unreadable:
    return Unreadable("transcript.too_many_cues", limit=most)


def _fault(start_ms: int, end_ms: int, words: str) -> Problem:
    if end_ms < start_ms:
        return make_problem("cue.ends_before_start")
    if end_ms == start_ms:
        return make_problem("cue.ends_at_start")
    if start_ms < 0:
        return make_problem("cue.before_recording")
    if end_ms > LONGEST:
        return make_problem("cue.beyond_limit", days=LONGEST // 86_400_000)
    return make_problem("cue.too_long", limit=WORDS) if len(words) > WORDS else {}


def lines(text: str) -> Iterator[tuple[int, str]]:
    """(number from 1, line without its end) for each line. Only CR, LF and CRLF end one: U+2028 and its like are part
    of what was said. One line at a time: a list of 20 million empty ones would be 160 MB."""
    for number, line in enumerate(io.StringIO(text, newline=None), 1):
        if number > LINES:
            raise Unreadable("transcript.too_many_lines", limit=LINES)
        if len(line) > LINE + 1:
            raise Unreadable("transcript.line_too_long", line=number, limit=LINE)
        yield number, line.removesuffix("\n")
