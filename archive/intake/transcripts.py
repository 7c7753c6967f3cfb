"""Transcripts in: WebVTT (with voice tags) and SRT. Markup is dropped; what stays is text."""

import html
import io
import re
from dataclasses import replace
from pathlib import Path

from webvtt import WebVTT
from webvtt.errors import MalformedCaptionError, MalformedFileError

from archive.cues import Cue
from archive.errors import Unreadable

LARGEST = 20 * 1024**2  # bytes; a day of speech is under 2 MB
SPEAKER_PREFIX = re.compile(r"^([^:\n]{1,60}):\s+(?=\S)")


def parse(path: Path) -> list[Cue]:
    """The cues of a transcript, in order of time. Raises Unreadable when it is not one, or has nothing in it."""
    if path.stat().st_size > LARGEST:
        raise Unreadable(f"{path.name}: a transcript of more than {LARGEST // 1024**2} MB is not one.")
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"{path.name}: it is not text in UTF-8, so it can't be a WebVTT or SRT transcript.") from error
    is_vtt = text.lstrip().startswith("WEBVTT")
    try:
        captions = WebVTT.from_buffer(io.StringIO(text.lstrip()), format="vtt" if is_vtt else "srt")
    except (MalformedFileError, MalformedCaptionError) as error:
        raise Unreadable(f"{path.name}: it is neither a WebVTT nor an SRT transcript.") from error
    found = [
        cue
        for caption in captions.captions
        if (cue := _cue(caption.start, caption.end, caption.text, caption.voice, srt=not is_vtt)) is not None
    ]
    cues = found if is_vtt else _named(found)
    if not cues:
        raise Unreadable(f"{path.name}: there is not one line of speech with its times in it.")
    return sorted(cues, key=lambda cue: (cue.start_ms, cue.end_ms))


def _cue(start: str, end: str, text: str, voice: str | None, *, srt: bool) -> Cue | None:
    """None for what says nothing, or ends before it starts."""
    plain = " ".join((text if srt else html.unescape(text)).replace("\x00", "").split())
    speaker = " ".join(html.unescape(voice or "").replace("\x00", "").split())
    start_ms, end_ms = _milliseconds(start), _milliseconds(end)
    return Cue(start_ms, end_ms, speaker[:100], plain) if plain and end_ms > start_ms else None


def _named(cues: list[Cue]) -> list[Cue]:
    """SRT has no place for speakers, so people write "Ida: ..." before what was said. That is believed where most
    lines have it; elsewhere "Remember this: ..." would become somebody's name."""
    split = [(cue, SPEAKER_PREFIX.match(cue.text)) for cue in cues]
    if 2 * sum(named is not None for _, named in split) < len(cues):
        return cues
    return [
        replace(cue, speaker=named[1].strip(), text=cue.text[named.end() :]) if named else cue for cue, named in split
    ]


def _milliseconds(stamp: str) -> int:
    hours, minutes, seconds = stamp.split(":")
    whole, fraction = seconds.split(".")
    return ((int(hours) * 60 + int(minutes)) * 60 + int(whole)) * 1000 + int(fraction)
