"""Plain text with a time before each line, as `cues.to_text` writes it: "[00:12:34] Nora: Good evening".

Also [12:34] and [00:12:34.500]. A line without a stamp goes on with the one before. Text has no ends: each line lasts
until the next begins, the last one for 5 seconds; lines with the same stamp share their span. Text without any stamp
is refused: where its words were said would be invented."""

import re
from itertools import pairwise

from archive.errors import make_problem
from archive.intake.transcripts import names
from archive.intake.transcripts.draft import LONGEST, TranscriptDraft, lines

STAMP = re.compile(r"\s*\[(?:(\d{1,6}):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,3}))?\]")
LAST = 5000  # milliseconds

Line = tuple[int, int, list[str]]  # (start in milliseconds, number of the line, words)


def read(text: str) -> TranscriptDraft:
    sheet = TranscriptDraft(notes=["Plain text has no ends: each line lasts until the next begins."])
    found = _stamped(text, sheet)
    found.sort(key=lambda line: line[0])
    starts = sorted({start for start, _, _ in found})
    until = dict(pairwise(starts))
    for start, number, words in found:
        sheet.add(number, start, until.get(start, start + LAST), "", " ".join(words))
    sheet.cues = names.split_speaker(sheet.cues)
    return sheet


def looks_like(text: str) -> bool:
    return any(STAMP.match(line) for _, line in lines(text))


def _stamped(text: str, sheet: TranscriptDraft) -> list[Line]:
    found: list[Line] = []
    for number, line in lines(text):
        if stamp := STAMP.match(line):
            hours, minutes, seconds = (int(part or 0) for part in stamp.group(1, 2, 3))
            start = ((hours * 60 + minutes) * 60 + seconds) * 1000 + int((stamp[4] or "0").ljust(3, "0"))
            found.append((start, number, [line[stamp.end() :]]))
            if minutes > 59 or seconds > 59 or start >= LONGEST:
                found.pop()
                sheet.refuse(number, make_problem("cue.bad_time"))
        elif line.strip() and found:
            found[-1][2].append(line)
        elif line.strip():
            sheet.refuse(number, make_problem("cue.no_times"))
    return found
