"""SRT. It has no standard: this reads what SubRip wrote, and what people make of it by hand.

An arrow is the start of a cue only where a cue can start: after an empty line, or after a number that stands there.
Anywhere else it is text, so "x --> y" may be said. Text goes on over empty lines. SRT has no entities."""

import re
from collections.abc import Iterator

from archive.errors import make_problem
from archive.intake.transcripts import markup, names
from archive.intake.transcripts.draft import TranscriptDraft, lines

ARROW = "-->"
# As the library's SRT times begin; for cues that follow the last without an empty line.
TIMING = re.compile(r"\s*\d+:\d\d?:\d\d?[,.]\d+\s*-->")
PLACE = re.compile(r"\{\\[^{}]*\}")  # {\an8}, of Advanced SubStation


def read(text: str) -> TranscriptDraft:
    sheet = TranscriptDraft()
    for number, timing, said in _cues(text):
        words = PLACE.sub("", markup.without_tags(" ".join(said)))
        if not timing:
            sheet.refuse(number, make_problem("cue.no_times"))
        elif (span := markup.times("srt", timing)) is None:
            sheet.refuse(number, make_problem("cue.bad_times"))
        else:
            sheet.add(number, *span, "", words)
    sheet.cues = names.split_speaker(sheet.cues)
    return sheet


def looks_like(text: str) -> bool:
    """The first line that is not empty is a cue's number or its times."""
    filled = (line for _, line in lines(text) if line.strip())
    first, second = next(filled, ""), next(filled, "")
    return ARROW in first or (first.strip().isdigit() and ARROW in second)


def _cues(text: str) -> Iterator[tuple[int, str, list[str]]]:
    """(number of the line with the times, that line, lines of text); times "" for words before the first cue."""
    at, timing, said = 0, "", list[str]()
    before, last = "", ""
    for number, line in lines(text):
        if ARROW in line and _starts(before, last, line):
            if last.strip() and said:
                said.pop()  # the number of this cue
            if timing or any(map(str.strip, said)):
                yield at or 1, timing, said
            at, timing, said = number, line, []
        else:
            said.append(line)
        before, last = last, line
    if timing or any(map(str.strip, said)):
        yield at or 1, timing, said


def _starts(before: str, last: str, line: str) -> bool:
    if not last.strip():
        return True
    return last.strip().isdigit() and (not before.strip() or TIMING.match(line) is not None)
