"""Create Spaces that the player can play, with audio, waveform and transcript, without running intake."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from archive.models import Derived, Recording, Space, Transcript, User
from archive.storage import keys
from tests.support.factory import DEMO, make_row
from tests.support.stored_objects import put_object

DEMO_LINES = [  # lines of the demo recording (88 s): start and end in seconds, speaker, text
    (0.6, 5.4, "Nora", "Good evening, everyone, and welcome to the seed library room. I'm Nora."),
    (6, 9.25, "Felix", "And I'm Felix. Pull up a chair, the kettle is on."),
    (9.85, 14.76, "Nora", "Tonight we have Ida with us. She looks after the little cabinet of seeds on the lane."),
    (15.36, 20.27, "Ida", "Hello! Thank you for having me. I brought my notebook, and a tin of beans."),
    (33.04, 40, "Ida", "Seeds want to be seeds: a SEED that is not sown is a snack."),
    (81.09, 84.23, "Nora", "Bring a packet on Saturday, and we will see you there."),
    (84.83, 87.73, "Felix", "Good night, everyone. And mind the snails."),
]
TimedLine = tuple[float, float, str, str]


def make_playable_space(
    host: User,
    *,
    recording: Path = DEMO / "recording.m4a",
    duration_ms: int = 88_366,
    lines: list[TimedLine] | None = None,
    peaks: list[float] | None = None,
    deadline: datetime | None = None,
) -> Space:
    """Create a Space, by default with the demo recording and DEMO_LINES. `peaks`: values from 0 to 1; None: no
    waveform."""
    options: dict[str, Any] = {"ended_at": deadline - timedelta(days=30)} if deadline else {}
    space = make_row(host, title="The seed library room", **options)
    stored = put_object(keys.recording(space.pk, 1, recording.suffix[1:]), recording.read_bytes())
    kind = {"extension": recording.suffix[1:], "content_type": TYPES[recording.suffix], "codec": "aac"}
    Recording.objects.create(
        space=space, duration_ms=duration_ms, sample_rate=44100, channels=1, **kind, **vars(stored)
    )
    spoken = [_cue(*line) for line in (DEMO_LINES if lines is None else lines)]
    if spoken:
        stored = put_object(f"{keys.prefix(space.pk)}transcript/1.en.vtt", b"WEBVTT")
        Transcript.objects.create(space=space, language="en", cues=spoken, **vars(stored))
    if peaks is not None:
        make_peaks(space, json.dumps({"duration": duration_ms / 1000, "peaks": [peaks]}).encode())
    return space


TYPES = {".m4a": "audio/mp4", ".wav": "audio/wav"}


def make_peaks(space: Space, data: bytes) -> Derived:
    stored = put_object(keys.peaks(space.pk), data)
    return Derived.objects.create(space=space, kind="peaks", content_type="application/json", **vars(stored))


def _cue(start: float, end: float, speaker: str, text: str) -> dict[str, Any]:
    return {"start_ms": round(start * 1000), "end_ms": round(end * 1000), "speaker": speaker, "text": text}
