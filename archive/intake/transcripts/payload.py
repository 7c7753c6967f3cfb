"""Clean the text of cues, in the same way for all formats with markup (WebVTT, SRT, SBV).

Only real tags are dropped: names that HTML or WebVTT knows, with well-formed attributes. `<laughs>`,
`<https://example.org>` and "a<b and c>d" are text. Tags that separate words (<br>, <p>, voice spans) end a line; all
others leave nothing. Entities are decoded once, after the tags are removed, so "&lt;b>" is text.
"""

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from html.entities import html5
from typing import NamedTuple

from archive.cues import plain

_NAMES = (
    "a|abbr|acronym|address|article|aside|audio|b|base|bdi|bdo|big|blink|blockquote|body|button|c|canvas|center|cite|"
    "code|col|dd|del|dfn|div|dl|dt|em|embed|font|footer|form|frame|frameset|h[1-6]|head|header|hr|html|i|iframe|img|"
    "input|ins|kbd|lang|li|link|marquee|meta|nobr|object|ol|p|pre|q|rp|rt|ruby|s|samp|script|section|select|small|span|"
    "strike|strong|style|sub|sup|svg|table|tbody|td|template|textarea|tfoot|th|thead|title|tr|tt|u|ul|var|video|wbr"
)
# `src=x`, `class="a b"`. A tag contains no "<", so each search ends at the next one, and the time stays linear.
_ATTRIBUTES = r"""(?:\s+[\w:-]+\s*=\s*(?:"[^"<>]*"|'[^'<>]*'|[^\s<>"']+))*"""
TAG = re.compile(
    rf"<(?=[/a-z0-9])(?:/?(?:{_NAMES})(?:\.[^\s<>]*)?{_ATTRIBUTES}\s*/?|lang\s[^<>]*|\d+:[\d:.]+)>",
    re.IGNORECASE | re.ASCII,
)
BREAK = re.compile(rf"<(?=[/bp])(?:br{_ATTRIBUTES}\s*/?|/br|/?p{_ATTRIBUTES})>", re.IGNORECASE)
# The whole tag: <v Ida>, <v.loud Ida>, </v>.
VOICE = re.compile(r"<(/?)v((?=[\s.>])[^<>]*)>", re.IGNORECASE)
POSITION = re.compile(r"\{\\[^{}]*\}")  # {\an8}, of Advanced SubStation
LEADING = re.compile(rf"(?:\s*(?:{TAG.pattern}|{BREAK.pattern}|{POSITION.pattern}))+", re.IGNORECASE | re.ASCII)
ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
WORD_TIME = re.compile(r"\s*<(\d+:[\d:.]+)>")


class Part(NamedTuple):
    """Lines of text by one voice. `speaker` is None outside of all voice spans."""

    speaker: str | None
    lines: list[str]


def remove_tags(text: str) -> str:
    """Remove tags and positions, but not the text between them: <script>alert(1)</script> becomes "alert(1)"."""
    return POSITION.sub("", TAG.sub("", text))


def remove_leading_tags(line: str) -> str:
    """Remove the tags and positions at the beginning of the line, since times may follow them."""
    match = LEADING.match(line) if line.lstrip()[:1] in ("<", "{") else None
    return line[match.end() :] if match else line


def decode_entities(text: str) -> str:
    """Decode, once, known entities that end in a semicolon; the rest stays as it is."""
    return ENTITY.sub(_decode, text)


def clean_lines(raw: Iterable[str]) -> list[str]:
    """Return the lines without markup, each with single blanks. <br> ends a line; empty lines are dropped."""
    pieces = (piece for line in raw for piece in BREAK.split(line))
    return [line for piece in pieces if (line := plain(decode_entities(remove_tags(piece))))]


def has_voices(raw: Iterable[str]) -> bool:
    return any(VOICE.search(line) for line in raw)


def split_voices(raw: Sequence[str]) -> list[Part]:
    """Split the raw lines of a cue at its voice tags. Drops parts without text, and joins neighbors of one voice."""
    parts: list[Part] = []
    for speaker, text in _voices("\n".join(raw)):
        lines = clean_lines(text.split("\n"))
        if lines and parts and parts[-1].speaker == speaker:
            parts[-1].lines.extend(lines)
        elif lines:
            parts.append(Part(speaker, lines))
    return parts


def _voices(payload: str) -> Iterator[tuple[str | None, str]]:
    first, *rest = VOICE.split(payload)
    yield None, first
    for closing, note, text in zip(rest[::3], rest[1::3], rest[2::3], strict=True):
        _classes, *speaker = note.split(maxsplit=1) if note.startswith(".") else ("", note)
        yield (None if closing else plain(decode_entities("".join(speaker)))), text


def _decode(match: re.Match[str]) -> str:
    entity = match[0]
    return html.unescape(entity) if entity[1] == "#" or entity[1:] in html5 else entity
