"""From a file to sound: opened without following anything, decoded packet by packet, made mono at one rate."""

import logging  # noqa: F401  (as av does for a warning)
import os
import wave
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import BinaryIO, cast

import av
import av.error
import av.logging
import av.subtitles.codeccontext
import av.subtitles.stream  # av imports these four when it first needs one, and then we can't import any more
import av.video.codeccontext
import av.video.stream
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.filter import Graph
from av.filter.context import FilterContext
from av.packet import Packet

from archive.errors import Unreadable
from archive.intake.audio.decoder.formats import DEMUXERS, FORMATS, NAMES, Format

av.logging.set_level(None)  # what FFmpeg would print says less than our one line

OPTIONS = {
    "format_whitelist": DEMUXERS,
    "protocol_whitelist": "none",  # no protocol has this name; the file itself comes through our own hands
    "enable_drefs": "0",  # tracks of an MP4 that lie in other files
    "max_streams": "64",
}
# Hz. Below, one sample would become thousands of ours; above, nobody records.
LEAST_RATE, MOST_RATE = 2000, 768_000
# Samples resampled at a time: with fewer, each call's own cost shows; more leave the processor's cache meanwhile. A
# thread beside the decoder would win nothing: carrying the samples to another core's cache costs what it saves.
BATCH, GATHERED = 2**15, 32  # 32 frames of AAC are one batch
MOST_TAGS = 16_000_000  # bytes: a large picture or two

Each = Callable[["Packet[AudioStream]", list[AudioFrame]], None]


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
        raise Unreadable("audio.silent", formats=NAMES)
    stream = container.streams.audio[0]
    return Source(container, stream, form, _claimed_seconds(file, container))


def _look_at_tag(file: BinaryIO) -> None:
    """FFmpeg makes text of a whole ID3 tag, which can take ten times its size (its length: ID3v2.4 §3.1)."""
    file.seek(0)
    head = file.read(10)
    if head[:3] == b"ID3" and len(head) == 10:
        size = sum((byte & 127) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
        if size > MOST_TAGS:
            raise Unreadable("audio.too_many_tags", size=size, limit=MOST_TAGS)


def _nothing_else(url: str, flags: int, options: dict[str, str]) -> None:
    raise Unreadable("audio.external_reference")


def sound(source: Source, each: Each | None = None) -> Iterator[list[AudioFrame]]:
    """The frames of some packets at a time, as six hours have a million; `each` sees every packet with its own. Broken
    packets are counted and left out."""
    gathered: list[AudioFrame] = []
    for packet in source.container.demux(source.stream):
        source.packets += 1
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            source.broken += 1
            continue
        if each:
            each(packet, frames)
        gathered += frames
        if len(gathered) >= GATHERED:
            yield gathered
            gathered = []
    yield gathered


class Mono:
    """16-bit mono samples at `rate` Hz, out of frames of any kind. `options` are those of FFmpeg's resampler."""

    def __init__(self, rate: int, options: dict[str, str] | None = None) -> None:
        self._rate, self._options = rate, options or {}
        self._in: FilterContext | None = None
        self._out: FilterContext

    def _start(self, first: AudioFrame) -> FilterContext:
        """A chain for frames that are like this one."""
        rate = first.sample_rate
        if not LEAST_RATE <= rate <= MOST_RATE:
            raise Unreadable("audio.bad_sample_rate", rate=rate)
        graph, layout, form = Graph(), first.layout.name, first.format.name
        links = [
            graph.add("abuffer", sample_rate=str(rate), sample_fmt=form, channel_layout=layout, time_base=f"1/{rate}"),
            graph.add("asetnsamples", n=str(BATCH), pad="0"),
            graph.add("aresample", **self._options),
            graph.add("aformat", sample_rates=str(self._rate), sample_fmts="s16", channel_layouts="mono"),
            graph.add("abuffersink"),
        ]
        for one, after in pairwise(links):
            one.link_to(after)
        graph.configure()
        self._graph, self._in, self._out = graph, links[0], links[-1]
        return links[0]

    def take(self, frames: list[AudioFrame]) -> bytes:
        """What is ready so far; nothing, when the frames are few. Lengths are counted in samples: the chain looks at no
        timestamp, and one that jumps is no silence."""
        done = b""
        for frame in frames:
            try:
                (self._in or self._start(frame)).push(frame)
            except av.error.ArgumentError:  # another rate, format or layout: recorders change, and files are joined
                done += self.rest()
                self._start(frame).push(frame)
        return done + self._ready() if self._in else done

    def rest(self) -> bytes:
        """All the others."""
        if self._in is None:
            return b""
        self._in.push(None)
        self._in, done = None, self._ready()
        return done

    def _ready(self) -> bytes:
        done = []
        with suppress(av.error.BlockingIOError, av.error.EOFError):  # no more yet; no more at all
            while True:
                frame = cast(AudioFrame, self._out.pull())
                done.append(bytes(frame.planes[0])[: frame.samples * 2])
        return b"".join(done)


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
