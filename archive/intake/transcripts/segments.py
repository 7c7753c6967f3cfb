"""Parse JSON with segments: Podcasting 2.0, and the output of Whisper, WhisperX, whisper.cpp and their relatives.

    Podcasting 2.0 (podcast-namespace, transcripts.md)   {"segments": [{"startTime", "endTime", "speaker", "body"}]}
    Whisper, WhisperX      {"segments": [{"start", "end", "text", "speaker", "words": [{"word", "start", "end",
                           "speaker"}]}], "language"}; also only {"words": [...]}, or the list of segments alone
    whisper.cpp            {"result": {"language"}, "transcription": [{"offsets": {"from", "to"} (milliseconds),
                           "timestamps": {"from", "to"}, "text", "speaker"}]}
    Transformers           {"chunks": [{"timestamp": [start, end], "text"}]}

Times are seconds, as numbers or as text. A segment without an end lasts until the next begins; one without text is left
out, with a note. If the words of a segment have several speakers, it becomes one cue per speaker, with the times of
their words. If no segment has a field for its speaker, names are searched in the text (turns.py). The text is plain,
without tags or entities. Faults are listed by segment, since JSON is often one line.
"""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

from archive.cues import Cue, plain
from archive.errors import Problem, Unreadable, make_problem
from archive.intake.transcripts import turns
from archive.intake.transcripts.documents import language, loads
from archive.intake.transcripts.draft import LAST, MAX_CUES, TranscriptDraft, too_many
from archive.intake.transcripts.single_words import are_single_words, join_lines, join_words
from archive.intake.transcripts.timing import parse_seconds

MAX_SEGMENTS = 500_000  # the number of words in two days
LISTS = ("segments", "transcription", "chunks", "words", "word_segments")
TIMES = (("startTime", "endTime"), ("start", "end"), ("start_time", "end_time"))


class Segment(NamedTuple):
    """Times in milliseconds, None if missing. `speaker` is None without a field for it. `fault` says why the segment
    can't be used."""

    start_ms: int | None
    end_ms: int | None
    speaker: str | None
    text: str
    words: list[Any]
    fault: Problem


class Part(NamedTuple):
    """The text of one speaker in a segment."""

    start_ms: int
    end_ms: int
    speaker: str
    text: str


def check(text: str) -> None:
    """Raise Unreadable if `read` would refuse the JSON as a whole."""
    _load(text)


def _load(text: str) -> tuple[Any, list[Any]]:
    document = loads(text)
    segments = _find_list(document)
    if segments is None:
        raise Unreadable("transcript.not_podcasting")
    return document, segments


def read(text: str) -> TranscriptDraft:
    document, segments = _load(text)
    if len(segments) > MAX_SEGMENTS:
        raise too_many(MAX_SEGMENTS)
    parsed = [_parse(segment) for segment in segments]
    draft = TranscriptDraft(language=_language(document), limit=MAX_SEGMENTS, unit="segment")
    begins_word = _add_all(draft, parsed)
    draft.sort()
    if are_single_words(draft.cues):
        words, draft.cues = len(draft.cues), join_lines(draft.cues, begins_word)
        draft.note("transcript.words_joined", words=words, lines=len(draft.cues))
    if len(draft.cues) > MAX_CUES:
        raise too_many(MAX_CUES)
    return draft


def looks_like(document: Any) -> bool:
    """Return whether a parsed JSON document is a transcript."""
    return _find_list(document) is not None


def _find_list(document: Any) -> list[Any] | None:
    if isinstance(document, list):
        return document if document and _parse(document[0]).start_ms is not None else None
    if not isinstance(document, dict):
        return None
    lists = [(name, document[name]) for name in LISTS if isinstance(document.get(name), list)]
    return next((found for name, found in lists if found or name == "segments"), None)


def _language(document: Any) -> str | None:
    result = document.get("result") if isinstance(document, dict) else None
    places = (place for place in (document, result) if isinstance(place, dict))
    return next(filter(None, (language(place.get("language")) for place in places)), None)


def _parse(segment: Any) -> Segment:
    if not isinstance(segment, dict):
        return Segment(None, None, None, "", [], make_problem("cue.not_a_segment"))
    start, end, is_good = _times(segment)
    text = next((segment[key] for key in ("body", "text", "word") if segment.get(key) is not None), "")
    words = segment["words"] if isinstance(segment.get("words"), list) else []
    has_speaker = "speaker" in segment or any(isinstance(word, dict) and "speaker" in word for word in words)
    fault: Problem = {}
    if not is_good:
        fault = make_problem("cue.bad_seconds")
    elif not isinstance(text, str):
        fault = make_problem("cue.no_text")
    return Segment(
        start,
        end,
        _speaker(segment.get("speaker")) if has_speaker else None,
        text if isinstance(text, str) else "",
        words,
        fault,
    )


def _speaker(value: Any) -> str:
    """Return the speaker's name. whisper.cpp numbers speakers, and writes "?" for unknown ones."""
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "?":
        return ""
    return str(value)[:1000]


