"""A copy for browsers that can't play the original: AAC in an MP4, its index in front so that it plays while it comes.

AAC is not encoded again: its packets get a new coat, with timestamps that count samples (those of a live stream jump).
Anything else is encoded as it is heard, so it is decoded once all the same.
"""

import os
from abc import ABC, abstractmethod
from fractions import Fraction
from typing import BinaryIO

import av
import av.error
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet

from archive.intake.audio.decoder.decode import Source, opened, sound

RATE, BITS_A_SECOND = 48000, 64_000  # of one channel
AAC_FRAME = 1024  # samples


class ChangedMidway(Exception):
    """The packets cannot stand in one MP4 track as they are."""


class Slot:
    """A descriptor as FFmpeg writes and reads it. Two of them on one descriptor keep a place each: moving the index to
    the front reads the file while it is written."""

    def __init__(self, fd: int) -> None:
        self._fd, self._place = fd, 0

    def read(self, count: int) -> bytes:
        data = os.pread(self._fd, count, self._place)
        self._place += len(data)
        return data

    def write(self, data: bytes) -> int:
        count = os.pwrite(self._fd, data, self._place)
        self._place += count
        return count

    def seek(self, offset: int, whence: int) -> int:
        start = (0, self._place, os.fstat(self._fd).st_size)[whence]
        self._place = start + offset
        return self._place

    def tell(self) -> int:
        return self._place


class Copy(ABC):
    """Give it every packet with its frames, then `end` it."""

    _stream: AudioStream

    def __init__(self, fd: int, source: Source) -> None:
        os.ftruncate(fd, 0)
        self._out: OutputContainer = av.open(
            Slot(fd), "w", format="mp4", options={"movflags": "faststart"}, io_open=lambda *_: Slot(fd)
        )

    @abstractmethod
    def take(self, packet: "Packet[AudioStream]", frames: list[AudioFrame]) -> None: ...

    def end(self) -> None:
        self._out.close()


class SamePackets(Copy):
    """Raises ChangedMidway or FFmpegError when it cannot be done."""

    def __init__(self, fd: int, source: Source) -> None:
        super().__init__(fd, source)
        self._stream = self._out.add_stream_from_template(source.stream)
        self._samples = 0
        self._sort: tuple[int, str] | None = None

    def take(self, packet: "Packet[AudioStream]", frames: list[AudioFrame]) -> None:
        count = sum(frame.samples for frame in frames)
        if not count:
            return
        sort = (frames[0].sample_rate, frames[0].layout.name)
        self._sort = self._sort or sort
        if sort != self._sort:
            raise ChangedMidway
        packet.stream, packet.time_base = self._stream, Fraction(1, sort[0])
        packet.pts = packet.dts = self._samples
        packet.duration = count
        self._samples += count
        self._out.mux(packet)


class Encoded(Copy):
    def __init__(self, fd: int, source: Source) -> None:
        super().__init__(fd, source)
        self._layout = "stereo" if source.stream.codec_context.channels > 1 else "mono"
        channels = 2 if self._layout == "stereo" else 1
        stream = self._out.add_stream("aac", rate=RATE, layout=self._layout, bit_rate=BITS_A_SECOND * channels)
        assert isinstance(stream, AudioStream)
        self._stream, self._samples = stream, 0
        self._sort: tuple[int, str, str] | None = None
        self._resampler = self._fresh()

    def _fresh(self) -> AudioResampler:
        return AudioResampler(format="fltp", layout=self._layout, rate=RATE, frame_size=AAC_FRAME)

    def take(self, packet: "Packet[AudioStream]", frames: list[AudioFrame]) -> None:
        for frame in frames:
            sort = (frame.sample_rate, frame.format.name, frame.layout.name)
            if self._sort not in {None, sort}:
                self._encode(None)
                self._resampler = self._fresh()
            self._sort = sort
            self._encode(frame)

    def _encode(self, frame: AudioFrame | None) -> None:
        if frame is not None:
            frame.pts = None
        for ready in self._resampler.resample(frame):
            ready.pts, ready.time_base = self._samples, Fraction(1, RATE)
            self._samples += ready.samples
            self._out.mux(self._stream.encode(ready))

    def end(self) -> None:
        self._encode(None)
        self._out.mux(self._stream.encode(None))
        super().end()


class AccessCopy:
    """The copy of one source, in the file `fd`. None: no copy is wanted; then, and when browsers play the original, it
    does nothing."""

    def __init__(self, fd: int | None, source: Source) -> None:
        self._fd = None if source.plays else fd
        self._copy: Copy | None = None
        if self._fd is not None:
            kind = SamePackets if source.stream.codec_context.name == "aac" else Encoded
            self._copy = kind(self._fd, source)

    @property
    def wanted(self) -> bool:
        return self._copy is not None

    def take(self, packet: "Packet[AudioStream]", frames: list[AudioFrame]) -> None:
        if self._copy is None:
            return
        if isinstance(self._copy, Encoded):
            self._copy.take(packet, frames)
            return
        try:
            self._copy.take(packet, frames)
        except (ChangedMidway, av.error.FFmpegError):
            self._copy = None

    def end(self, file: BinaryIO) -> bool:
        """Whether there is a copy. A recording whose packets could not stay as they are is decoded once more."""
        if self._fd is None:
            return False
        try:
            if self._copy is not None:
                self._copy.end()
                return True
        except av.error.FFmpegError:
            if isinstance(self._copy, Encoded):
                raise
        source = opened(file)
        copy = Encoded(self._fd, source)
        for _ in sound(source, copy.take):
            pass
        copy.end()
        return True
