"""Parse rolling captions, such as YouTube's automatic ones, which show each line two or three times.

A cue repeats the lines of the cue before it and adds one at the bottom; cues of 10 ms with the finished line are in
between. So each line is kept once, with the times of the cue in which it first appeared. If the words of a new line
have their own times, the first one counts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from archive.intake.transcripts.payload import WORD_TIME, clean_lines
from archive.intake.transcripts.timing import parse_clock

GAP = 50  # milliseconds between two cues, and the length of a cue that only repeats
SHARE = 0.4  # of all pairs of neighbors


@dataclass(frozen=True)
class Block:
    """A cue as in the file: the number of its line, its times in milliseconds, and its raw lines."""

    number: int
    start_ms: int
    end_ms: int
    lines: list[str]


def unroll(blocks: Sequence[Block], cleaned: list[list[str]]) -> list[Block] | None:
    """Return the blocks with each line once and clean, or None if these are not rolling captions. `cleaned` has the
    lines of each block without markup."""
    if not _is_rolling(blocks, cleaned):
        return None
    return list(_unrolled(blocks, cleaned))


def _is_rolling(blocks: Sequence[Block], cleaned: list[list[str]]) -> bool:
    pairs = list(pairwise(place for place, lines in enumerate(cleaned) if lines))
    repeats = additions = 0
    for one, two in pairs:
        repeated = _overlap(cleaned[one], cleaned[two])
        adjoins = abs(blocks[two].start_ms - blocks[one].end_ms) <= GAP
        is_short = any(blocks[place].end_ms - blocks[place].start_ms <= GAP for place in (one, two))
        adds = len(cleaned[two]) > repeated
        repeats += bool(repeated and adjoins and (adds or is_short))
        additions += bool(repeated and adjoins and adds)
    # A file that never adds a line below a repeated one has speakers who repeat themselves.
    return repeats > 1 and additions > 0 and repeats >= SHARE * len(pairs)


def _unrolled(blocks: Sequence[Block], cleaned: list[list[str]]) -> Iterator[Block]:
    shown: list[str] = []
    end_ms = None
    for block, lines in zip(blocks, cleaned, strict=True):
        adjoins = end_ms is not None and abs(block.start_ms - end_ms) <= GAP
        end_ms = block.end_ms
        new = lines[_overlap(shown, lines) :] if adjoins else lines
        shown = lines
        if new:
            yield replace(block, start_ms=_first_word(block, new), lines=new)


def _overlap(before: list[str], after: list[str]) -> int:
    """Return how many lines at the end of `before` are the same as at the beginning of `after`."""
    longest = min(len(before), len(after))
    return next((count for count in range(longest, 0, -1) if before[-count:] == after[:count]), 0)


def _first_word(block: Block, new: list[str]) -> int:
    """Return when the first word of the new lines is spoken, if it has a time."""
    for line in block.lines:
        match = WORD_TIME.match(line)
        if match and clean_lines([line]) == new[:1]:
            at = parse_clock(match[1])
            return at if at is not None and block.start_ms < at < block.end_ms else block.start_ms
    return block.start_ms
