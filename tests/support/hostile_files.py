"""Make files that attack decoders and parsers: decompression bombs, false lengths, playlists."""

import os
import random
import struct
import wave
from collections.abc import Callable
from pathlib import Path

import av
from av.audio.stream import AudioStream

from tests.support.audio_files import RATE, SECOND, make_tone


def claim_four_tebibytes(path: Path) -> Path:
    """Make a three-second WAV (RF64, EBU Tech 3306) whose 64-bit header claims 4 TiB of samples."""
    size, samples = 2**42, SECOND.tobytes() * 3
    ds64 = struct.pack("<QQQI", size + 72, size, size // 2, 0)
    fmt = struct.pack("<HHIIHH", 1, 1, RATE, RATE * 2, 2, 16)
    chunks = [(b"ds64", ds64), (b"fmt ", fmt)]
    head = b"".join(name + struct.pack("<I", len(data)) + data for name, data in chunks)
    path.write_bytes(b"RF64\xff\xff\xff\xffWAVE" + head + b"data\xff\xff\xff\xff" + samples)
    return path


def make_open_ended(path: Path) -> Path:
    """Make a three-second WAV with the length 2**32 - 1, as written by a recorder that cannot seek back."""
    data = bytearray(make_tone(path, "wav").read_bytes())
    struct.pack_into("<I", data, 4, 2**32 - 1)
    struct.pack_into("<I", data, data.index(b"data") + 4, 2**32 - 1)
    path.write_bytes(data)
    return path


def make_many_tracks(path: Path, streams: int) -> Path:
    """Make an MP4 with `streams` tracks of one audio frame each."""
    with av.open(str(path), "w", format="mp4") as container:
        tracks = [container.add_stream("aac", rate=RATE, layout="mono") for _ in range(streams)]
        for track in tracks:
            assert isinstance(track, AudioStream)
            frame = av.AudioFrame(format="fltp", layout="mono", samples=1024)
            frame.sample_rate, frame.pts = RATE, 0
            frame.planes[0].update(bytes(4096))
            container.mux(track.encode(frame))
        for track in tracks:
            container.mux(track.encode(None))
    return path


def make_empty_track(path: Path) -> Path:
    """Make an MP4 with an empty audio track, as written by a recorder for a room in which no one spoke."""
    with av.open(str(path), "w", format="mp4", options={"movflags": "empty_moov"}) as container:
        container.add_stream("aac", rate=RATE, layout="mono")
        container.start_encoding()
    return path


def make_id3(path: Path, size: int, kind: bytes = b"APIC") -> Path:
    """Make a three-second MP3 after an ID3 tag of `size` bytes (sparse, so that it takes no disk space)."""
    sound = make_tone(path, "mp3").read_bytes()
    lead = b"\0image/png\0\x03\0"
    with path.open("wb") as out:
        out.write(b"ID3\x04\0\0" + _synchsafe(size) + kind + _synchsafe(size - 10) + b"\0\0" + lead)
        out.seek(10 + size)
        out.write(sound)
    return path


def _synchsafe(number: int) -> bytes:
    return bytes(number >> shift & 127 for shift in (21, 14, 7, 0))


def claim_samples(path: Path, table: bytes, place: int, number: int) -> Path:
    """Make an m4a whose `table` (stts, stsz, stsc) has a false `number`, `place` bytes after its name."""
    data = bytearray(make_tone(path, "m4a", index_first=True).read_bytes())
    struct.pack_into(">I", data, data.index(table) + place, number)
    path.write_bytes(data)
    return path


def make_bomb(path: Path, seconds: int) -> Path:
    """Make a FLAC of silence: about 15 bytes for each 65,535 samples."""
    with av.open(str(path), "w", format="flac") as container:
        stream = container.add_stream("flac", rate=8000, layout="mono", options={"frame_size": "65535"})
        assert isinstance(stream, AudioStream)
        for start in range(0, seconds * 8000, 65535):
            frame = av.AudioFrame(format="s16", layout="mono", samples=65535)
            frame.sample_rate, frame.pts = 8000, start
            frame.planes[0].update(bytes(2 * 65535))
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def make_random(path: Path, start: bytes) -> Path:
    """Make a file with a valid beginning, followed by a megabyte of the same noise each time."""
    path.write_bytes(start + random.Random(1).randbytes(2**20))
    return path


def make_sparse_wav(path: Path, hours: int) -> Path:
    """Make a sparse WAV of silence at 8 kHz: it takes no disk space, and seconds to decode."""
    size = hours * 3600 * 16_000
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, 8000, 0, "NONE", ""))
        out.writeframes(b"")
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, 4, size + 36)
    struct.pack_into("<I", data, 40, size)
    path.write_bytes(data)
    os.truncate(path, 44 + size)
    return path


def make_hls_playlist(path: Path) -> Path:
    """Make an HLS playlist, which names other files."""
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:3,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n")
    return path


def make_ffconcat(path: Path) -> Path:
    """Make an FFmpeg concat list, which names other files."""
    path.write_text("ffconcat version 1.0\nfile /etc/passwd\n")
    return path


# Files that must be refused: name, and the function that makes the file at a path.
REFUSED_FILES: dict[str, Callable[[Path], Path]] = {
    "list.m4a": make_hls_playlist,
    "concat.m4a": make_ffconcat,
    "claim.wav": claim_four_tebibytes,
    "empty.m4a": make_empty_track,
    "many.m4a": lambda path: make_many_tracks(path, 500),
    "tags.mp3": lambda path: make_id3(path, 100_000_000, b"PRIV"),
    "count.m4a": lambda path: claim_samples(path, b"stts", 8, 0xFFFFFFF0),
    "noise.m4a": lambda path: make_random(path, b"\0\0\0\x18ftypM4A "),
}
