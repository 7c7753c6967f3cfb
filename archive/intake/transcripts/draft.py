"""Collect the cues and faults of a transcript while it is parsed, and enforce the limits of all formats.

A cue that only lacks a length or is out of order is repaired, with a note. A cue with contradictory times is broken:
the file is refused, unless the user agrees to keep the rest. Even then its text is kept if it has a position (its
start); only text without a position is dropped.
"""

import bisect
import io
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

from archive.cues import Cue, plain
from archive.errors import Problem, Unreadable, make_problem
from archive.intake.transcripts.timing import MAX_MS

MAX_CUES = 100_000  # a day of speech has about 30,000
MAX_LINES = 1_000_000
MAX_LINE = 100_000  # characters
MAX_TEXT = 10_000  # characters in one cue
MAX_NAME = 100  # characters
MAX_FAULTS = 5  # broken cues that are listed
SHORTEST = 100  # milliseconds: the length given to a cue without one
LAST = 5000  # milliseconds: the longest length given to a cue without an end


@dataclass
class Tally:
    """How many cues a note is about, and the number of the first."""

    first: int
    count: int = 1


@dataclass
class TranscriptDraft:
    """A transcript that is being parsed.

    `broken` counts all broken cues, `faults` lists the first few: "line 14: it ends before it starts". `rescued` has
    those with a position, with their number and without a length; `kept` and `dropped` list the first few faults of
    these and of the others. `notes` says what was decided; `noted` counts notes about single cues by code. `unit` is
    what numbers count in the file: "line" or "segment".
    """

    cues: list[Cue] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    language: str | None = None
    broken: int = 0
    faults: list[Problem] = field(default_factory=list)
    rescued: list[tuple[int, Cue]] = field(default_factory=list)
    kept: list[Problem] = field(default_factory=list)
    dropped: list[Problem] = field(default_factory=list)
    unit: str = "line"
    limit: int = MAX_CUES
    noted: dict[str, Tally] = field(default_factory=dict)
    _seen: int = 0

    def add(self, number: int, start_ms: int, end_ms: int, speaker: str, text: str) -> None:
        """Add a cue. `text` and `speaker` must have no markup and no entities; white space is normalized here.

        Skips a cue without text, gives a cue without a length the shortest one, and counts an impossible one as broken.
        Raises Unreadable if there are too many.
        """
        words = plain(text)
        cue = Cue(start_ms, end_ms, plain(speaker)[:MAX_NAME].rstrip(), words)
        if why := _find_fault(cue):
            self.refuse(number, why, cue)
            return
        if words and end_ms == start_ms:
            self.note_cue("transcript.no_length", number)
            cue = replace(cue, end_ms=start_ms + SHORTEST)
        if words:
            self.cues.append(cue)
        self.count()

    def refuse(self, number: int, why: Problem, cue: Cue | None = None) -> None:
        """Count a broken cue. `number`: of its line (or segment) in the file, from 1. `cue`: the cue as far as it is
        known; it is kept for `rescue` if its start is a position in a recording."""
        self.broken += 1
        fault = make_problem(f"cue.at_{self.unit}", number=number, reason=why)
        can_keep = cue is not None and bool(cue.text) and cue.start_ms <= MAX_MS and len(cue.text) <= MAX_TEXT
        if cue and can_keep:
            start = max(cue.start_ms, 0)
            self.rescued.append((number, replace(cue, start_ms=start, end_ms=start)))
        for faults in (self.faults, self.kept if can_keep else self.dropped):
            bisect.insort(faults, fault, key=lambda one: int(one["params"]["number"]))
            del faults[MAX_FAULTS:]
        self.count()

    def rescue(self) -> None:
        """Keep the broken cues that have a position, with a note. Each lasts until the next cue begins, at most LAST
        milliseconds. The others are dropped, with a note."""
        rescued = [cue for _, cue in sorted(self.rescued, key=lambda pair: pair[0])]
        starts = sorted({cue.start_ms for cue in [*self.cues, *rescued]})
        until = dict(pairwise(starts))
        for cue in rescued:
            end = min(until.get(cue.start_ms, cue.start_ms + LAST), cue.start_ms + LAST)
            self.cues.append(replace(cue, end_ms=max(end, cue.start_ms + SHORTEST)))
        self.cues.sort(key=_by_time)
        kept, dropped = len(self.rescued), self.broken - len(self.rescued)
        if kept:
            self.note("transcript.rescued", count=kept, cues=_and_more(self.kept, kept))
        if dropped:
            self.note("transcript.left_out", count=dropped, cues=_and_more(self.dropped, dropped))

    def sort(self) -> None:
        """Sort by time, with a note if the order was different. The sort is stable."""
        if any(following.start_ms < cue.start_ms for cue, following in pairwise(self.cues)):
            self.note("transcript.sorted")
        self.cues.sort(key=_by_time)

    def note(self, code: str, **params: object) -> None:
        self.notes.append(make_problem(code, **params))

    def note_cue(self, code: str, number: int) -> None:
        """Note something about the cue with this number. Each code becomes one note, with the first number."""
        if code in self.noted:
            self.noted[code].count += 1
        else:
            self.noted[code] = Tally(number)

    def all_notes(self) -> list[Problem]:
        counted = [
            make_problem(code, count=tally.count, first=make_problem(f"cue.{self.unit}", number=tally.first))
            for code, tally in self.noted.items()
        ]
        return [*self.notes, *counted]

    def first_faults(self) -> list[Problem]:
        """Return the first faults and the number of the others."""
        return _and_more(self.faults, self.broken)

    def count(self) -> None:
        """Count a cue, good or bad. Raises Unreadable if there are too many."""
        self._seen += 1
        if self._seen > self.limit:
            raise too_many(self.limit)


def _by_time(cue: Cue) -> tuple[int, int]:
    return cue.start_ms, cue.end_ms


def too_many(limit: int) -> Unreadable:
    return Unreadable("transcript.too_many_cues", limit=limit)


def _and_more(faults: list[Problem], count: int) -> list[Problem]:
    rest = count - len(faults)
    return [*faults, make_problem("cue.more", count=rest)] if rest else faults


def _find_fault(cue: Cue) -> Problem:
    if cue.end_ms < cue.start_ms:
        return make_problem("cue.ends_before_start")
    if cue.start_ms < 0:
        return make_problem("cue.before_recording")
    if cue.end_ms > MAX_MS:
        return make_problem("cue.beyond_limit", days=MAX_MS // 86_400_000)
    return make_problem("cue.too_long", limit=MAX_TEXT) if len(cue.text) > MAX_TEXT else {}


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
