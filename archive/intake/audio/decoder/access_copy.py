"""Write an access copy that every browser plays: AAC in MP4, with the index in front so playback starts at once.

AAC packets are copied into the new container, with timestamps that count samples, since those of live streams jump.
Everything else is encoded while it is decoded, so each file is decoded once.
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

from archive.intake.audio.decoder.decode import Source, decode_frames, open_source

RATE, BITS_A_SECOND = 48000, 64_000  # per channel
AAC_FRAME = 1024  # samples


class ChangedMidway(Exception):
    """The packets can't be copied into one MP4 track: rate or channel layout changes."""


class PositionedFile:
    """A file object on a descriptor, with a position of its own.

    FFmpeg moves the index to the front by reading the file while it writes it, so it needs two positions.
    """

    def __init__(self, fd: int) -> None:
        self._fd, self._position = fd, 0

    def read(self, count: int) -> bytes:
        data = os.pread(self._fd, count, self._position)
        self._position += len(data)
        return data

    def write(self, data: bytes) -> int:
        count = os.pwrite(self._fd, data, self._position)
        self._position += count
        return count

    def seek(self, offset: int, whence: int) -> int:
        start = (0, self._position, os.fstat(self._fd).st_size)[whence]
        self._position = start + offset
        return self._position

    def tell(self) -> int:
        return self._position


class Copy(ABC):
    """A copy in the making: takes every packet with its frames, then `end`."""

    _stream: AudioStream

    def __init__(self, fd: int, source: Source) -> None:
        os.ftruncate(fd, 0)
        self._out: OutputContainer = av.open(
            PositionedFile(fd),
            "w",
            format="mp4",
            options={"movflags": "faststart"},
            io_open=lambda *_: PositionedFile(fd),
        )

    @abstractmethod
    def take(self, packet: "Packet[AudioStream]", frames: list[AudioFrame]) -> None: ...

    def end(self) -> None:
        self._out.close()


class SamePackets(Copy):
    """Copy AAC packets without encoding. Raises ChangedMidway or FFmpegError if that is impossible."""

    def __init__(self, fd: int, source: Source) -> None:
        super().__init__(fd, source)
        self._stream = self._out.add_stream_from_template(source.stream)
        self._samples = 0
        self._format: tuple[int, str] | None = None

    def take(self, packet: "Packet[AudioStream]", frames: list[AudioFrame]) -> None:
        count = sum(frame.samples for frame in frames)
        if not count:
            return
        audio_format = (frames[0].sample_rate, frames[0].layout.name)
        self._format = self._format or audio_format
        if audio_format != self._format:
            raise ChangedMidway
        packet.stream, packet.time_base = self._stream, Fraction(1, audio_format[0])
        packet.pts = packet.dts = self._samples
        packet.duration = count
        self._samples += count
        self._out.mux(packet)


class Encoded(Copy):
    """Encode every frame as AAC, resampled to one rate and layout."""

    def __init__(self, fd: int, source: Source) -> None:
        super().__init__(fd, source)
        self._layout = "stereo" if source.stream.codec_context.channels > 1 else "mono"
        channels = 2 if self._layout == "stereo" else 1
        stream = self._out.add_stream("aac", rate=RATE, layout=self._layout, bit_rate=BITS_A_SECOND * channels)
        assert isinstance(stream, AudioStream)
        self._stream, self._samples = stream, 0
        self._format: tuple[int, str, str] | None = None
        self._resampler = self._make_resampler()

    def _make_resampler(self) -> AudioResampler:
        return AudioResampler(format="fltp", layout=self._layout, rate=RATE, frame_size=AAC_FRAME)

    def take(self, packet: "Packet[AudioStream]", frames: list[AudioFrame]) -> None:
        for frame in frames:
            audio_format = (frame.sample_rate, frame.format.name, frame.layout.name)
            if self._format not in {None, audio_format}:
                self._encode(None)
                self._resampler = self._make_resampler()
            self._format = audio_format
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
    """The access copy of one source, written to the descriptor `fd`.

    Does nothing if `fd` is None or if browsers play the original.
    """

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
        """Finish the copy. Returns whether there is one. If the packets could not be copied, decodes the file again."""
        if self._fd is None:
            return False
        try:
            if self._copy is not None:
                self._copy.end()
                return True
        except av.error.FFmpegError:
            if isinstance(self._copy, Encoded):
                raise
        source = open_source(file)
        copy = Encoded(self._fd, source)
        for _ in decode_frames(source, copy.take):
            pass
        copy.end()
        return True
