"""The samples of all channels together are limited, because a small file of silence can take a lot of work to
decode."""

from pathlib import Path
from typing import Any

import av
import pytest
from av.audio.frame import AudioFrame

from archive.errors import Unreadable
from archive.intake.audio.measure import AudioFacts, measure, pcm
from tests.support.errors import raises_error

RATE, SECONDS = 192_000, 5
SAMPLES = RATE * SECONDS * 8


@pytest.fixture(scope="module")
def silence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight silent channels at 192 kHz."""
    path = tmp_path_factory.mktemp("silence") / "silence.flac"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("flac", rate=RATE, layout="7.1")
        for start in range(0, RATE * SECONDS, RATE):
            frame = AudioFrame(format="s16", layout="7.1", samples=RATE)
            frame.sample_rate, frame.pts = RATE, start
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert path.stat().st_size < 100_000
    return path


def analyze(path: Path) -> AudioFacts:
    return measure(path, longest_seconds=60, step=lambda seconds: None).measured


def test_samples_of_all_channels_count(silence: Path, settings: Any) -> None:
    settings.MAX_RECORDING_SAMPLES = SAMPLES
    assert analyze(silence).channels == 8

    settings.MAX_RECORDING_SAMPLES = SAMPLES - 1
    with raises_error(Unreadable, "audio.too_many_samples", limit=SAMPLES - 1, file="silence.flac"):
        analyze(silence)


def test_transcription_has_the_same_limit(silence: Path, settings: Any) -> None:
    settings.MAX_RECORDING_SAMPLES = 100_000

    with pcm(silence) as samples, raises_error(Unreadable, "audio.too_many_samples"):
        samples.read()


def test_a_day_of_stereo_is_accepted(settings: Any) -> None:
    assert settings.MAX_RECORDING_SAMPLES > 24 * 3600 * 48_000 * 2


def test_a_decoder_that_hangs_ends_before_its_task(settings: Any) -> None:
    assert settings.DECODER_SECONDS == 360
    assert settings.DECODER_SECONDS < settings.CELERY_TASK_SOFT_TIME_LIMIT == 480
