"""Files that are not recordings, or are incomplete, are refused with a reason."""

import os
from pathlib import Path
from typing import Any

import pytest

from archive.errors import Unreadable
from archive.intake.audio.measure import AudioFacts, measure
from tests.support.audio_files import claim_ten_hours, cut, make_film, make_silence, make_tone
from tests.support.errors import raises_error

DAY = 24 * 3600


def measure_facts(path: Path, *, longest_seconds: int = DAY, accept_short: bool = False) -> AudioFacts:
    return measure(path, longest_seconds=longest_seconds, accept_short=accept_short, step=lambda seconds: None).measured


def refused(path: Path, **options: int) -> tuple[str, dict[str, Any]]:
    """Return the code and the parameters of the refusal."""
    with pytest.raises(Unreadable) as error:
        measure_facts(path, **options)  # type: ignore[arg-type]
    return error.value.code, error.value.params


NO_AUDIO = "audio.unreadable"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "audio.empty"),
        (b"Good evening, everyone.\n" * 500, NO_AUDIO),
        (b"\x89PNG\r\n\x1a\n" + bytes(1000), NO_AUDIO),
        (bytes(100_000), NO_AUDIO),
        (b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(10), NO_AUDIO),
    ],
    ids=["empty", "text", "PNG", "zeros", "only a tag"],
)
def test_files_that_are_no_recordings(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "talk.mp3"
    path.write_bytes(content)

    analysis, params = refused(path)

    assert (analysis, params["file"]) == (code, "talk.mp3")


def test_a_video_without_audio(tmp_path: Path) -> None:
    assert refused(make_film(tmp_path / "film.m4a"))[0] == "audio.silent"


def test_an_m4a_that_was_cut_before_its_index(tmp_path: Path) -> None:
    path = cut(make_tone(tmp_path / "talk.m4a", "m4a"), 0.5)

    assert refused(path)[0] == "audio.no_index"


@pytest.mark.parametrize("kind", ["m4a", "wav", "flac"])
def test_a_truncated_recording(tmp_path: Path, kind: str) -> None:
    path = cut(make_tone(tmp_path / "talk", kind, seconds=24, index_first=kind == "m4a"), 0.5)

    code, params = refused(path)

    assert (code, round(params["claimed"])) == ("audio.too_short", 24)
    assert 10 <= params["heard"] < 20
    assert measure_facts(path, accept_short=True).duration_ms == pytest.approx(12_000, abs=600)


@pytest.mark.parametrize("kind", ["wav", "mp3"])
def test_three_seconds_that_claim_ten_hours(tmp_path: Path, kind: str) -> None:
    path = claim_ten_hours(make_tone(tmp_path / "talk", kind), kind)

    code, params = refused(path)

    assert (code, round(params["claimed"]), round(params["heard"])) == ("audio.too_short", 36_000, 3)
    assert measure_facts(path, accept_short=True).duration_ms == pytest.approx(3000, abs=50)


def test_an_mp3_may_be_cut_for_its_length_is_only_an_estimate(tmp_path: Path) -> None:
    path = cut(make_tone(tmp_path / "talk.mp3", "mp3", seconds=8), 0.7)

    assert measure_facts(path).duration_ms == pytest.approx(5600, abs=200)


def test_a_corrupted_recording(tmp_path: Path) -> None:
    path = make_tone(tmp_path / "talk.flac", "flac", seconds=8)
    data = bytearray(path.read_bytes())
    for at in range(len(data) // 4, len(data), 500):
        data[at : at + 50] = b"\xa5" * 50
    path.write_bytes(data)

    assert refused(path)[0] in ("audio.damaged", "audio.too_short")


def test_a_too_long_recording_is_refused_before_its_end(tmp_path: Path) -> None:
    path, steps = make_silence(tmp_path / "long.wav", seconds=3600), list[float]()

    with raises_error(Unreadable, "audio.too_long", limit=150):
        measure(path, longest_seconds=150, step=steps.append)

    assert steps == [60, 120, 180]


def test_a_pipe_or_a_folder_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")

    with raises_error(Unreadable, "audio.empty", file="pipe.wav"):
        measure_facts(tmp_path / "pipe.wav")
    with raises_error(Unreadable, "audio.not_a_file"):
        measure_facts(tmp_path)
