"""A recording's length, format and channels come from decoding it, never from its name."""

import subprocess
import sys
from pathlib import Path

import av
import pytest
from av.audio.stream import AudioStream

from archive.intake.audio.measure import AudioFacts, measure
from tests.support.audio_files import make_archived, make_silence, make_tone

DAY = 24 * 3600


def measure_facts(path: Path) -> AudioFacts:
    return measure(path, longest_seconds=DAY, step=lambda seconds: None).measured


@pytest.mark.parametrize(
    ("kind", "name", "extension", "content_type", "codec"),
    [
        ("m4a", "talk.mp3", "m4a", "audio/mp4", "aac"),
        ("mp3", "talk.wav", "mp3", "audio/mpeg", "mp3float"),
        ("opus", "talk.m4a", "ogg", "audio/ogg", "opus"),
        ("wav", "talk.txt", "wav", "audio/wav", "pcm_s16le"),
        ("flac", "talk", "flac", "audio/flac", "flac"),
        ("aac", "space-1a2b.ts", "aac", "audio/aac", "aac"),
        ("ts", "talk.aac", "ts", "video/mp2t", "aac"),
        ("webm", "talk.ogg", "webm", "audio/webm", "opus"),
    ],
)
def test_the_format_and_length_are_those_of_the_content(
    tmp_path: Path, kind: str, name: str, extension: str, content_type: str, codec: str
) -> None:
    path = make_tone(tmp_path / name, kind)

    analysis = measure_facts(path)

    assert (analysis.extension, analysis.content_type, analysis.codec) == (extension, content_type, codec)
    assert analysis.duration_ms == pytest.approx(3000, abs=50)
    assert (analysis.sample_rate, analysis.channels) == (48000, 1)
    assert analysis.peak_dbfs == pytest.approx(-10.3, abs=0.5)


def test_silence_is_measured(tmp_path: Path) -> None:
    analysis = measure_facts(make_silence(tmp_path / "quiet.wav", seconds=2))

    assert (analysis.duration_ms, analysis.peak_dbfs) == (2000, None)


def test_progress_counts_decoded_seconds(tmp_path: Path) -> None:
    steps: list[float] = []

    measure(make_silence(tmp_path / "two.wav", seconds=130), longest_seconds=DAY, step=steps.append)

    assert steps == [60, 120, 130]


MEASURE = """
import resource, sys
from pathlib import Path
from django.conf import settings
from archive.intake.audio.measure import measure
settings.configure(DECODER_MEMORY_BYTES=256 * 1024**2, DECODER_SECONDS=60, MAX_RECORDING_SAMPLES=10**10)
for name in sys.argv[1:]:
    measure(Path(name), longest_seconds=86400, step=lambda seconds: None)
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def test_an_hour_needs_no_more_memory_than_two_minutes(tmp_path: Path) -> None:
    short, long = make_silence(tmp_path / "s.wav", seconds=120), make_silence(tmp_path / "l.wav", seconds=3600)

    output = subprocess.run(
        [sys.executable, "-c", MEASURE, short, long], cwd=Path(__file__).parent.parent, capture_output=True, check=True
    )

    before, after = (int(line) for line in output.stdout.split())  # peak KiB of the child, after each file
    assert after - before < 8 * 1024  # the file of an hour has 56 MiB
    assert after < 100 * 1024


def test_a_recording_whose_sample_rate_changes_is_decoded_to_its_end(tmp_path: Path) -> None:
    first, second = make_tone(tmp_path / "a.aac", "aac"), tmp_path / "b.aac"
    with av.open(str(second), "w", format="adts") as container:
        stream = container.add_stream("aac", rate=24000, layout="stereo")
        assert isinstance(stream, AudioStream)
        for start in range(0, 24000, 1024):
            frame = av.AudioFrame(format="fltp", layout="stereo", samples=1024)
            frame.sample_rate, frame.pts = 24000, start
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    joined = tmp_path / "joined.ts"
    joined.write_bytes(first.read_bytes() + second.read_bytes())

    analysis = measure_facts(joined)

    assert 3_900 <= analysis.duration_ms <= 4_200


def test_metadata_that_is_not_utf8_is_no_error(tmp_path: Path) -> None:
    path = make_tone(tmp_path / "talk.wav", "wav")
    info = b"INFOINAM" + (8).to_bytes(4, "little") + b"Caf\xe9 42\x00"
    data = path.read_bytes() + b"LIST" + len(info).to_bytes(4, "little") + info
    path.write_bytes(data[:4] + (len(data) - 8).to_bytes(4, "little") + data[8:])

    assert measure_facts(path).extension == "wav"


def test_a_recording_from_an_x_archive(tmp_path: Path) -> None:
    analysis = measure_facts(make_archived(tmp_path / "space-1ypKdEXvkMLGW.ts", seconds=8))

    assert (analysis.extension, analysis.codec) == ("aac", "aac")
    assert analysis.duration_ms == pytest.approx(8000, abs=50)


def test_a_timestamp_gap_is_silence(tmp_path: Path) -> None:
    """A recorder that lost the room for two seconds leaves a gap; players are silent for as long."""
    whole, jumps = make_tone(tmp_path / "whole.m4a", "m4a"), tmp_path / "jumps.mka"
    with av.open(str(whole)) as container, av.open(str(jumps), "w", format="matroska") as out:
        stream = out.add_stream_from_template(container.streams.audio[0])
        for number, packet in enumerate(container.demux(container.streams.audio[0])):
            if packet.pts is None or packet.dts is None or packet.time_base is None:
                continue
            later = int(2 / packet.time_base) if number > 60 else 0
            packet.pts, packet.dts, packet.stream = packet.pts + later, packet.dts + later, stream
            out.mux(packet)

    analysis = measure_facts(jumps)

    assert 4_950 <= analysis.duration_ms <= 5_100
    assert 1_900 <= analysis.silent_ms <= 2_100
