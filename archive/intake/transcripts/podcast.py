"""Podcasting 2.0 JSON (podcast-namespace, transcripts.md): segments with startTime, endTime (seconds; the end only "if
available"), speaker and body. A segment without an end lasts until the next begins. Faults are named by segment: JSON
is often one line.

The format lets a segment be one word, and some tools write it so. Such a file is hard to read and to search, so words
are joined into lines: of one speaker, until a sentence ends, a pause of a second, or 7 seconds. It is taken for one
when it has at least 20 segments, nine of ten are single words, and they last less than a second on average."""

import math
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from archive.cues import Cue
from archive.errors import Unreadable, make_problem
from archive.intake.transcripts.documents import language, loads
from archive.intake.transcripts.draft import CUES, LONGEST, TranscriptDraft, too_many

MOST = 500_000  # segments: words of two days
LAST = 5000  # milliseconds
PAUSE, LINE = 1000, 7000  # milliseconds
FEWEST, LONGEST_WORD = 20, 1000  # segments; milliseconds


def read(text: str) -> TranscriptDraft:
    document = loads(text)
    segments = document.get("segments") if isinstance(document, dict) else None
    if not isinstance(segments, list):
        raise Unreadable("transcript.not_podcasting")
    sheet = TranscriptDraft(language=language(document.get("language")), most=MOST, unit="segment")
    for number, (segment, following) in enumerate(zip_longest(segments, segments[1:]), 1):
        _segment(sheet, number, segment, following)
    sheet.cues.sort(key=lambda cue: cue.start_ms)
    if _single_words(sheet.cues):
        words, sheet.cues = len(sheet.cues), list(_joined(sheet.cues))
        sheet.notes.append(f"Its {words:,} single words were joined into {len(sheet.cues):,} lines.")
    if len(sheet.cues) > CUES:
        raise too_many(CUES)
    return sheet


def _segment(sheet: TranscriptDraft, number: int, segment: Any, following: Any) -> None:
    if not isinstance(segment, dict):
        sheet.refuse(number, make_problem("cue.not_a_segment"))
        return
    body, speaker = segment.get("body"), segment.get("speaker")
    start, end = segment.get("startTime"), segment.get("endTime")
    if end is None:
        end = following.get("startTime") if isinstance(following, dict) else None
    start_ms = _milliseconds(start)
    end_ms = start_ms + LAST if end is None and start_ms is not None else _milliseconds(end)
    if start_ms is None or end_ms is None:
        sheet.refuse(number, make_problem("cue.bad_seconds"))
    elif not isinstance(body, str):
        sheet.refuse(number, make_problem("cue.no_text"))
    else:
        sheet.add(number, start_ms, end_ms, speaker if isinstance(speaker, str) else "", body)


def _milliseconds(seconds: Any) -> int | None:
    """None for what is no number, not a number, or beyond all measure; negative ones are refused where all are."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    if isinstance(seconds, float) and not math.isfinite(seconds):
        return None
    return round(max(-LONGEST, min(seconds, 2 * LONGEST)) * 1000)


def _single_words(cues: list[Cue]) -> bool:
    words = sum(" " not in cue.text for cue in cues)
    lasting = sum(cue.end_ms - cue.start_ms for cue in cues)
    return len(cues) >= FEWEST and 10 * words >= 9 * len(cues) and lasting < LONGEST_WORD * len(cues)


def _joined(cues: list[Cue]) -> Iterator[Cue]:
    line = [cues[0]]
    for cue in cues[1:]:
        last = line[-1]
        ends = last.text.endswith((".", "?", "!", "…")) or cue.speaker != last.speaker
        if ends or cue.start_ms - last.end_ms > PAUSE or cue.end_ms - line[0].start_ms > LINE:
            yield _one(line)
            line = []
        line.append(cue)
    yield _one(line)


def _one(words: list[Cue]) -> Cue:
    end = max(word.end_ms for word in words)
    return Cue(words[0].start_ms, end, words[0].speaker, " ".join(word.text for word in words))
