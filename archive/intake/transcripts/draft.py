"""What a reader fills in, whatever the form: the cues, what was broken and where; and the limits of all forms."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field

from archive.cues import Cue, plain
from archive.errors import Unreadable

LARGEST = 20 * 1024**2  # bytes; a day of speech is under 2 MB
CUES = 100_000  # a day of speech has about 30,000
LINES = 1_000_000
LINE = 100_000  # characters
WORDS = 10_000  # characters in one cue
NAME = 100  # characters
LONGEST = 7 * 86_400_000  # milliseconds
NAMED = 5  # broken cues that are named


@dataclass
class TranscriptDraft:
    """`broken` counts all broken cues, `faults` names the first few: "line 14: it ends before it starts"."""

    cues: list[Cue] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    language: str | None = None
    broken: int = 0
    faults: list[str] = field(default_factory=list)
    most: int = CUES
    _seen: int = 0

    def add(self, where: str, start_ms: int, end_ms: int, speaker: str, text: str) -> None:
        """`text` and `speaker` without markup and entities; white space and control characters are seen to here.
        A cue that says nothing is passed over, one that can't be is counted as broken. Raises Unreadable when there
        are too many."""
        words = plain(text)
        if why := _fault(start_ms, end_ms, words):
            self.refuse(where, why)
            return
        if words:
            self.cues.append(Cue(start_ms, end_ms, plain(speaker)[:NAME].rstrip(), words))
        self._count()

    def refuse(self, where: str, why: str) -> None:
        """A broken cue: `where` as people find it in the file ("line 14")."""
        self.broken += 1
        if len(self.faults) < NAMED:
            self.faults.append(f"{where}: {why}")
        self._count()

    def named(self) -> str:
        """line 14: it ends before it starts; line 20: ...; and 12 more"""
        rest = self.broken - len(self.faults)
        return "; ".join([*self.faults, f"and {rest:,} more"] if rest else self.faults)

    def _count(self) -> None:
        self._seen += 1
        if self._seen > self.most:
            raise too_many(self.most)


def too_many(most: int) -> Unreadable:
    return Unreadable(f"it has more than {most:,} cues: more than anybody says in a day.")


def _fault(start_ms: int, end_ms: int, words: str) -> str:
    if end_ms < start_ms:
        return "it ends before it starts"
    if end_ms == start_ms:
        return "it ends when it starts"
    if start_ms < 0:
        return "it starts before the recording"
    if end_ms > LONGEST:
        return f"its time is beyond {LONGEST // 86_400_000} days"
    return f"it has more than {WORDS:,} characters" if len(words) > WORDS else ""


def lines(text: str) -> Iterator[tuple[int, str]]:
    """(number from 1, line without its end) for each line. Only CR, LF and CRLF end one: U+2028 and its like are part
    of what was said. One line at a time: a list of 20 million empty ones would be 160 MB."""
    for number, line in enumerate(io.StringIO(text, newline=None), 1):
        if number > LINES:
            raise Unreadable(f"it has more than {LINES:,} lines, so it is not a transcript.")
        if len(line) > LINE + 1:
            raise Unreadable(f"line {number} has more than {LINE:,} characters, so it is not a transcript.")
        yield number, line.removesuffix("\n")
