"""Parse captions of an X Space from JSON lines (`*_cc.jsonl`, "... CC.jsonl"): its chat history, one message a line.

The format, as twspace-crawler writes it (HitomaruKonpaku/twspace-crawler, SpaceCaptionsDownloader.ts) and reads it
(SpaceCaptionsExtractor.ts), and as issue 3 of HoloArchivists/twspace-dl shows it:

    {"kind": 1, "payload": "<JSON>", "signature": "..."}      kind 1 is chat; others are ignored
    payload: {"room", "body": "<JSON>", "sender": {...}, "timestamp": nanoseconds, "uuid"}
    body: {"type": 45, "final": false | true, "body": "words", "displayName", "username",
           "programDateTime": "2021-12-05T11:45:24.814Z", "timestamp": milliseconds, "uuid", ...}

Type 45 is speech: drafts with "final": false while a person speaks, then the whole text with "final": true. Other
types (comments, hearts, joins) belong to listeners and are dropped. A caption ends when it became final. It begins with
its speaker's first draft since their last caption; without a draft, its start is estimated from the length of the text.

The times are times of day, so parsing needs the start of the recording. Captions that ended before it are put at its
beginning, with a note: the recorder missed them, or the end of the Space is not exact. The others keep their times. If
most of them ended before it, or began a day after it, the clocks are unrelated; then times are counted from the first
message.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from archive.errors import Unreadable, make_problem
from archive.intake.transcripts.documents import loads
from archive.intake.transcripts.draft import MAX_LINE, SHORTEST, TranscriptDraft, lines

CHAT, SPEECH = 1, 45
MS_PER_CHARACTER = 70  # normal speaking rate
LONGEST = 30_000  # milliseconds from the first draft to the caption; if more, a caption in between is missing
DAY = 86_400_000  # milliseconds
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Message(NamedTuple):
    """`at` in milliseconds since 1970."""

    at: int
    line: int
    body: dict[str, Any]


class Caption(NamedTuple):
    """`begins` and `at`, its end, in milliseconds since 1970."""

    begins: int
    at: int
    line: int
    speaker: str
    words: str


def looks_like(text: str) -> bool:
    """Return whether the first non-empty line is a message."""
    first = re.split(r"[\r\n]", text[:MAX_LINE].lstrip(), maxsplit=1)[0]
    try:
        message = loads(first)
    except Unreadable:
        return False
    return isinstance(message, dict) and "payload" in message


def read(text: str, began: datetime | None = None) -> TranscriptDraft:
    """Parse the captions. `began` is the start of the recording; without it, times count from the first message."""
    draft = TranscriptDraft()
    messages = sorted(_messages(text, draft), key=lambda message: message.at)
    captions = list(_captions(message for message in messages if _is_speech(message.body)))
    zero = (began - EPOCH) // timedelta(milliseconds=1) if began else None
    if zero is not None and captions and not _fits(captions, zero):
        draft.note("transcript.other_clock")
        zero = None
    elif zero is None:
        draft.note("transcript.from_first_message")
    if zero is None:
        zero = min([message.at for message in messages[:1]] + [caption.begins for caption in captions], default=0)
    for begins, at, line, speaker, words in captions:
        if at <= zero:
            draft.note_cue("transcript.before_recording", line)
        start = max(begins - zero, 0)
        draft.add(line, start, max(at - zero, start + SHORTEST if at <= zero else start), speaker, words)
    return draft


def _fits(captions: list[Caption], zero: int) -> bool:
    """Return whether the captions' clock can be that of the recording, which began at `zero`."""
    outside = sum(caption.at <= zero or caption.begins > zero + DAY for caption in captions)
    return 2 * outside <= len(captions)


def _captions(messages: Iterable[Message]) -> Iterator[Caption]:
    """Combine messages, sorted by time, into captions."""
    drafts: dict[str, int] = {}  # speaker -> their first draft since their last caption
    ended: dict[str, int] = {}  # speaker -> the end of their last caption
    for at, line, body in messages:
        speaker, words = _speaker(body), body["body"]
        if not body["final"]:
            drafts.setdefault(speaker, at)
            continue
        begins = drafts.pop(speaker, at)
        if not 0 < at - begins <= LONGEST:
            begins = at - min(max(len(words) * MS_PER_CHARACTER, 1), LONGEST)
        begins = max(begins, min(ended.get(speaker, begins), at - 1))
        ended[speaker] = at
        yield Caption(begins, at, line, speaker, words)


def _messages(text: str, draft: TranscriptDraft) -> Iterator[Message]:
    for number, line in lines(text):
        if not line.strip():
            continue
        try:
            message = _document(line)
            payload = _document(message.get("payload")) if message.get("kind") == CHAT else {}
            body = _document(payload.get("body")) if payload.get("body") else {}
        except Unreadable:
            draft.refuse(number, make_problem("cue.not_a_message"))
            continue
        at = _time(payload, body)
        if at is not None:
            yield Message(at, number, body)
        elif _is_speech(body) and body["final"]:
            draft.refuse(number, make_problem("cue.bad_time"))


def _document(value: Any) -> dict[str, Any]:
    """Parse a JSON object that is stored as a string, or return an object as it is."""
    document = loads(value) if isinstance(value, str) else value
    if not isinstance(document, dict):
        raise Unreadable("transcript.json_not_an_object")
    return document


def _is_speech(body: dict[str, Any]) -> bool:
    of_speech = body.get("type", SPEECH) == SPEECH and isinstance(body.get("final"), bool)
    return of_speech and isinstance(body.get("body"), str)


def _speaker(body: dict[str, Any]) -> str:
    names = (body.get("displayName"), body.get("username"))
    return next((name for name in names if isinstance(name, str) and name.strip()), "")


def _time(payload: dict[str, Any], body: dict[str, Any]) -> int | None:
    """Return the time in the stream or, without one, when the message was sent, about a second later."""
    try:
        in_stream = datetime.fromisoformat(body["programDateTime"])
        return (in_stream - EPOCH) // timedelta(milliseconds=1)
    except (KeyError, TypeError, ValueError):
        return _to_milliseconds(body.get("timestamp"), 1) or _to_milliseconds(payload.get("timestamp"), 1_000_000)


def _to_milliseconds(value: Any, parts: int) -> int | None:
    """Convert a number with `parts` units per millisecond, perhaps written as text, to milliseconds since 1970."""
    if isinstance(value, str) and value.isdecimal() and len(value) < 25:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value // parts < 10**14:
        return None
    return value // parts
