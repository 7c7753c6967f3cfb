"""Parse SRT. It has no standard: this accepts what SubRip wrote and what people edit by hand.

An arrow starts a cue only after an empty line, or after a number that follows one. Anywhere else it is text, such as
"x --> y". Text continues over empty lines. SRT has no entities.
"""

import re
from collections.abc import Iterator

from archive.errors import make_problem
from archive.intake.transcripts import markup, names
from archive.intake.transcripts.draft import TranscriptDraft, lines

ARROW = "-->"
# As webvtt-py's SRT times begin; for cues that follow the last without an empty line.
TIMING = re.compile(r"\s*\d+:\d\d?:\d\d?[,.]\d+\s*-->")
POSITION = re.compile(r"\{\\[^{}]*\}")  # {\an8}, of Advanced SubStation


def read(text: str) -> TranscriptDraft:
    draft = TranscriptDraft()
    for number, timing, text_lines in _cues(text):
        words = POSITION.sub("", markup.remove_tags(" ".join(text_lines)))
        if not timing:
            draft.refuse(number, make_problem("cue.no_times"))
        elif (span := markup.parse_times("srt", timing)) is None:
            draft.refuse(number, make_problem("cue.bad_times"))
        else:
            draft.add(number, *span, "", words)
    draft.cues = names.split_speaker(draft.cues)
    return draft


def looks_like(text: str) -> bool:
    """Whether the first non-empty line is a cue's number or times."""
    filled = (line for _, line in lines(text) if line.strip())
    first, second = next(filled, ""), next(filled, "")
    return ARROW in first or (first.strip().isdigit() and ARROW in second)


def _cues(text: str) -> Iterator[tuple[int, str, list[str]]]:
    """Yield (number of the line with the times, that line, lines of text); text before the first cue has times ""."""
    at, timing, text_lines = 0, "", list[str]()
    before, last = "", ""
    for number, line in lines(text):
        if ARROW in line and _starts_cue(before, last, line):
            if last.strip() and text_lines:
                text_lines.pop()  # the number of this cue
            if timing or any(map(str.strip, text_lines)):
                yield at or 1, timing, text_lines
            at, timing, text_lines = number, line, []
        else:
            text_lines.append(line)
        before, last = last, line
    if timing or any(map(str.strip, text_lines)):
        yield at or 1, timing, text_lines


def _starts_cue(before: str, last: str, line: str) -> bool:
    if not last.strip():
        return True
    return last.strip().isdigit() and (not before.strip() or TIMING.match(line) is not None)
