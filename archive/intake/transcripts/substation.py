"""Parse Advanced SubStation Alpha and SubStation Alpha (ASS, SSA).

Only the [Events] are read: "Dialogue:" lines, with their fields in the order of the "Format:" line. The field Name (or
Actor) is the speaker; if it is empty everywhere, names are searched in the text (turns.py). Drawings are dropped.

pysubs2 turns the codes in a text (overrides such as {\\i1}, \\N, \\h) into plain text. It does not read the file: it
ignores the order of fields, refuses a whole file for one odd color or time, and does not know line numbers. Its search
for drawings takes quadratic time, and so do its overrides if the closing bracket is missing.
"""

import re
from typing import NamedTuple

from pysubs2 import SSAEvent

from archive.cues import plain
from archive.errors import make_problem
from archive.intake.transcripts import turns
from archive.intake.transcripts.draft import MAX_CUES, TranscriptDraft, lines, too_many
from archive.intake.transcripts.timing import parse_clock

SECTION = re.compile(r"\s*\[(script info|v4\+? styles|events|aegisub [^]]*|fonts|graphics)\]\s*", re.IGNORECASE)
DIALOGUE = re.compile(r"\s*Dialogue:\s*", re.IGNORECASE)
FORMAT = re.compile(r"\s*Format:", re.IGNORECASE)
FIELDS = ["layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text"]
OVERRIDE = re.compile(r"\{([^{}]*)\}")
DRAWING = re.compile(r"\\p(\d+)")
UNCLOSED = "\x01"  # stands for "{"; control characters are removed from all text


class Event(NamedTuple):
    number: int  # of the line
    start_ms: int
    end_ms: int
    name: str
    lines: list[str]


def looks_like(text: str) -> bool:
    """Return whether the first non-empty line is a section header."""
    first = next((line for _, line in lines(text) if line.strip()), "")
    return SECTION.fullmatch(first.lstrip("\ufeff")) is not None


def read(text: str) -> TranscriptDraft:
    draft = TranscriptDraft()
    events = _events(text, draft)
    has_names = any(event.name for event in events)
    spoken = turns.assign([event.lines for event in events]) if not has_names else None
    if spoken and spoken.carried:
        draft.note("transcript.speakers_carried")
    for place, event in enumerate(events):
        whole = turns.Turn(event.name, " ".join(event.lines))
        for turn in spoken.turns[place] if spoken else [whole]:
            draft.add(event.number, event.start_ms, event.end_ms, turn.speaker, turn.text)
    return draft


def _events(text: str, draft: TranscriptDraft) -> list[Event]:
    events: list[Event] = []
    is_events, fields = False, FIELDS
    for number, line in lines(text):
        if section := SECTION.fullmatch(line.lstrip("\ufeff")):
            is_events = section[1].lower() == "events"
        elif is_events and (match := FORMAT.match(line)):
            named = [name.strip().lower().replace("actor", "name") for name in line[match.end() :].split(",")]
            fields = named if {"start", "end", "text"} <= set(named) else FIELDS
        elif is_events and (match := DIALOGUE.match(line)):
            event = _event(number, dict(zip(fields, line[match.end() :].split(",", len(fields) - 1), strict=False)))
            if event is None:
                draft.refuse(number, make_problem("cue.bad_times"))
            else:
                events.append(event)
            if len(events) > MAX_CUES:
                raise too_many(MAX_CUES)
    return events


def _event(number: int, values: dict[str, str]) -> Event | None:
    start, end = parse_clock(values.get("start", "")), parse_clock(values.get("end", ""))
    if start is None or end is None or "text" not in values:
        return None
    return Event(number, start, end, plain(values.get("name", "")), _lines(values["text"]))


def _lines(text: str) -> list[str]:
    if any(DRAWING.search(code) for code in OVERRIDE.findall(text)):
        text = _without_drawings(text)
    closed, bracket, rest = text.rpartition("}")
    rest = SSAEvent(text=rest.replace("{", UNCLOSED)).plaintext.replace(UNCLOSED, "{")
    pieces = (SSAEvent(text=closed + bracket).plaintext + rest).split("\n")
    return [line for piece in pieces if (line := plain(piece))]


def _without_drawings(text: str) -> str:
    """Drop drawings (from \\p1, or a higher scale, to \\p0) and all codes. Keeps the words before and after."""
    kept, is_drawing, place = [], False, 0
    for override in OVERRIDE.finditer(text):
        if not is_drawing:
            kept.append(text[place : override.start()])
        for scale in DRAWING.findall(override[1]):
            is_drawing = scale.strip("0") != ""
        place = override.end()
    return "".join([*kept, "" if is_drawing else text[place:]])
