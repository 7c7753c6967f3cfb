"""Parse Whisper's TSV: a header, then start and end in milliseconds and the text, separated by tabs."""

import re

from archive.errors import make_problem
from archive.intake.transcripts.draft import TranscriptDraft, lines

HEADER = re.compile(r"start\tend\ttext(?:\t.*)?\s*", re.IGNORECASE)
ROW = re.compile(r"\s*(\d{1,15})\t(\d{1,15})\t(.*)", re.DOTALL)


def looks_like(text: str) -> bool:
    first = next((line for _, line in lines(text) if line.strip()), "")
    return HEADER.fullmatch(first.lstrip("\ufeff")) is not None


def read(text: str) -> TranscriptDraft:
    draft = TranscriptDraft()
    has_header = False
    for number, line in lines(text):
        if row := ROW.fullmatch(line):
            draft.add(number, int(row[1]), int(row[2]), "", row[3])
        elif line.strip() and has_header:
            draft.refuse(number, make_problem("cue.bad_times"))
        has_header |= bool(line.strip())
    return draft