def _times(segment: dict[str, Any]) -> tuple[int | None, int | None, bool]:
    """Return (start, end) in milliseconds, and whether both can be used: only the end may be missing."""
    start, end = _raw_times(segment)
    start_ms, end_ms = parse_seconds(start), parse_seconds(end)
    return start_ms, end_ms, start_ms is not None and (end is None or end_ms is not None)


def _raw_times(segment: dict[str, Any]) -> tuple[Any, Any]:
    offsets, clocks, pair = segment.get("offsets"), segment.get("timestamps"), segment.get("timestamp")
    if isinstance(offsets, dict):
        return _seconds(offsets.get("from")), _seconds(offsets.get("to"))
    if isinstance(clocks, dict):
        return clocks.get("from"), clocks.get("to")
    if isinstance(pair, list) and len(pair) == 2:
        return pair[0], pair[1]
    names = next((names for names in TIMES if names[0] in segment or names[1] in segment), TIMES[0])
    return segment.get(names[0]), segment.get(names[1])


def _seconds(milliseconds: Any) -> Any:
    is_number = isinstance(milliseconds, int | float) and not isinstance(milliseconds, bool)
    return min(max(milliseconds, -1e12), 1e12) / 1000 if is_number else milliseconds


def _add_all(draft: TranscriptDraft, parsed: list[Segment]) -> list[bool]:
    """Add the cues of all segments. Returns which of their texts began with a blank."""
    spoken = None
    if all(segment.speaker is None for segment in parsed):
        spoken = turns.assign([list(filter(None, map(plain, segment.text.splitlines()))) for segment in parsed])
        if spoken.carried:
            draft.note("transcript.speakers_carried")
    begins: list[tuple[int, int, bool]] = []
    for place, (segment, following) in enumerate(zip_longest(parsed, parsed[1:])):
        if segment.fault:
            _refuse(draft, place + 1, segment)
            continue
        texts = spoken.turns[place] if spoken else None
        for part in _split(segment, _end(segment, following), texts):
            before = len(draft.cues)
            draft.add(place + 1, *part)
            if len(draft.cues) > before:
                begins.append((part.start_ms, draft.cues[-1].end_ms, segment.text[:1].isspace()))
        if not segment.text.strip():
            draft.note_cue("transcript.no_words", place + 1)
    begins.sort(key=lambda cue: cue[:2])
    return [is_begin for _, _, is_begin in begins]


def _refuse(draft: TranscriptDraft, number: int, segment: Segment) -> None:
    start = segment.start_ms
    cue = Cue(start, start, plain(segment.speaker or ""), plain(segment.text)) if start is not None else None
    draft.refuse(number, segment.fault, cue)


def _end(segment: Segment, following: Segment | None) -> int:
    start = segment.start_ms or 0
    if segment.end_ms is not None:
        return segment.end_ms
    if following and following.start_ms is not None and following.start_ms >= start:
        return following.start_ms
    return start + LAST


def _split(segment: Segment, end_ms: int, texts: Sequence[turns.Turn] | None) -> Iterator[Part]:
    """Yield each speaker's part. Never raises: invalid words are ignored, and the text of the segment counts."""
    start = segment.start_ms or 0
    if texts:
        for turn in texts:
            yield Part(start, end_ms, turn.speaker, turn.text)
        return
    runs = _runs(segment)
    if len(runs) < 2:
        yield Part(start, end_ms, segment.speaker or (runs[0].speaker if runs else ""), segment.text)
        return
    for place, run in enumerate(runs):
        first = start if place == 0 else run.start_ms
        last = end_ms if place == len(runs) - 1 else run.end_ms
        yield Part(first, max(last, first), run.speaker, run.text)


def _runs(segment: Segment) -> list[Part]:
    """Group the words of the segment by speaker. Returns [] if they have none, or differ from the segment's text."""
    words = [_parse(word) for word in segment.words]
    if not any(word.speaker for word in words) or not _is_same(segment.text, "".join(word.text for word in words)):
        return []
    runs: list[tuple[str, list[Segment]]] = []
    for word in words:
        speaker = plain(word.speaker or "") or (runs[-1][0] if runs else plain(segment.speaker or ""))
        if not runs or runs[-1][0] != speaker:
            runs.append((speaker, []))
        runs[-1][1].append(word)
    parts = [_run(speaker, group) for speaker, group in runs]
    return [part for part in parts if part] if all(parts) else []


def _run(speaker: str, words: list[Segment]) -> Part | None:
    """Return these words as a part, or None if none of them has a time."""
    starts = [word.start_ms for word in words if word.start_ms is not None]
    ends = [word.end_ms for word in words if word.end_ms is not None]
    if not starts:
        return None
    return Part(starts[0], max([*ends[-1:], starts[-1]]), speaker, join_words([word.text.strip() for word in words]))


def _is_same(text: str, words: str) -> bool:
    return "".join(text.split()) == "".join(words.split())
