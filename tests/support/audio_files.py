"""Make audio files: tones in any format, silence, noise, and files that are truncated or claim a wrong length."""

import array
import math
import os
import struct
import wave
from fractions import Fraction
from itertools import cycle
from pathlib import Path

import av
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

RATE = 48000
# One second of 440 Hz at a third of full scale (-10.3 dBFS). Its end joins its beginning without a jump.
SECOND = array.array("h", [round(10_000 * math.sin(2 * math.pi * 440 * n / RATE)) for n in range(RATE)])

# name: (FFmpeg's encoder, FFmpeg's container)
KINDS = {
    "m4a": ("aac", "mp4"),
    "mp3": ("libmp3lame", "mp3"),
    "opus": ("libopus", "ogg"),
    "wav": ("pcm_s16le", "wav"),
    "flac": ("flac", "flac"),
    "aac": ("aac", "adts"),
    "ts": ("aac", "mpegts"),
    "webm": ("libopus", "webm"),
    "mkv": ("libopus", "matroska"),
    "mov": ("aac", "mov"),
    "3gp": ("aac", "3gp"),
    "aiff": ("pcm_s16be", "aiff"),
    "alac": ("alac", "ipod"),
    "ac3": ("ac3", "mp4"),
    "mulaw": ("pcm_mulaw", "wav"),
}


def make_tone(path: Path, kind: str, *, seconds: int = 3, index_first: bool = False, rate: int = RATE) -> Path:
    """Make a mono tone of `seconds` at `rate` Hz. `index_first`: an m4a with its index in front (faststart)."""
    encoder, form = KINDS[kind]
    options = {"movflags": "faststart"} if index_first else {}
    with av.open(str(path), "w", format=form, options=options) as container:
        stream = container.add_stream(encoder, rate=rate)
        assert isinstance(stream, AudioStream)
        stream.layout = "mono"
        if kind == "mp3":
            stream.bit_rate = 128_000  # with less, browsers play too late after a seek (playability.py)
        context = stream.codec_context
        resampler = AudioResampler(context.format.name, "mono", rate, context.frame_size or 1024)
        for second in range(seconds):
            frame = av.AudioFrame(format="s16", layout="mono", samples=RATE)
            frame.sample_rate, frame.pts, frame.time_base = RATE, second * RATE, Fraction(1, RATE)
            frame.planes[0].update(SECOND.tobytes())
            for ready in resampler.resample(frame):
                container.mux(stream.encode(ready))
        for ready in resampler.resample(None):
            container.mux(stream.encode(ready))
        container.mux(stream.encode(None))
    return path


def make_silence(path: Path, *, seconds: int, rate: int = 8000) -> Path:
    """Make a WAV of digital silence, mono, 16 bit."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        for _ in range(seconds):
            out.writeframesraw(bytes(2 * rate))
    return path


def make_film(path: Path) -> Path:
    """Make a one-second video without audio."""
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=25)
        assert isinstance(stream, VideoStream)
        stream.width = stream.height = 16
        stream.pix_fmt = "yuv420p"
        for _ in range(25):
            container.mux(stream.encode(av.VideoFrame(16, 16, "yuv420p")))
        container.mux(stream.encode(None))
    return path


def cut(path: Path, share: float) -> Path:
    """Truncate the file to `share` of its bytes."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def claim_ten_hours(path: Path, kind: str) -> Path:
    """Write a length of 10 hours into the header of a WAV or MP3 made by `make_tone`."""
    data = bytearray(path.read_bytes())
    if kind == "wav":
        size = 10 * 3600 * RATE * 2
        struct.pack_into("<I", data, 4, size + 36)
        struct.pack_into("<I", data, data.index(b"data") + 4, size)
    else:
        tag = data.find(b"Xing") if b"Xing" in data else data.index(b"Info")
        struct.pack_into(">I", data, tag + 8, 1_500_000)  # frames of 24 ms
    path.write_bytes(data)
    return path


def make_repeated(path: Path, source: Path, seconds: float) -> Path:
    """Make an m4a of `seconds` by repeating the packets of another m4a, without encoding."""
    with av.open(str(source)) as given, av.open(str(path), "w", format="mp4") as container:
        stream = given.streams.audio[0]
        packets = [bytes(packet) for packet in given.demux(stream) if packet.size]
        rate, frame = stream.codec_context.sample_rate, stream.codec_context.frame_size
        out = container.add_stream_from_template(stream)
        for number, data in zip(range(int(seconds * rate / frame)), cycle(packets), strict=False):
            packet = av.Packet(data)
            packet.stream, packet.time_base, packet.is_keyframe = out, Fraction(1, rate), True
            packet.pts = packet.dts = number * frame
            packet.duration = frame
            container.mux(packet)
    return path


def make_archived(path: Path, *, seconds: int = 3) -> Path:
    """Make a recording as in X's data archives: raw AAC named .ts, with a private ID3 tag about every second."""
    data, start, frames = make_tone(path, "aac", seconds=seconds).read_bytes(), 0, 0
    owner = b"PRIV\0\0\0\x1a\0\0com.apple.streaming\0clock!"
    tag = b"ID3\x04\0\0\0\0\0" + bytes([len(owner)]) + owner
    with path.open("wb") as out:
        while start < len(data):
            size = (data[start + 3] & 3) << 11 | data[start + 4] << 3 | data[start + 5] >> 5  # ADTS: its length
            out.write((tag if frames % 47 == 0 else b"") + data[start : start + size])
            start, frames = start + size, frames + 1
    return path


def make_noise(path: Path, megabytes: int) -> Path:
    """Make a WAV of white noise, 16-bit mono at 48 kHz: 96 kB per second."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(48000)
        for _ in range(megabytes):
            out.writeframes(os.urandom(1024**2))
    return path
