"""Parse WebVTT (w3.org/TR/webvtt1). Voice tags are speakers; STYLE, REGION, NOTE, settings and other tags are dropped.

Several voices in one cue become several cues with the same times, in their order: the file does not say when in the
cue each one spoke. Zoom writes no voice tags but numbers its cues and puts "Ida Bean: " before the text. So names are
searched in the text if every cue has an identifier and none has a voice.
"""

import html
import re
from collections.abc import Iterator

from archive.cues import plain
from archive.errors import make_problem
from archive.intake.transcripts import markup, names
from archive.intake.transcripts.draft import TranscriptDraft, lines
from archive.language_tags import is_language_tag

ARROW = "-->"
# The whole tag. It holds no "<", so each search ends at the next "<", and a million "<v" take linear time.
VOICE = re.compile(r"<(/?)v((?=[\s.>])[^<>]*)>")
NOT_SPEECH = re.compile(r"(NOTE|STYLE|REGION)(\s|$)")
LANGUAGE = re.compile(r"Language:\s*(\S+)\s*$")

Block = list[tuple[int, str]]


def read(text: str) -> TranscriptDraft:
    draft = TranscriptDraft()
    voices = identified = cues = 0
    for number, block in enumerate(_blocks(text)):
        if number == 0:
            tags = (match[1] for _, line in block if (match := LANGUAGE.match(line)))
            draft.language = next(filter(is_language_tag, tags), None)
        elif any(ARROW in line for _, line in block[:2]):
            cues += 1
            identified += ARROW not in block[0][1]
            voices += _add_cue(draft, block)
        elif not (NOT_SPEECH.match(block[0][1]) or (len(block) == 1 and block[0][1].strip().isdigit())):
            draft.refuse(block[0][0], make_problem("cue.no_times"))
    if not voices and identified == cues:
        draft.cues = names.split_speaker(draft.cues)
    return draft


def _blocks(text: str) -> Iterator[Block]:
    """Yield the header, then the blocks. A block ends at an empty line or before a second arrow (WebVTT §6.1)."""
    block: Block = []
    in_head = True
    for number, line in lines(text):
        starts = ARROW in line and block and (in_head or len(block) > 1 or ARROW in block[0][1])
        if block and (not line or starts):
            yield block
            block, in_head = [], False
        if line:
            block.append((number, line))
    if block:
        yield block


def _add_cue(draft: TranscriptDraft, block: Block) -> int:
    """Add a cue and return the number of its voices."""
    at = 0 if ARROW in block[0][1] else 1
    number, timing = block[at]
    if (span := markup.parse_times("vtt", timing)) is None:
        draft.refuse(number, make_problem("cue.bad_times"))
        return 0
    parts = _split_voices(" ".join(line for _, line in block[at + 1 :]))
    for speaker, words in parts:
        draft.add(number, *span, speaker, words)
    return sum(bool(speaker) for speaker, _ in parts)


def _split_voices(payload: str) -> list[tuple[str, str]]:
    """Split into [(speaker, text)]. Entities are decoded once, after the tags are removed: "&lt;b>" is text."""
    first, *rest = VOICE.split(payload)
    parts = [("", first)]
    for closing, note, words in zip(rest[::3], rest[1::3], rest[2::3], strict=True):
        _classes, *speaker = note.split(maxsplit=1) if note.startswith(".") else ("", note)
        parts.append(("" if closing else plain(html.unescape("".join(speaker))), words))
    return [(speaker, html.unescape(markup.remove_tags(words))) for speaker, words in _join(parts)]


def _join(parts: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Drop empty parts and join those of the same speaker."""
    joined: list[tuple[str, list[str]]] = []
    for speaker, words in parts:
        if not words.strip():
            continue
        if joined and joined[-1][0] == speaker:
            joined[-1][1].append(words)
        else:
            joined.append((speaker, [words]))
    return [(speaker, "".join(words)) for speaker, words in joined] or [("", "")]
