"""Captions of an X Space as JSON lines (`*_cc.jsonl`, "... CC.jsonl"): the history of its chat, one message a line.

The shape, as twspace-crawler saves it (HitomaruKonpaku/twspace-crawler, SpaceCaptionsDownloader.ts) and reads it
(SpaceCaptionsExtractor.ts), and as issue 3 of HoloArchivists/twspace-dl shows one message:

    {"kind": 1, "payload": "<JSON>", "signature": "..."}      kind 1 is chat; others are passed over
    payload: {"room", "body": "<JSON>", "sender": {...}, "timestamp": nanoseconds, "uuid"}
    body: {"type": 45, "final": false | true, "body": "words", "displayName", "username",
           "programDateTime": "2021-12-05T11:45:24.814Z", "timestamp": milliseconds, "uuid", ...}

Type 45 is what was heard: drafts with "final": false while somebody speaks, then the whole with "final": true. Other
types (comments, hearts, joins) are the listeners': none of them is kept. A caption ends when it became final. It begins
with its speaker's first draft since their last caption, or else as long before as the words take to say.

The times are those of the day, so they need the moment at which the recording began."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from archive.errors import Unreadable, make_problem
from archive.intake.transcripts.documents import loads
from archive.intake.transcripts.draft import LINE, TranscriptDraft, lines

CHAT, HEARD = 1, 45
SPOKEN = 70  # milliseconds a character, as people speak
LONGEST = 30_000  # milliseconds from the first draft to the caption; if more, a caption between them is missing
FROM_FIRST = "Captions hold times of the day: they were counted from the first message in the file."
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
    """The first line that is not empty is a message by itself."""
    first = re.split(r"[\r\n]", text[:LINE].lstrip(), maxsplit=1)[0]
    try:
        message = loads(first)
    except Unreadable:
        return False
    return isinstance(message, dict) and "payload" in message


def read(text: str, began: datetime | None = None) -> TranscriptDraft:
    """`began`: when the recording began; without it, times are counted from the first message of any kind."""
    sheet = TranscriptDraft()
    messages = sorted(_messages(text, sheet), key=lambda message: message.at)
    captions = list(_captions(message for message in messages if _is_heard(message.body)))
    if began is None:
        sheet.notes.append(FROM_FIRST)
        zero = min([message.at for message in messages[:1]] + [caption.begins for caption in captions], default=0)
    else:
        zero = (began - EPOCH) // timedelta(milliseconds=1)
    for begins, at, line, speaker, words in captions:
        start = begins - zero if at <= zero else max(begins - zero, 0)
        sheet.add(line, start, at - zero, speaker, words)
    return sheet


def _captions(messages: Iterable[Message]) -> Iterator[Caption]:
    """From messages in order of time."""
    drafts: dict[str, int] = {}  # speaker -> their first draft since their last caption
    ended: dict[str, int] = {}  # speaker -> the end of their last caption
    for at, line, body in messages:
        speaker, words = _speaker(body), body["body"]
        if not body["final"]:
            drafts.setdefault(speaker, at)
            continue
        begins = drafts.pop(speaker, at)
        if not 0 < at - begins <= LONGEST:
            begins = at - min(max(len(words) * SPOKEN, 1), LONGEST)
        begins = max(begins, min(ended.get(speaker, begins), at - 1))
        ended[speaker] = at
        yield Caption(begins, at, line, speaker, words)


def _messages(text: str, sheet: TranscriptDraft) -> Iterator[Message]:
    for number, line in lines(text):
        if not line.strip():
            continue
        try:
            message = _document(line)
            payload = _document(message.get("payload")) if message.get("kind") == CHAT else {}
            body = _document(payload.get("body")) if payload.get("body") else {}
        except Unreadable:
            sheet.refuse(number, make_problem("cue.not_a_message"))
            continue
        at = _time(payload, body)
        if at is not None:
            yield Message(at, number, body)
        elif _is_heard(body) and body["final"]:
            sheet.refuse(number, make_problem("cue.bad_time"))


def _document(value: Any) -> dict[str, Any]:
    """JSON within JSON, or what was unpacked already."""
    found = loads(value) if isinstance(value, str) else value
    if not isinstance(found, dict):
        raise Unreadable("transcript.json_not_an_object")
    return found


def _is_heard(body: dict[str, Any]) -> bool:
    of_speech = body.get("type", HEARD) == HEARD and isinstance(body.get("final"), bool)
    return of_speech and isinstance(body.get("body"), str)


def _speaker(body: dict[str, Any]) -> str:
    names = (body.get("displayName"), body.get("username"))
    return next((name for name in names if isinstance(name, str) and name.strip()), "")


def _time(payload: dict[str, Any], body: dict[str, Any]) -> int | None:
    """The place in the stream if it is told; else when the message was sent, about a second later."""
    try:
        there = datetime.fromisoformat(body["programDateTime"])
        return (there - EPOCH) // timedelta(milliseconds=1)
    except (KeyError, TypeError, ValueError):
        return _whole(body.get("timestamp"), 1) or _whole(payload.get("timestamp"), 1_000_000)


def _whole(value: Any, parts: int) -> int | None:
    """Milliseconds since 1970 from a number of `parts` to each, which some write as text."""
    if isinstance(value, str) and value.isdecimal() and len(value) < 25:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value // parts < 10**14:
        return None
    return value // parts
