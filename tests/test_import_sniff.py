"""File types are detected by the first bytes, also of hostile and unusual files."""

import io
import random
import wave
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.intake.importers.sniff import SNIFFED_BYTES, Kind, detect_kind
from tests.support.audio_files import KINDS, make_archived, make_tone


def kind_of(data: bytes) -> str:
    return detect_kind(data[:SNIFFED_BYTES], is_whole=len(data) <= SNIFFED_BYTES).value


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_format_that_is_made_here_is_sound(tmp_path: Path, kind: str) -> None:
    assert kind_of(make_tone(tmp_path / "x", kind, seconds=1).read_bytes()) == "sound"


def test_streams_without_a_header_are_sound(tmp_path: Path) -> None:
    mp3 = make_tone(tmp_path / "a", "mp3", seconds=1).read_bytes()
    aac = make_tone(tmp_path / "b", "aac", seconds=1).read_bytes()
    ts = make_tone(tmp_path / "c", "ts", seconds=1).read_bytes()
    frames = mp3[mp3.index(b"\xff\xfb", 200) :]  # without the ID3 tag

    assert kind_of(frames) == "sound"
    assert kind_of(bytes(500) + frames) == "sound"  # with padding in front
    assert kind_of(b"\xff\xff garbage" + aac) == "sound"
    assert kind_of(b"".join(b"time" + ts[n : n + 188] for n in range(0, 20 * 188, 188))) == "sound"  # M2TS
    assert kind_of(make_archived(tmp_path / "d", seconds=1).read_bytes()) == "sound"


def test_a_short_stream_may_end_after_two_frames(tmp_path: Path) -> None:
    aac = make_tone(tmp_path / "b", "aac", seconds=1).read_bytes()
    length = (aac[3] & 3) << 11 | aac[4] << 3 | aac[5] >> 5
    second = (aac[length + 3] & 3) << 11 | aac[length + 4] << 3 | aac[length + 5] >> 5

    assert kind_of(aac[: length + second]) == "sound"
    assert kind_of(aac[:length]) == "unknown"


def test_a_waveform_of_silence_is_sound_and_its_samples_alone_are_not() -> None:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(bytes(32_000))

    assert kind_of(buffer.getvalue()) == "sound"
    assert kind_of(bytes(32_000)) == "unknown"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\x00\x00\x00\x18ftypheic", "picture"),  # the same container as m4a
        (b"\x00\x00\x00\x18ftypavif", "picture"),
        (b"\x00\x00\x00\x18ftypisom", "sound"),
        (b"\x00\x00\x00\x08wide\x00\x00\x10\x00mdat", "sound"),  # QuickTime of the 1990s
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "picture"),
        (b"RF64\xff\xff\xff\xffWAVEds64", "sound"),
        (b"FORM\x00\x00\x10\x00AIFFCOMM", "sound"),
        (b"12345678WAVE of applause, then beans.\n", "text"),
        (b"\x89PNG\r\n\x1a\n", "picture"),
        (b"%PDF-1.7", "document"),
        (b"Rar!\x1a\x07\x01\x00", "archive"),
        (b"\x7fELF\x02\x01\x01", "program"),
        (b"MZ\x90\x00\x03\x00", "program"),
        (b"MZ is how this text begins.\n", "text"),
        (b"BMW and beans.\n", "text"),
        (b"", "empty"),
        ("Grüße\n".encode(), "text"),
        ("Grüße\n".encode("cp1252"), "text"),
        ("Семена\n".encode("cp1251"), "text"),
        ("Grüße\n".encode("utf-16"), "text"),
        ("Beans and peas\n".encode("utf-16-le"), "text"),
        (b"\xef\xbb\xbfWEBVTT\n", "text"),
        (b"\x1b[1mWEBVTT\x1b[0m\n", "text"),
        (b"\x01\x02\x03\x04\x05\x06", "unknown"),
    ],
)
def test_other_files(data: bytes, kind: str) -> None:
    assert kind_of(data) == kind


def test_characters_cut_in_two_are_still_text() -> None:
    assert kind_of("豆".encode() * 20_000) == "text"


def test_noise_is_not_taken_for_frames() -> None:
    noise = random.Random(7)

    assert {kind_of(noise.randbytes(SNIFFED_BYTES + 1)) for _ in range(50)} == {"unknown"}


@given(st.binary(max_size=300))
def test_no_bytes_are_an_error(data: bytes) -> None:
    assert detect_kind(data, is_whole=True) in Kind
