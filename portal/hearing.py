"""What a page needs so that a Space can be heard: where its sound comes from, its lines, its shape. Plain values."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.urls import reverse

from archive import cues
from archive.models import Derived, Recording, Space, Transcript
from archive.words import length

VOICES = 10  # that the pages' colours can tell apart


@dataclass(frozen=True)
class CueRow:
    """A line of the transcript for the page, in order. `start` and `end` are seconds as `?t=` takes them, `end` empty
    where it is not known; `voice` (0-9) tells speakers apart; `turn`: somebody else begins to speak."""

    stamp: str
    start: str
    end: str
    speaker: str
    text: str
    voice: int
    turn: bool


def cue_rows(kept: Transcript | None) -> list[CueRow]:
    rows, voices, before = [], dict[str, int](), None
    for cue in cues.load(kept.cues) if kept else []:
        voice = voices.setdefault(cue.speaker, len(voices) % VOICES)
        start, end = _seconds(cue.start_ms), _seconds(cue.end_ms) if cue.end_ms else ""
        stamp = length(cue.start_ms // 1000)
        rows.append(CueRow(stamp, start, end, cue.speaker, cue.text, voice, cue.speaker != before))
        before = cue.speaker
    return rows


def player(space: Space) -> dict[str, Any]:
    """The context of spaces/player.html, but for the recording."""
    has_peaks = space.derived.filter(kind=Derived.Kind.PEAKS).exists()
    return {
        "audio_url": reverse("audio", args=[space.pk]),
        "peaks_url": reverse("peaks", args=[space.pk]) if has_peaks else None,
        "audio_lives": settings.SIGNED_URL_SECONDS,
    }


def outline(recording: Recording | None) -> dict[str, Any] | None:
    """Of a recording whose loudness is known, the path of a small picture of it, `width` by 100, loudest 100 high."""
    steps = recording.outline if recording else []
    if not steps:
        return None
    high = [max(2, min(100, round(step))) / 2 for step in steps]  # silence is a thin line, and not nothing
    above = "".join(f"L{x} {50 - y:g}H{x + 1}" for x, y in enumerate(high))
    below = "".join(f"L{x + 1} {50 + y:g}H{x}" for x, y in reversed(list(enumerate(high))))
    return {"width": len(high), "path": f"M0 50{above}{below}Z"}


def _seconds(milliseconds: int) -> str:
    """33000 is 33, and 33120 is 33.12."""
    whole, rest = divmod(milliseconds, 1000)
    return f"{whole}.{rest:03}".rstrip("0") if rest else str(whole)
