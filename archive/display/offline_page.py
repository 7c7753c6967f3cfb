"""index.html of a bundle: the Space's page, made to be opened from a disk, without any network.

It has the same partial templates, styles and scripts as the portal's page (assets.py). There is no moment in it
but the Space's own, so the same content gives the same bytes; the clock on it counts by the reader's machine.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string

from archive import cues, formatting
from archive.display import space as space_display
from archive.display.assets import TEMPLATE, assets
from archive.display.deadline_reasons import render_reasons
from archive.display.space import ClockFace
from archive.display.violations import flags
from archive.models import Recording, Space, Transcript
from archive.policy import Deadline, ReasonCode


@dataclass(frozen=True)
class File:
    """One that lies beside the page. `size`: bytes, or None where it is small."""

    name: str
    label: str
    size: int | None = None


def render_offline_page(  # noqa: PLR0913  # one argument for each thing that the page shows
    space: Space,
    recording: Recording,
    transcript: Transcript | None,
    *,
    sound: str,
    peaks: list[list[float]] | None,
    files: Sequence[File],
    missing: Sequence[str] = (),
    nonce: str,
) -> bytes:
    """`sound` is the name of the file that browsers can play, empty where there is none; `peaks` are what the waveform
    is drawn from; `missing` are names of files that the store had lost; `nonce` allows the style sheet of
    the waveform, so no text on the page may contain it."""
    context: dict[str, Any] = {
        "offline": True,
        "assets": assets(),
        "policy": assets().policy(nonce),
        "nonce": nonce,
        "space": space,
        "face": face(space),
        "recording": recording,
        "length": formatting.format_duration(recording.duration_ms / 1000),
        "audio_url": sound,
        "peaks": _data(peaks) if peaks else "",
        "cues": space_display.cue_rows(cues.load(transcript.cues)) if transcript else [],
        "facts": space_display.facts(space),
        "participants": space.participants.all(),
        "violations": flags(space),
        "files": files,
        "missing": missing,
    }
    return render_to_string(TEMPLATE, context).encode()


def face(space: Space) -> ClockFace:
    """The clock as it stands without a moment to look at it; clock.js counts from there, and goes on past the
    deadline."""
    due, yours = space.stored_deadline(), "This one is yours."
    if due.at is None:
        sentence = f"Spacekeep keeps its copy until a hold is released. {yours}"
        return ClockFace("kept", "Kept", sentence, space.ended_at, None, 0.0, [], render_reasons(due), "Kept")
    at = formatting.format_time(due.at)
    return ClockFace(
        tone="kept" if "violation" in due.codes else "calm",
        label=f"Kept until {at.partition(',')[0]}",
        sentence=f"Spacekeep keeps its copy until {at}. {yours}",
        ended_at=space.ended_at,
        until=due.at,
        percent=0.0,
        marks=space_display.marks(space.ended_at, due.at, _deleting_days(due)),
        reasons=render_reasons(due),
        over="Yours to keep",
        over_sentence=f"Spacekeep's copy was due to be deleted on {at}. {yours}",
    )


def _deleting_days(due: Deadline) -> list[int]:
    """The days after the end of the Space to mark, from the stored reasons: the policy in the settings may have changed
    since."""
    numbers = {ReasonCode.BASE: "days", ReasonCode.VIOLATION: "total_days"}
    days = {getattr(reason, numbers[ReasonCode(reason.code)]) for reason in due.reasons if reason.code in numbers}
    return sorted(days)


def _data(value: Any) -> str:
    """JSON that can stand inside of a <script>."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
