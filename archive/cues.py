"""What was said, as one structure, and the forms in which people get it."""

import html
import io
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from webvtt import Caption, WebVTT

# Nobody says them; some move a terminal's cursor, and PostgreSQL takes no NUL.
CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")
SURROGATES = re.compile(r"[\ud800-\udfff]")  # halves of characters, which JSON can hold and UTF-8 can't


@dataclass(frozen=True)
class Cue:
    """One stretch of speech: milliseconds from the start of the recording, who spoke ("" if not known), and plain
    text. Both texts are as `plain` makes them; the forms below hold nothing else."""

    start_ms: int
    end_ms: int
    speaker: str
    text: str


def load(rows: Iterable[dict[str, Any]]) -> list[Cue]:
    """From what `Transcript.cues` holds."""
    return [Cue(**row) for row in rows]


def dump(cues: Iterable[Cue]) -> list[dict[str, Any]]:
    return [asdict(cue) for cue in cues]


def plain(text: str) -> str:
    """As a cue holds it: one line, single blanks, no control characters, nothing that can't be written as UTF-8."""
    return " ".join(SURROGATES.sub("\N{REPLACEMENT CHARACTER}", CONTROLS.sub("", text)).split())


def timestamp(milliseconds: int) -> str:
    """00:12:34.000, as WebVTT writes it."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"


def to_vtt(cues: Sequence[Cue]) -> str:
    captions = [_caption(cue, _voice(cue)) for cue in cues]
    return str(WebVTT(captions=captions).content)


# What SRT and text can't hold: SRT the tags that its own look like (<b>, {\an8}); text the ends and the milliseconds;
# both a name where fewer than half of the lines have one, or one with a colon, or "It is: so" said by nobody in
# particular where most lines have a name. WebVTT and JSON hold everything, but JSON of single words is joined to lines.
def to_srt(cues: Sequence[Cue]) -> str:
    out = io.StringIO()
    WebVTT(captions=[_caption(cue, html.escape(_named(cue), quote=False)) for cue in cues]).write(out, format="srt")
    return html.unescape(out.getvalue()) + "\n"


def to_text(cues: Sequence[Cue]) -> str:
    return "".join(f"[{timestamp(cue.start_ms)[:-4]}] {_named(cue)}\n" for cue in cues)


def to_json(cues: Sequence[Cue]) -> str:
    """Podcasting 2.0 (podcast-namespace, transcripts.md): seconds as numbers."""
    segments = [
        {
            **({"speaker": cue.speaker} if cue.speaker else {}),
            "startTime": cue.start_ms / 1000,
            "endTime": cue.end_ms / 1000,
            "body": cue.text,
        }
        for cue in cues
    ]
    return json.dumps({"version": "1.0.0", "segments": segments}, ensure_ascii=False, indent=1) + "\n"


# ending -> (media type, writer)
FORMS = {
    "vtt": ("text/vtt; charset=utf-8", to_vtt),
    "srt": ("application/x-subrip; charset=utf-8", to_srt),
    "txt": ("text/plain; charset=utf-8", to_text),
    "json": ("application/json", to_json),
}


def _caption(cue: Cue, text: str) -> Caption:
    return Caption(timestamp(cue.start_ms), timestamp(cue.end_ms), text)


def _voice(cue: Cue) -> str:
    text, speaker = html.escape(cue.text, quote=False), html.escape(cue.speaker, quote=False)
    gap = " " if speaker.endswith("--") else ""  # with the bracket it would be the arrow of a time
    return f"<v {speaker}{gap}>{text}" if speaker else text


def _named(cue: Cue) -> str:
    return f"{cue.speaker}: {cue.text}" if cue.speaker else cue.text
