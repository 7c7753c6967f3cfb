"""Peak and loudness, silence, and the waveform."""

import array
import json
import wave
from pathlib import Path
from typing import Any

import pytest

from archive.intake.audio.measure import AudioAnalysis, measure
from tests.support.audio_files import RATE, SECOND, make_silence


def analyze(path: Path) -> AudioAnalysis:
    return measure(path, longest_seconds=86_400, step=lambda seconds: None)


def waveform(analysis: AudioAnalysis) -> Any:
    return json.loads(analysis.peaks)


def make_talk(path: Path, *stretches: tuple[float, float]) -> Path:
    """Write a WAV of (seconds, amplitude as a share of a third of full scale) segments of a tone."""
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, RATE, 0, "NONE", ""))
        for seconds, share in stretches:
            tone = array.array("h", [round(sample * share) for sample in SECOND]) * 61
            out.writeframes(tone[: round(seconds * RATE)].tobytes())
    return path


def test_peak_and_level_against_full_scale(tmp_path: Path) -> None:
    analysis = analyze(make_talk(tmp_path / "talk.wav", (4, 1), (4, 0))).measured

    assert analysis.peak_dbfs == pytest.approx(-10.3, abs=0.2)
    assert analysis.level_dbfs == pytest.approx(
        -16.3, abs=0.2
    )  # a sine's RMS is 3 dB below its peak, and half of it is silent: 3 dB more


def test_digital_silence_has_no_level(tmp_path: Path) -> None:
    analysis = analyze(make_silence(tmp_path / "quiet.wav", seconds=3))

    assert (analysis.measured.peak_dbfs, analysis.measured.level_dbfs, analysis.measured.silent_ms) == (
        None,
        None,
        3000,
    )
    assert analysis.measured.outline == [0] * 30
    assert waveform(analysis) == {"duration": 3.0, "peaks": [[0.0] * 30]}


def test_only_pauses_of_a_second_or_more_are_silence(tmp_path: Path) -> None:
    path = make_talk(tmp_path / "talk.wav", (3, 1), (2, 0), (3, 1), (0.7, 0), (3, 1), (1.5, 0.001))

    assert analyze(path).measured.silent_ms == pytest.approx(3500, abs=200)


def test_silence_across_windows_is_counted_once(tmp_path: Path) -> None:
    path = make_talk(tmp_path / "talk.wav", (59.5, 1), (1.2, 0), (2, 1))  # less than a second on each side of 1:00

    assert analyze(path).measured.silent_ms == pytest.approx(1200, abs=200)


def test_the_waveform_follows_level_and_length(tmp_path: Path) -> None:
    waveform_peaks = waveform(analyze(make_talk(tmp_path / "talk.wav", (1, 1), (1, 0.1), (2, 0))))

    (channel,) = waveform_peaks["peaks"]
    assert (waveform_peaks["duration"], len(channel)) == (4.0, 40)
    assert channel[2:8] == pytest.approx([0.31] * 6, abs=0.02)
    assert channel[12:18] == pytest.approx([0.03] * 6, abs=0.01)
    assert channel[22:] == [0.0] * 18


def test_the_outline_is_a_hundred_steps_and_the_loudest_is_100(tmp_path: Path) -> None:
    analysis = analyze(make_talk(tmp_path / "talk.wav", (15, 0.5), (15, 1))).measured

    assert len(analysis.outline) == 100
    assert analysis.outline[5:45] == pytest.approx([50] * 40, abs=2)
    assert analysis.outline[55:95] == pytest.approx([100] * 40, abs=2)


def test_a_long_waveform_is_downsampled_without_losing_peaks(tmp_path: Path) -> None:
    path = make_silence(tmp_path / "long.wav", seconds=3000)
    with path.open("r+b") as file:
        file.seek(44 + 16_000 * 1234)
        file.write(b"\xff\x7f")  # full scale, once, at 20:34

    waveform_peaks = waveform(analyze(path))

    (channel,) = waveform_peaks["peaks"]
    assert 2000 <= len(channel) <= 4000
    loud = [step for step, peak in enumerate(channel) if peak > 0.5]
    assert [waveform_peaks["duration"] * step / len(channel) for step in loud] == pytest.approx([1234], abs=1.5)
