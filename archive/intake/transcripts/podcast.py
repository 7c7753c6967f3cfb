"""Parse Podcasting 2.0 JSON (podcast-namespace, transcripts.md).

Segments have startTime, endTime (seconds; the end only "if available"), speaker and body. A segment without an end
lasts until the next begins. Faults are listed by segment, since JSON is often one line.

The format allows one word per segment, and some tools write that. Such a file is hard to read and to search, so words
are joined into lines: of one speaker, until a sentence ends, a pause of a second, or 7 seconds. A file counts as single
words if it has at least 20 segments, nine of ten are one word, and they last less than a second on average.
"""

import math
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from archive.cues import Cue
from archive.errors import Unreadable, make_problem
from archive.intake.transcripts.documents import language, loads
from archive.intake.transcripts.draft import MAX_CUES, MAX_MS, TranscriptDraft, too_many

MAX_SEGMENTS = 500_000  # segments: words of two days
LAST = 5000  # milliseconds
PAUSE, LINE = 1000, 7000  # milliseconds
MIN_SEGMENTS, MAX_WORD = 20, 1000  # segments; milliseconds


def read(text: str) -> TranscriptDraft:
    document = loads(text)
    segments = document.get("segments") if isinstance(document, dict) else None
    if not isinstance(segments, list):
        raise Unreadable("transcript.not_podcasting")
    draft = TranscriptDraft(language=language(document.get("language")), limit=MAX_SEGMENTS, unit="segment")
    for number, (segment, following) in enumerate(zip_longest(segments, segments[1:]), 1):
        _add_segment(draft, number, segment, following)
    draft.cues.sort(key=lambda cue: cue.start_ms)
    if _is_single_words(draft.cues):
        words, draft.cues = len(draft.cues), list(_join_words(draft.cues))
        draft.notes.append(f"Its {words:,} single words were joined into {len(draft.cues):,} lines.")
    if len(draft.cues) > MAX_CUES:
        raise too_many(MAX_CUES)
    return draft


def _add_segment(draft: TranscriptDraft, number: int, segment: Any, following: Any) -> None:
    if not isinstance(segment, dict):
        draft.refuse(number, make_problem("cue.not_a_segment"))
        return
    body, speaker = segment.get("body"), segment.get("speaker")
    start, end = segment.get("startTime"), segment.get("endTime")
    if end is None:
        end = following.get("startTime") if isinstance(following, dict) else None
    start_ms = _to_milliseconds(start)
    end_ms = start_ms + LAST if end is None and start_ms is not None else _to_milliseconds(end)
    if start_ms is None or end_ms is None:
        draft.refuse(number, make_problem("cue.bad_seconds"))
    elif not isinstance(body, str):
        draft.refuse(number, make_problem("cue.no_text"))
    else:
        draft.add(number, start_ms, end_ms, speaker if isinstance(speaker, str) else "", body)


def _to_milliseconds(seconds: Any) -> int | None:
    """Convert seconds to milliseconds, or return None if they are no finite number.

    Limits huge values; `TranscriptDraft.add` refuses those and negative ones.
    """
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    if isinstance(seconds, float) and not math.isfinite(seconds):
        return None
    return round(max(-MAX_MS, min(seconds, 2 * MAX_MS)) * 1000)


def _is_single_words(cues: list[Cue]) -> bool:
    words = sum(" " not in cue.text for cue in cues)
    total_ms = sum(cue.end_ms - cue.start_ms for cue in cues)
    return len(cues) >= MIN_SEGMENTS and 10 * words >= 9 * len(cues) and total_ms < MAX_WORD * len(cues)


def _join_words(cues: list[Cue]) -> Iterator[Cue]:
    line = [cues[0]]
    for cue in cues[1:]:
        last = line[-1]
        ends = last.text.endswith((".", "?", "!", "…")) or cue.speaker != last.speaker
        if ends or cue.start_ms - last.end_ms > PAUSE or cue.end_ms - line[0].start_ms > LINE:
            yield _join_line(line)
            line = []
        line.append(cue)
    yield _join_line(line)


def _join_line(words: list[Cue]) -> Cue:
    end = max(word.end_ms for word in words)
    return Cue(words[0].start_ms, end, words[0].speaker, " ".join(word.text for word in words))
