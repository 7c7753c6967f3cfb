"""Measure a recording by decoding it from end to end. File names and headers are never trusted.

A sandboxed process (archive/intake/audio/decoder) decodes the file as one stream, so memory does not grow with its
length. It returns samples; this process measures them on another core while the decoder continues.
"""

import contextlib
import io
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings

from archive.errors import Unreadable
from archive.intake.audio.decoder.formats import FORMATS
from archive.intake.audio.levels import RATE, WINDOW, LevelMeter
from archive.intake.audio.sandbox import DecoderProcess, started

KINDS = {form.extension: form.content_type for form in FORMATS.values()}
DESCRIBED = ("extension", "content_type", "codec", "sample_rate", "channels")


@dataclass(frozen=True)
class AudioFacts:
    """What a Recording keeps (archive/models/stored.py has the units)."""

    extension: str
    content_type: str
    codec: str
    duration_ms: int
    sample_rate: int
    channels: int
    peak_dbfs: float | None
    level_dbfs: float | None
    silent_ms: int
    outline: list[int]


@dataclass(frozen=True)
class AudioAnalysis:
    """`peaks`: JSON {"duration": seconds, "peaks": [[0 to 1, ...]]}, which are wavesurfer's options of these names.
    `listening`: whether a copy for browsers was made."""

    measured: AudioFacts
    peaks: bytes
    listening: bool


def measure(
    path: Path,
    *,
    name: str = "",
    longest_seconds: int,
    accept_short: bool = False,
    step: Callable[[float], None],
    listening: Path | None = None,
) -> AudioAnalysis:
    """Decode `path` once and measure it. `step(seconds)` is called with the length heard so far; it may raise.

    `name`: what people call the file. `listening`: the file for a copy (AAC in MP4), which is made if browsers can't
    play the original; otherwise that file is left empty.
    Raises Unreadable: no audio, damaged, longer than `longest_seconds`, (unless `accept_short`) much shorter than the
    file itself says, or more than the limits DECODER_MEMORY_BYTES and DECODER_SECONDS allow. Raises DecoderDied
    (also an Unreadable) when the decoder was killed over it, OSError when this machine is at fault, DecoderFailed when
    our code is.
    """
    name = name or path.name
    if path.stat().st_size == 0:
        raise Unreadable("audio.empty", file=name)
    order = {"do": "measure", "rate": RATE, "start_ms": 0, "accept_short": accept_short}
    with started(path, order, name=name, listening=listening) as child:
        gauge = LevelMeter()
        for window in _windows(Samples(child, time.monotonic() + settings.DECODER_SECONDS)):
            if len(window) % 2:
                raise child.broke_off("half a sample")
            gauge.take(window)
            step(gauge.seconds)
            if gauge.seconds > longest_seconds:
                raise Unreadable("audio.too_long", file=name, limit=longest_seconds)
        return _heard(child, gauge)


def _windows(samples: "Samples") -> Iterator[bytes]:
    """All samples, in pieces of WINDOW bytes; the last may be shorter."""
    with io.BufferedReader(samples, 2**18) as sound:
        while window := sound.read(WINDOW):
            yield window


def _heard(child: DecoderProcess, gauge: LevelMeter) -> AudioAnalysis:
    if not gauge.samples:
        raise child.broke_off("no sound, and no refusal")
    try:
        described, listening = _described(child.answer["measured"]), child.answer["listening"] is True
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise child.broke_off(f"its answer makes no sense ({type(error).__name__})") from error
    measured = AudioFacts(**described, **gauge.end())
    peaks = json.dumps(gauge.peaks.for_wavesurfer(gauge.seconds), allow_nan=False).encode()
    return AudioAnalysis(measured, peaks, listening)


def _described(told: dict[str, Any]) -> dict[str, Any]:
    """What the file is. Raises ValueError, or whatever Python does, for what no honest child says."""
    extension, kind, codec, rate, channels = (told[name] for name in DESCRIBED)
    sane = (
        KINDS[extension] == kind
        and re.fullmatch(r"[a-z0-9_]{1,32}", codec) is not None
        and type(rate) is int
        and 0 < rate < 2**31
        and type(channels) is int
        and 0 < channels < 2**15
    )
    if not sane or len(told) != len(DESCRIBED):
        raise ValueError(told)
    return told


@contextlib.contextmanager
def pcm(path: Path, *, name: str = "", rate: int = 16000, start_ms: int = 0) -> Iterator[BinaryIO]:
    """The file's sound from `start_ms` on: 16-bit little-endian mono samples at `rate` Hz, decoded as they are read.

    Reading raises Unreadable or DecoderFailed at the end, or before, when the child could not go on; stop reading
    wherever you like. The reader may take its time, the child may not: after DECODER_SECONDS of waiting for a sample it
    is ended.
    """
    order = {"do": "pcm", "rate": rate, "start_ms": start_ms}
    with (
        started(path, order, name=name or path.name) as child,
        io.BufferedReader(Samples(child), 2**16) as samples,
    ):
        yield samples


class Samples(io.RawIOBase):
    """What a child writes to its standard output; its end is only believed when the child says that it is one.
    `ends_at` (of the monotonic clock): when all must be there. None: each may take DECODER_SECONDS."""

    def __init__(self, child: DecoderProcess, ends_at: float | None = None) -> None:
        assert child.process.stdout is not None
        self._child, self._fd, self._ends_at, self._ended = child, child.process.stdout.fileno(), ends_at, False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._ended:
            return 0
        ends_at = self._ends_at or time.monotonic() + settings.DECODER_SECONDS
        while not self._child.wait_for(self._fd, ends_at):
            pass  # it said something, which it keeps
        count = os.readv(self._fd, [buffer])
        if count == 0:
            self._ended = True
            self._child.listen(ends_at)
        return count
