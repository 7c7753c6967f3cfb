"""The cues of a transcript, and the formats for downloading them."""

import html
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

# Not part of any text; some move a terminal's cursor, and PostgreSQL refuses NUL.
CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")
NAMED = re.compile(r"[:\uff1a]|\[")
AMPERSAND = re.compile(r"&(?=#?\w{1,31};)")
TIMES = re.compile(r"^([\s\d:.,\ufeff]*)-->")
SURROGATES = re.compile(r"[\ud800-\udfff]")  # JSON can hold lone surrogates, UTF-8 can't


@dataclass(frozen=True)
class Cue:
    """One timed utterance: milliseconds from the start of the recording, speaker ("" if unknown), and plain text.

    Both texts must have been normalized by `plain`.
    """

    start_ms: int
    end_ms: int
    speaker: str
    text: str


def load(rows: Iterable[dict[str, Any]]) -> list[Cue]:
    """Make cues from the JSON in `Transcript.cues`."""
    return [Cue(**row) for row in rows]


def dump(cues: Iterable[Cue]) -> list[dict[str, Any]]:
    """Make the JSON for `Transcript.cues`."""
    return [asdict(cue) for cue in cues]


def plain(text: str) -> str:
    """Normalize to one line with single blanks, without control characters, and valid as UTF-8."""
    return " ".join(SURROGATES.sub("\N{REPLACEMENT CHARACTER}", CONTROLS.sub("", text)).split())


def timestamp(milliseconds: int) -> str:
    """Format as WebVTT: 00:12:34.000."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"


# WebVTT and JSON lose nothing, except that importing joins JSON of single words to lines. SRT loses text that looks
# like its tags (<b>, {\an8}); plain text loses ends and milliseconds. Both lose speakers who have only few lines, names
# with a colon, and the difference between a speaker and text that looks like one ("Ida: so"). If no speaker has two
# lines in a row, the importer gives a line without a speaker to the speaker before, since many programs name speakers
# only where they change.
def to_vtt(cues: Sequence[Cue]) -> str:
    # An empty voice tag marks "Nora: so" in this file as text, not as a speaker.
    needs_voice = _looks_named(cues)
    parts = [f"{_times(cue)}\n{'<v>' if needs_voice else ''}{_voice_tag(cue)}\n" for cue in cues]
    return "\n".join(["WEBVTT\n", *parts])


def to_srt(cues: Sequence[Cue]) -> str:
    parts = [
        f"{number}\n{_times(cue).replace('.', ',')}\n{_escape_srt(_prefix_speaker(cue))}\n"
        for number, cue in enumerate(cues, 1)
    ]
    return "\n".join(parts)


def to_text(cues: Sequence[Cue]) -> str:
    return "".join(f"[{timestamp(cue.start_ms)[:-4]}] {_prefix_speaker(cue)}\n" for cue in cues)


def to_json(cues: Sequence[Cue]) -> str:
    """Format as Podcasting 2.0 JSON (podcast-namespace, transcripts.md), with seconds as numbers."""
    # An empty speaker marks "Nora: so" in this file as text, not as a speaker.
    needs_speaker = _looks_named(cues)
    segments = [
        {
            **({"speaker": cue.speaker} if cue.speaker or needs_speaker else {}),
            "startTime": cue.start_ms / 1000,
            "endTime": cue.end_ms / 1000,
            "body": cue.text,
        }
        for cue in cues
    ]
    return json.dumps({"version": "1.0.0", "segments": segments}, ensure_ascii=False, indent=1) + "\n"


# file extension -> (media type, writer)
FORMS = {
    "vtt": ("text/vtt; charset=utf-8", to_vtt),
    "srt": ("application/x-subrip; charset=utf-8", to_srt),
    "txt": ("text/plain; charset=utf-8", to_text),
    "json": ("application/json", to_json),
}


def _times(cue: Cue) -> str:
    return f"{timestamp(cue.start_ms)} --> {timestamp(cue.end_ms)}"


def _looks_named(cues: Sequence[Cue]) -> bool:
    """Return whether no cue has a speaker although a reader could find names in the text."""
    return not any(cue.speaker for cue in cues) and any(NAMED.search(cue.text) for cue in cues)


def _voice_tag(cue: Cue) -> str:
    text, speaker = html.escape(cue.text, quote=False), html.escape(cue.speaker, quote=False)
    text = text.replace("{\\", "&#123;\\")  # no position, such as {\an8}
    gap = " " if speaker.endswith("--") else ""  # "-->" would be read as the arrow between times
    return f"<v {speaker}{gap}>{text}" if speaker else text


def _prefix_speaker(cue: Cue) -> str:
    return f"{cue.speaker}: {cue.text}" if cue.speaker else cue.text


def _escape_srt(text: str) -> str:
    """Escape text that would be read as an entity or as times. Players show all other characters as they are."""
    text = AMPERSAND.sub("&amp;", text)
    return TIMES.sub(r"\1--&gt;", text)
