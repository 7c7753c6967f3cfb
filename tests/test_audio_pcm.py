"""PCM samples for transcription are decoded while they are read."""

import array
import os
import signal
from itertools import pairwise
from pathlib import Path

import pytest

from archive.errors import Unreadable
from archive.intake.audio.measure import pcm
from tests.support.audio_files import make_silence, make_tone
from tests.support.errors import raises_error
from tests.support.procfs import children, decoder_pid


def samples(path: Path, start_ms: int = 0) -> "array.array[int]":
    with pcm(path, start_ms=start_ms) as sound:
        return array.array("h", sound.read())


def test_the_whole_recording_is_read_at_16_khz(tmp_path: Path) -> None:
    pcm = samples(make_tone(tmp_path / "talk.flac", "flac", seconds=3))

    assert len(pcm) == pytest.approx(48_000, abs=20)
    assert max(pcm) == pytest.approx(10_000, rel=0.02)
    crossings = sum(a < 0 <= b for a, b in pairwise(pcm))
    assert crossings == pytest.approx(3 * 440, abs=3)


def test_reading_can_start_at_an_offset(tmp_path: Path) -> None:
    path = make_tone(tmp_path / "talk.opus", "opus", seconds=5)

    assert samples(path, start_ms=3500) == samples(path)[56_000:]


def test_a_start_after_the_end_gives_nothing(tmp_path: Path) -> None:
    assert len(samples(make_silence(tmp_path / "s.wav", seconds=2), start_ms=60_000)) == 0


def test_reading_may_stop_anywhere(tmp_path: Path) -> None:
    path, before = make_silence(tmp_path / "long.wav", seconds=3600), children()

    with pcm(path) as sound:
        assert len(sound.read(32_000)) == 32_000

    assert children() == before


def test_a_file_without_audio_is_refused_not_empty(tmp_path: Path) -> None:
    path = tmp_path / "talk.m4a"
    path.write_bytes(b"Good evening, everyone.\n" * 500)

    with raises_error(Unreadable, "audio.unreadable"), pcm(path) as sound:
        sound.read()


def test_a_dead_decoder_is_an_error_not_the_end(tmp_path: Path) -> None:
    path = make_silence(tmp_path / "long.wav", seconds=3600)

    with pcm(path) as sound:
        sound.read(32_000)
        os.kill(decoder_pid(), signal.SIGKILL)

        with raises_error(Unreadable, "audio.decoder_killed"):
            sound.read()
