"""Recordings in formats that browsers cannot play get an access copy."""

from pathlib import Path

import av
import pytest

from archive.intake.audio.measure import AudioAnalysis, measure
from tests.support.audio_files import make_archived, make_tone

DAY = 24 * 3600


def analyze(path: Path, access_copy: Path | None) -> AudioAnalysis:
    return measure(path, longest_seconds=DAY, step=lambda seconds: None, access_copy=access_copy)


@pytest.mark.parametrize("kind", ["m4a", "mp3", "opus", "webm", "wav", "flac"])
def test_no_copy_of_a_format_that_browsers_play(tmp_path: Path, kind: str) -> None:
    copy = tmp_path / "copy.m4a"

    analysis = analyze(make_tone(tmp_path / "talk", kind), copy)

    assert not analysis.has_access_copy
    assert copy.read_bytes() == b""


@pytest.mark.parametrize("kind", ["aac", "ts", "alac", "ac3", "mulaw"])
def test_other_formats_become_a_faststart_m4a(tmp_path: Path, kind: str) -> None:
    copy = tmp_path / "copy.m4a"
    before = analyze(make_tone(tmp_path / "talk", kind, seconds=5), copy)

    assert before.has_access_copy
    after = analyze(copy, None).measured
    assert (after.extension, after.codec, after.channels) == ("m4a", "aac", 1)
    assert after.duration_ms == pytest.approx(5000, abs=60)
    assert after.peak_dbfs == pytest.approx(-10.3, abs=0.8)
    data = copy.read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(container.streams.audio[0]) if packet.size]


def test_aac_is_remuxed_not_re_encoded(tmp_path: Path) -> None:
    original, copy = make_archived(tmp_path / "space.ts", seconds=5), tmp_path / "copy.m4a"

    assert analyze(original, copy).has_access_copy

    assert packets(copy) == [packet[7:] for packet in packets(original)]  # without the header that raw AAC needs
    with av.open(str(copy)) as container:
        times = [packet.pts for packet in container.demux(container.streams.audio[0]) if packet.size]
    assert times == [1024 * number for number in range(len(times))]


def test_a_stream_whose_rate_changes_is_encoded(tmp_path: Path) -> None:
    original, copy = tmp_path / "joined.aac", tmp_path / "copy.m4a"
    first, second = make_tone(tmp_path / "a", "aac", seconds=3), make_tone(tmp_path / "b", "aac", seconds=3, rate=24000)
    original.write_bytes(first.read_bytes() + second.read_bytes())

    assert analyze(original, copy).has_access_copy

    assert analyze(copy, None).measured.duration_ms == pytest.approx(6000, abs=150)


def test_a_copy_into_a_file_without_a_name(tmp_path: Path) -> None:
    with (tmp_path / "copy").open("w+b") as file:
        (tmp_path / "copy").unlink()

        assert analyze(make_tone(tmp_path / "talk.ts", "ts"), Path(f"/dev/fd/{file.fileno()}")).has_access_copy

        file.seek(4)
        assert file.read(4) == b"ftyp"
