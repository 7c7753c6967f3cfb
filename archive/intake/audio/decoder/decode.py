"""Open a file without following references, decode it packet by packet, and resample it to mono at one rate."""

import logging  # noqa: F401  (as av does for a warning)
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO, cast

import av
import av.error
import av.logging
import av.subtitles.codeccontext
import av.subtitles.stream  # av imports these on first use, when a confined process can't import any more
import av.video.codeccontext
import av.video.stream
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.filter import Graph
from av.filter.context import FilterContext
from av.packet import Packet

from archive.errors import Unreadable
from archive.intake.audio.decoder.containers import read_mp4
from archive.intake.audio.decoder.files import PositionedFile
from archive.intake.audio.decoder.formats import DEMUXERS, FORMATS, NAMES, Format

av.logging.set_level(None)  # FFmpeg's own output has less information than our report line

OPTIONS = {
    "format_whitelist": DEMUXERS,
    "protocol_whitelist": "none",  # no protocol has this name; FFmpeg reads the file through a Python object
    "enable_drefs": "0",  # MP4 tracks that are stored in other files
    "max_streams": "64",
}
# Hz. Below, resampling would turn one sample into thousands; no recorder uses a higher rate.
MIN_RATE, MAX_RATE = 2000, 768_000
# Samples resampled at a time: fewer make the overhead per call noticeable; more don't fit into the processor's cache.
# A thread for resampling gains nothing: moving samples to another core's cache costs as much as it saves.
BATCH, FRAMES_AT_ONCE = 2**15, 32  # 32 frames of AAC are one batch
MAX_TAGS = 16_000_000  # bytes: a large picture or two

OnPacket = Callable[["Packet[AudioStream]", list[AudioFrame]], None]


@dataclass
class Source:
    """An opened file and one of its audio streams. The counters change while it is decoded.

    `zero`: the timestamp, in seconds, at which the presentation begins.
    """

    container: InputContainer
    stream: AudioStream
    track: int  # index among the audio streams
    form: Format
    zero: float
    packets: int = 0
    broken: int = 0
    last_broken: int = 0  # number of the packet, from 1

    @property
    def seconds_per_tick(self) -> float:
        """The unit of the timestamps; 0 if the container has none and FFmpeg counts samples."""
        return float(self.stream.time_base or 0) if self.form.timed else 0.0


def open_container(file: BinaryIO) -> InputContainer:
    """Open the file as one of FORMATS. Raises Unreadable without audio, FFmpegError if the file can't be read."""
    container = av.open(
        PositionedFile(file.fileno()), "r", options=OPTIONS, metadata_errors="replace", io_open=_refuse_reference
    )
    if container.format.name not in FORMATS or not container.streams.audio:
        raise Unreadable("audio.silent", formats=NAMES)
    return container


def open_source(file: BinaryIO, track: int = 0) -> Source:
    """Open an audio track of the file. Raises Unreadable without audio, FFmpegError if the file can't be read."""
    _check_tag_size(file)
    try:
        container = open_container(file)
    except av.error.FFmpegError:
        if _has_lost_its_index(file):
            raise Unreadable("audio.no_index") from None
        raise
    form = FORMATS[container.format.name]
    is_mp4 = form.extension == "m4a"
    is_fragmented = is_mp4 and read_mp4(file).is_fragmented
    # The times of an MP4 count from 0, edit lists included. Other files, and fragments, may be cut from a live stream.
    zero = 0.0 if is_mp4 and not is_fragmented else (container.start_time or 0) / av.time_base
    return Source(container, container.streams.audio[track], track, form, zero)


def _has_lost_its_index(file: BinaryIO) -> bool:
    """Return whether this is an MP4 whose recorder stopped before it wrote the index, which comes last."""
    file.seek(0)
    if file.read(12)[4:8] not in (b"ftyp", b"mdat", b"wide", b"free", b"skip"):
        return False
    structure = read_mp4(file)
    return structure.has_media and not structure.has_index


def _check_tag_size(file: BinaryIO) -> None:
    """Refuse a huge ID3 tag (size: ID3v2.4 §3.1): FFmpeg turns it into text of up to ten times its size."""
    file.seek(0)
    head = file.read(10)
    if head[:3] == b"ID3" and len(head) == 10:
        size = sum((byte & 127) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
        if size > MAX_TAGS:
            raise Unreadable("audio.too_many_tags", size=size, limit=MAX_TAGS)


def _refuse_reference(url: str, flags: int, options: dict[str, str]) -> None:
    raise Unreadable("audio.external_reference")


def decode_frames(source: Source, on_packet: OnPacket | None = None) -> Iterator[list[AudioFrame]]:
    """Yield the frames of several packets at a time: six hours have a million frames.

    `on_packet` gets every packet with its frames. Broken packets are counted and skipped.
    """
    batch: list[AudioFrame] = []
    for packet in source.container.demux(source.stream):
        source.packets += 1
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            source.broken += 1
            source.last_broken = source.packets
            continue
        if on_packet:
            on_packet(packet, frames)
        batch += frames
        if len(batch) >= FRAMES_AT_ONCE:
            yield batch
            batch = []
    yield batch


class Mono:
    """Convert frames of any format to 16-bit mono samples at `rate` Hz. `options` are those of FFmpeg's resampler."""

    def __init__(self, rate: int, options: dict[str, str] | None = None) -> None:
        self.has_changed = False  # whether rate, format or layout changed midway
        self._rate, self._options = rate, options or {}
        self._in: FilterContext | None = None
        self._out: FilterContext

    def _start(self, first: AudioFrame) -> FilterContext:
        """Build a filter chain for frames with this frame's rate, format and layout."""
        rate = first.sample_rate
        if not MIN_RATE <= rate <= MAX_RATE:
            raise Unreadable("audio.bad_sample_rate", rate=rate)
        graph, layout, form = Graph(), first.layout.name, first.format.name
        graph.threads = 1  # else one per core, each with 8 MiB of stack: 60 tracks on 2 cores fill the memory limit
        links = [
            graph.add("abuffer", sample_rate=str(rate), sample_fmt=form, channel_layout=layout, time_base=f"1/{rate}"),
            graph.add("asetnsamples", n=str(BATCH), pad="0"),
            graph.add("aresample", **self._options),
            graph.add("aformat", sample_rates=str(self._rate), sample_fmts="s16", channel_layouts="mono"),
            graph.add("abuffersink"),
        ]
        for link, following in pairwise(links):
            link.link_to(following)
        graph.configure()
        self._graph, self._in, self._out = graph, links[0], links[-1]
        return links[0]

    def take(self, frames: list[AudioFrame]) -> bytes:
        """Return the samples that are ready, perhaps none. Ignores timestamps, which timeline.py handles."""
        done = b""
        for frame in frames:
            try:
                (self._in or self._start(frame)).push(frame)
            except av.error.ArgumentError:  # rate, format or layout changed midway, as in joined files
                self.has_changed = True
                done += self.flush()
                self._start(frame).push(frame)
        return done + self._pull() if self._in else done

    def flush(self) -> bytes:
        """Return the remaining samples."""
        if self._in is None:
            return b""
        self._in.push(None)
        self._in, done = None, self._pull()
        return done

    def _pull(self) -> bytes:
        done = []
        with suppress(av.error.BlockingIOError, av.error.EOFError):  # needs more input; end of the stream
            while True:
                frame = cast(AudioFrame, self._out.pull())
                done.append(bytes(frame.planes[0])[: frame.samples * 2])
        return b"".join(done)
