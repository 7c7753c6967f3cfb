"""Metadata tags are read from a few bytes of a recording."""

import time
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutagen.flac import FLAC
from mutagen.id3 import TDRC, TIT2, TPE1
from mutagen.mp3 import MP3
from mutagen.mp4 import MP4
from mutagen.oggopus import OggOpus

from archive.intake.importers import find, inspect
from tests.support.audio_files import make_tone

NOTE = "talk.{}: its tags name Nora and the date 2026-11-22, which is not used as the end of the Space."

# mutagen gives these constructors no types.
TYPELESS: dict[str, Callable[..., Any]] = {"MP3": MP3, "MP4": MP4, "TIT2": TIT2, "TPE1": TPE1, "TDRC": TDRC}


@pytest.fixture
def tagged(tmp_path: Path) -> dict[str, Path]:
    """Write one second of a tone in each format, with tags."""
    files = {kind: make_tone(tmp_path / f"talk.{kind}", kind, seconds=1) for kind in ("m4a", "mp3", "opus", "flac")}
    mp4 = TYPELESS["MP4"](files["m4a"])
    mp4["\xa9nam"], mp4["\xa9ART"], mp4["\xa9day"] = "Seeds", "Nora", "2026-11-22"
    mp4.save()
    mp3 = TYPELESS["MP3"](files["mp3"])
    mp3["TIT2"], mp3["TPE1"], mp3["TDRC"] = (
        TYPELESS[frame](text=text) for frame, text in (("TIT2", "Seeds"), ("TPE1", "Nora"), ("TDRC", "2026-11-22"))
    )
    mp3.save()
    for kind, form in (("opus", OggOpus), ("flac", FLAC)):
        comments = form(files[kind])
        comments["title"], comments["artist"], comments["date"] = "Seeds", "Nora", "2026-11-22"
        comments.save()
    return files


@pytest.mark.parametrize("kind", ["m4a", "mp3", "opus", "flac"])
def test_the_title_is_found_and_the_date_is_only_shown(tagged: dict[str, Path], kind: str) -> None:
    (candidate,) = find(tagged[kind])

    assert (candidate.facts.title, candidate.facts.ended_at, candidate.missing) == ("Seeds", None, ("--ended-at",))
    assert candidate.facts.notes == (NOTE.format(kind),)


def test_the_index_alone_is_enough(tagged: dict[str, Path]) -> None:
    """The upload page sends only ftyp and moov of an m4a, without the audio between them."""
    data = tagged["m4a"].read_bytes()
    moov = data.index(b"moov") - 4
    size = int.from_bytes(data[moov : moov + 4], "big")

    facts = inspect({"talk.m4a": data[: int.from_bytes(data[:4], "big")] + data[moov : moov + size]})

    assert facts.title == "Seeds"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("kind", ["m4a", "mp3", "opus", "flac"])
def test_a_truncated_file_is_no_error(tagged: dict[str, Path], kind: str, share: float) -> None:
    data = tagged[kind].read_bytes()

    assert inspect({"talk.mp3": data[: int(len(data) * share)]}).ended_at is None


def test_a_compressed_tag_bomb_uses_little_memory() -> None:
    packed = zlib.compress(b"\x03" + b"a" * 200 * 1024**2, 9)
    frame = b"TIT2" + _seven_bits(len(packed) + 4) + b"\x00\x09" + _seven_bits(2**27) + packed
    bomb = b"ID3\x04\x00\x00" + _seven_bits(len(frame)) + frame

    tracemalloc.start()
    began = time.process_time()
    facts = inspect({"talk.mp3": bomb[: 256 * 1024]})
    seconds, (_, peak) = time.process_time() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert facts.ended_at is None
    assert seconds < 5
    assert peak < 64 * 1024**2


@pytest.mark.parametrize("holder", [b"moov", b"udta"])
def test_half_a_million_empty_boxes_use_little_memory(holder: bytes) -> None:
    boxes = b"\x00\x00\x00\x08free" * 500_000
    inner = boxes if holder == b"moov" else (len(boxes) + 8).to_bytes(4, "big") + b"udta" + boxes
    data = b"\x00\x00\x00\x10ftypM4A \x00\x00\x00\x00" + (len(inner) + 8).to_bytes(4, "big") + b"moov" + inner

    tracemalloc.start()
    facts = inspect({"talk.m4a": data})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert facts.title == ""
    assert peak < 32 * 1024**2


@given(
    st.sampled_from([b"ID3\x04\x00\x00\x00\x00\x01\x00", b"\x00\x00\x00\x10ftypM4A ", b"OggS\x00\x02", b"fLaC\x00"]),
    st.binary(max_size=400),
)
def test_any_bytes_are_no_error(magic: bytes, rest: bytes) -> None:
    assert inspect({"talk.m4a": magic + rest}).ended_at is None


def _seven_bits(number: int) -> bytes:
    """Encode a size as ID3 does."""
    return bytes(number >> shift & 127 for shift in (21, 14, 7, 0))
