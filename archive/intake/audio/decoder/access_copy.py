"""Write an access copy that every browser plays: AAC in MP4, with the index in front so that playback starts at once.

If there are no gaps, AAC packets are copied into the new container, with timestamps that count samples. Everything else
is encoded while it is decoded, so a file is decoded only once if the need for a copy is known in time.
"""

import os
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
from archive.intake.audio.decoder.files import PositionedFile
from archive.intake.audio.decoder.timeline import Timeline

RATE, BITS_A_SECOND = 48000, 64_000  # per channel
AAC_FRAME = 1024  # samples


class ChangedMidway(Exception):
    """The packets can't be copied into one MP4 track: rate or channel layout changes."""


def _open_output(fd: int) -> OutputContainer:
    os.ftruncate(fd, 0)
    return av.open(
        PositionedFile(fd),
        "w",
        format="mp4",
        options={"movflags": "faststart"},
        io_open=lambda *_: PositionedFile(fd),
    )


class SamePackets:
    """Copies AAC packets without encoding. Raises ChangedMidway or FFmpegError if that is impossible."""

    def __init__(self, fd: int, source: Source) -> None:
        self._out = _open_output(fd)
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

    def end(self) -> None:
        self._out.close()


class Encoded:
    """Encodes placed frames as AAC, resampled to one rate and layout."""

    def __init__(self, fd: int, source: Source) -> None:
        self._out = _open_output(fd)
        self._layout = "stereo" if source.stream.codec_context.channels > 1 else "mono"
        channels = 2 if self._layout == "stereo" else 1
        stream = self._out.add_stream("aac", rate=RATE, layout=self._layout, bit_rate=BITS_A_SECOND * channels)
        assert isinstance(stream, AudioStream)
        self._stream, self._samples = stream, 0
        self._format: tuple[int, str, str] | None = None
        self._resampler = self._make_resampler()

    def _make_resampler(self) -> AudioResampler:
        return AudioResampler(format="fltp", layout=self._layout, rate=RATE, frame_size=AAC_FRAME)

    def take(self, frames: list[AudioFrame]) -> None:
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
        self._out.close()


class AccessCopy:
    """The access copy of one source, written to the descriptor `fd`; None: no copy is needed.

    Takes packets or placed frames while the file is decoded. If the need was detected too late, or the packets could
    not be copied, `end` decodes the file again.
    """

    def __init__(self, fd: int | None, source: Source, timeline: Timeline) -> None:
        self._fd, self._source, self._timeline = fd, source, timeline
        self._packets: SamePackets | None = None
        self._encoded: Encoded | None = None
        if fd is not None and not source.packets:
            if source.stream.codec_context.name == "aac":
                self._packets = SamePackets(fd, source)
            else:
                self._encoded = Encoded(fd, source)

    @property
    def takes_packets(self) -> bool:
        return self._packets is not None

    def take_packet(self, packet: "Packet[AudioStream]", frames: list[AudioFrame]) -> None:
        if self._packets is None:
            return
        try:
            self._packets.take(packet, frames)
        except (ChangedMidway, av.error.FFmpegError):
            self._packets = None

    def take_frames(self, frames: list[AudioFrame]) -> None:
        if self._encoded is not None:
            self._encoded.take(frames)

    def end(self, file: BinaryIO) -> None:
        """Finish the copy."""
        if self._fd is None:
            return
        if self._encoded is not None:
            self._encoded.end()
            return
        if self._packets is not None and not self._timeline.is_corrected:
            try:
                self._packets.end()
                return
            except av.error.FFmpegError:
                pass
        self._encode_again(self._fd, file)

    def _encode_again(self, fd: int, file: BinaryIO) -> None:
        source = open_source(file, self._source.track)
        timeline = Timeline(source.seconds_per_tick, source.zero, self._timeline.longest)
        copy = Encoded(fd, source)
        for frames in decode_frames(source):
            for placed in timeline.place(frames):
                copy.take(placed)
        for placed in timeline.end():
            copy.take(placed)
        copy.end()
