"""From a file to sound: opened without following anything, decoded packet by packet, made mono at one rate."""

import logging  # noqa: F401  (as av does for a warning)
import os
import wave
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from typing import BinaryIO

import av
import av.error
import av.logging
import av.subtitles.codeccontext
import av.subtitles.stream  # av imports these four when it first needs one, and then we can't import any more
import av.video.codeccontext
import av.video.stream
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet

from archive import words
from archive.errors import Unreadable
from archive.intake.hearing.formats import DEMUXERS, FORMATS, NAMES, Format

av.logging.set_level(None)  # what FFmpeg would print says less than our one line

SILENT = f"there is no sound in it. It should be {NAMES}."
OPTIONS = {
    "format_whitelist": DEMUXERS,
    "protocol_whitelist": "none",  # no protocol has this name; the file itself comes through our own hands
    "enable_drefs": "0",  # tracks of an MP4 that lie in other files
    "max_streams": "64",
}
# Hz. Below, one sample would become thousands of ours; above, nobody records.
LEAST_RATE, MOST_RATE = 2000, 768_000
BATCH = 2**18  # samples resampled at a time: with less, handing them from thread to thread takes longer than the work
MOST_TAGS = 16_000_000  # bytes: a large picture or two
AHEAD = 2  # batches that may wait


class Plain:
    """A file without a name: FFmpeg guesses by names, too, and would tell them in its errors."""

    def __init__(self, file: BinaryIO) -> None:
        self.read, self.seek, self.tell = file.read, file.seek, file.tell


@dataclass
class Source:
    """An opened file and the stream of it that is heard. `packets` and `broken` are counted while it is decoded."""

    container: InputContainer
    stream: AudioStream
    form: Format
    claimed_seconds: float
    packets: int = 0
    broken: int = 0

    @property
    def plays(self) -> bool:
        """Whether browsers play it as it is."""
        codec = self.stream.codec_context
        return codec.name in self.form.plays and codec.profile != "xHE-AAC"  # which few of them know


def opened(file: BinaryIO) -> Source:
    """Raises Unreadable where there is no audio; FFmpegError where it could not be read at all."""
    _look_at_tag(file)
    file.seek(0)
    container = av.open(Plain(file), "r", options=OPTIONS, metadata_errors="replace", io_open=_nothing_else)
    form = FORMATS.get(container.format.name)
    if form is None or not container.streams.audio:
        raise Unreadable(SILENT)
    stream = container.streams.audio[0]
    return Source(container, stream, form, _claimed_seconds(file, container))


def _look_at_tag(file: BinaryIO) -> None:
    """FFmpeg makes text of a whole ID3 tag, which can take ten times its size (its length: ID3v2.4 §3.1)."""
    file.seek(0)
    head = file.read(10)
    if head[:3] == b"ID3" and len(head) == 10:
        size = sum((byte & 127) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
        if size > MOST_TAGS:
            raise Unreadable(
                f"before its sound come {words.size(size)} of tags, and no recording has more than "
                f"{words.size(MOST_TAGS)}. Save it anew without them, and bring that file."
            )


def _nothing_else(url: str, flags: int, options: dict[str, str]) -> None:
    raise Unreadable("it refers to other files, which are not read. Bring the recording itself.")


def packets(source: Source) -> "Iterator[tuple[Packet[AudioStream], list[AudioFrame]]]":
    """Each packet that could be decoded, with its sound; a broken one is counted and left out."""
    for packet in source.container.demux(source.stream):
        source.packets += 1
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            source.broken += 1
            continue
        yield packet, frames


class Mono:
    """16-bit mono samples at `rate` Hz, out of frames of any kind. `options` are those of FFmpeg's resampler, which
    works on a second core, if there is one, while the first decodes."""

    def __init__(self, rate: int, options: dict[str, str] | None = None) -> None:
        self._rate, self._options = rate, options or {}
        self._sort: tuple[int, str, int] | None = None
        self._beside = ThreadPoolExecutor(1)
        self._ready: deque[Future[bytes]] = deque()
        self._start()

    def _start(self) -> None:
        self._fifo = AudioFifo()
        self._resampler = AudioResampler(format="s16", layout="mono", rate=self._rate, options=self._options)

    def take(self, frames: list[AudioFrame]) -> bytes:
        """What is ready so far; mostly nothing, as frames are gathered first."""
        for frame in frames:
            sort = (frame.sample_rate, frame.format.name, frame.layout.nb_channels)
            if sort != self._sort:  # recorders change rate or channels midway, and files are joined
                if not LEAST_RATE <= frame.sample_rate <= MOST_RATE:
                    raise Unreadable(f"it has {frame.sample_rate} samples a second, and no recording of speech has.")
                self._finish()
                self._sort = sort
            frame.pts = None  # lengths are counted in samples; a timestamp that jumps is no silence
            self._fifo.write(frame)
        if self._fifo.samples < BATCH:
            return b""
        self._resample(self._fifo.read())
        return self._done(ahead=AHEAD)

    def rest(self) -> bytes:
        """All the others."""
        self._finish()
        return self._done(ahead=0)

    def _finish(self) -> None:
        if self._fifo.samples:
            self._resample(self._fifo.read(partial=True))
        self._resample(None)
        self._start()

    def _resample(self, frame: AudioFrame | None) -> None:
        self._ready.append(self._beside.submit(_resampled, self._resampler, frame))

    def _done(self, ahead: int) -> bytes:
        done = b""
        while len(self._ready) > ahead:
            done += self._ready.popleft().result()
        return done


def _resampled(resampler: AudioResampler, frame: AudioFrame | None) -> bytes:
    return b"".join(bytes(out.planes[0])[: out.samples * 2] for out in resampler.resample(frame))


def _claimed_seconds(file: BinaryIO, container: InputContainer) -> float:
    """The length that the file gives itself. FFmpeg bounds a WAV's claim by the file's size, so there the header is
    asked; a size of 0 or near 2**32 is what recorders write that never learned the length, and no claim."""
    if container.format.name == "wav":
        place = file.tell()
        try:
            file.seek(0)
            with wave.open(file, "rb") as header:  # which does not close what it did not open
                size = header.getnframes() * header.getnchannels() * header.getsampwidth()
                return header.getnframes() / header.getframerate() if size < 2**32 - 2**16 else 0
        except (wave.Error, EOFError, ZeroDivisionError):
            pass  # not plain PCM: what FFmpeg found has to do
        finally:
            file.seek(place, os.SEEK_SET)
    for stream in container.streams.audio[:1]:
        if stream.duration and stream.time_base:
            return float(stream.duration * Fraction(stream.time_base))
    return (container.duration or 0) / av.time_base
