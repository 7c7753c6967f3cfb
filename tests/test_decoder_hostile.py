"""Files made to break the decoder are refused, or decoded within the limits. Afterwards the next file is decoded."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings
from pytest_django import Settings

from archive.errors import Unreadable
from archive.intake.audio.measure import AudioFacts, measure
from tests.support import hostile_files
from tests.support.audio_files import cut, make_tone
from tests.support.procfs import children

MEMORY, NO_AUDIO, NO_SOUND = "audio.too_much_memory", "audio.unreadable", "audio.silent"


@pytest.fixture(autouse=True)
def _nobody_stays(settings: Settings) -> Iterator[None]:
    settings.DECODER_SECONDS = 30
    before = children()
    yield
    assert children() == before


@pytest.fixture(scope="module", autouse=True)
def _the_next_one_is_decoded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """After all tests of this module: each file has a decoder process of its own, so one check for all is enough."""
    yield
    assert measure_facts(make_tone(tmp_path_factory.mktemp("next") / "next.wav", "wav")).duration_ms == 3000


def measure_facts(path: Path, *, accept_short: bool = False, longest_seconds: int = 86_400) -> AudioFacts:
    return measure(path, longest_seconds=longest_seconds, accept_short=accept_short, step=lambda seconds: None).measured


def refused(path: Path, **options: int) -> str:
    """Return the code of the refusal."""
    with pytest.raises(Unreadable) as error:
        measure_facts(path, **options)  # type: ignore[arg-type]
    assert error.value.params["file"] == path.name
    return error.value.code


def test_a_wav_that_claims_4_tebibytes(tmp_path: Path) -> None:
    path = hostile_files.claim_four_tebibytes(tmp_path / "talk.wav")

    assert refused(path) == "audio.too_short"
    assert measure_facts(path, accept_short=True).duration_ms == 3000


def test_a_wav_of_unknown_length_is_accepted(tmp_path: Path) -> None:
    assert measure_facts(hostile_files.make_open_ended(tmp_path / "talk.wav")).duration_ms == 3000


def test_an_empty_track_is_refused(tmp_path: Path) -> None:
    assert refused(hostile_files.make_empty_track(tmp_path / "talk.m4a")) == NO_SOUND


def test_500_streams_are_refused(tmp_path: Path) -> None:
    assert refused(hostile_files.make_many_tracks(tmp_path / "talk.m4a", 500)) == MEMORY


def test_60_streams_are_accepted(tmp_path: Path) -> None:
    """The test has a third of the memory, so that its result does not depend on the number of cores."""
    path = hostile_files.make_many_tracks(tmp_path / "talk.m4a", 60)

    with override_settings(DECODER_MEMORY_BYTES=350 * 1024**2):
        assert measure_facts(path).duration_ms > 0


@pytest.mark.parametrize("kind", [b"APIC", b"PRIV"])
def test_100_megabytes_of_id3_are_refused(tmp_path: Path, kind: bytes) -> None:
    path = hostile_files.make_id3(tmp_path / "talk.mp3", 100_000_000, kind)

    assert refused(path) == "audio.too_many_tags"


def test_an_embedded_picture_is_accepted(tmp_path: Path) -> None:
    assert measure_facts(hostile_files.make_id3(tmp_path / "talk.mp3", 3_000_000)).duration_ms == pytest.approx(
        3000, abs=60
    )


@pytest.mark.parametrize(
    ("table", "place", "code"),
    [(b"stts", 8, MEMORY), (b"stsz", 8, NO_SOUND), (b"stsz", 12, NO_AUDIO), (b"stsc", 8, NO_AUDIO)],
    ids=["stts entries", "stsz sample size", "stsz samples", "stsc entries"],
)
def test_an_m4a_that_claims_4_billion_samples(tmp_path: Path, table: bytes, place: int, code: str) -> None:
    assert refused(hostile_files.claim_samples(tmp_path / "talk.m4a", table, place, 0xFFFFFFF0)) == code


def test_hours_of_silence_in_a_few_kilobytes(tmp_path: Path) -> None:
    path = hostile_files.make_bomb(tmp_path / "talk.flac", 4 * 3600)

    assert path.stat().st_size < 50_000
    assert refused(path, longest_seconds=3600) == "audio.too_long"


def test_the_memory_limit_holds(tmp_path: Path) -> None:
    """The limit is less than the program itself needs. If even its stack cannot grow, the kernel ends it with
    SIGSEGV."""
    with override_settings(DECODER_MEMORY_BYTES=64 * 1024**2):
        assert refused(make_tone(tmp_path / "talk.m4a", "m4a")) in (MEMORY, "audio.decoder_broke_off")


@pytest.mark.parametrize(
    "start",
    [
        b"\xff\xf1\x50\x80",
        b"OggS",
        b"fLaC\0\0\0\x22",
        b"\0\0\0\x18ftypM4A ",
        b"\x1a\x45\xdf\xa3",
        b"ID3\x04\0\0\0\0\x10\0",
        b"",
    ],
    ids=["adts", "ogg", "flac", "mp4", "webm", "id3", "nothing"],
)
def test_noise_behind_a_valid_start(tmp_path: Path, start: bytes) -> None:
    code = refused(hostile_files.make_random(tmp_path / "talk.m4a", start))

    assert code in (NO_AUDIO, NO_SOUND, "audio.damaged")


@pytest.mark.parametrize("kind", ["opus", "webm", "ts", "mp3"])
def test_a_truncated_file_is_decoded_to_its_end(tmp_path: Path, kind: str) -> None:
    path = cut(make_tone(tmp_path / "talk", kind, seconds=10), 0.8)

    assert 5000 < measure_facts(path, accept_short=True).duration_ms < 9000
