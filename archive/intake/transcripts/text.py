"""Parse plain text with a time before each line, as `cues.to_text` writes it: "[00:12:34] Nora: Good evening".

Also accepts [12:34] and [00:12:34.500]. A line without a time continues the line before. Plain text has no end times:
each line lasts until the next begins, the last one 5 seconds; lines with the same time share their span. Text without
any time is refused, since its times would be invented.
"""

import re
from itertools import pairwise

from archive.errors import make_problem
from archive.intake.transcripts import names
from archive.intake.transcripts.draft import MAX_MS, TranscriptDraft, lines

STAMP = re.compile(r"\s*\[(?:(\d{1,6}):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,3}))?\]")
LAST = 5000  # milliseconds

Line = tuple[int, int, list[str]]  # (start in milliseconds, number of the line, words)


def read(text: str) -> TranscriptDraft:
    draft = TranscriptDraft(notes=["Plain text has no ends: each line lasts until the next begins."])
    parsed = _parse_lines(text, draft)
    parsed.sort(key=lambda line: line[0])
    starts = sorted({start for start, _, _ in parsed})
    until = dict(pairwise(starts))
    for start, number, words in parsed:
        draft.add(number, start, until.get(start, start + LAST), "", " ".join(words))
    draft.cues = names.split_speaker(draft.cues)
    return draft


def looks_like(text: str) -> bool:
    return any(STAMP.match(line) for _, line in lines(text))


def _parse_lines(text: str, draft: TranscriptDraft) -> list[Line]:
    parsed: list[Line] = []
    for number, line in lines(text):
        if stamp := STAMP.match(line):
            hours, minutes, seconds = (int(part or 0) for part in stamp.group(1, 2, 3))
            start = ((hours * 60 + minutes) * 60 + seconds) * 1000 + int((stamp[4] or "0").ljust(3, "0"))
            parsed.append((start, number, [line[stamp.end() :]]))
            if minutes > 59 or seconds > 59 or start >= MAX_MS:
                parsed.pop()
                draft.refuse(number, make_problem("cue.bad_time"))
        elif line.strip() and parsed:
            parsed[-1][2].append(line)
        elif line.strip():
            draft.refuse(number, make_problem("cue.no_times"))
    return parsed
