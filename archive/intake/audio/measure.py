"""Measure a recording by decoding it from end to end. File names and headers are never trusted.

A sandboxed process (archive/intake/audio/decoder) decodes the file as one stream, so memory does not grow with its
length. It returns samples, and this process measures them on another core in the meantime.
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

from archive.errors import Problem, Unreadable, locate
from archive.intake.audio.decoder.chapters import MAX_CHAPTERS, MAX_TITLE
from archive.intake.audio.decoder.formats import KINDS
from archive.intake.audio.decoder.reasons import Reason
from archive.intake.audio.levels import RATE, WINDOW, LevelMeter
from archive.intake.audio.sandbox import DecoderProcess, failed, is_known, start_decoder

FILE_FIELDS = ("extension", "content_type", "codec", "sample_rate", "channels")


@dataclass(frozen=True)
class AudioFacts:
    """The measured columns of Recording (archive/models/stored.py documents the units)."""

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
    """The result of `measure`."""

    measured: AudioFacts
    peaks: bytes  # JSON {"duration": seconds, "peaks": [[0 to 1, ...]]}, as wavesurfer takes them
    access_copy_reason: str  # why browsers need a copy: a Reason of decoder/reasons.py, or ""
    notes: list[Problem]  # unusual properties
    chapters: list[dict[str, Any]]  # of the file: {"start_ms": int, "title": str} in order of time

    @property
    def has_access_copy(self) -> bool:
        return bool(self.access_copy_reason)


def measure(
    path: Path,
    *,
    name: str = "",
    longest_seconds: int,
    accept_short: bool = False,
    step: Callable[[float], None],
    access_copy: Path | None = None,
) -> AudioAnalysis:
    """Decode `path` once and measure it. Calls `step(seconds decoded so far)`, which may raise to stop.

    `name` is the file name for messages. `access_copy` is the file that receives an access copy (AAC in MP4) if
    browsers don't play the original on the same timeline; otherwise it stays empty.
    Raises Unreadable if the file has no audio, is damaged, is longer than `longest_seconds`, is much shorter than its
    header claims (unless `accept_short`), or exceeds MAX_RECORDING_SAMPLES, DECODER_MEMORY_BYTES or DECODER_SECONDS.
    Raises DecoderDied (also an Unreadable) if the decoder crashed or was killed, OSError if the machine is at fault,
    DecoderFailed if our code is, or if the decoder's answer makes no sense.
    """
    name = name or path.name
    if path.stat().st_size == 0:
        raise Unreadable("audio.empty", file=name)
    order = {
        "do": "measure",
        "rate": RATE,
        "start_ms": 0,
        "accept_short": accept_short,
        "longest_seconds": longest_seconds,
        "most_samples": settings.MAX_RECORDING_SAMPLES,
    }
    with start_decoder(path, order, name=name, access_copy=access_copy) as child:
        meter = LevelMeter()
        for window in _windows(SampleStream(child, time.monotonic() + settings.DECODER_SECONDS)):
            if len(window) % 2:
                raise child.broke_off("half a sample")
            meter.take(window)
            step(meter.seconds)
            if meter.seconds > longest_seconds:
                raise Unreadable("audio.too_long", file=name, limit=longest_seconds)
        return _build_analysis(child, meter)


def _windows(samples: "SampleStream") -> Iterator[bytes]:
    """Yield all samples in windows of WINDOW bytes; the last may be shorter."""
    with io.BufferedReader(samples, 2**18) as sound:
        while window := sound.read(WINDOW):
            yield window


def _build_analysis(child: DecoderProcess, meter: LevelMeter) -> AudioAnalysis:
    if not meter.samples:
        raise child.broke_off("no sound, and no refusal")
    try:
        file_facts = _validate_file_facts(child.answer["measured"])
        reason, notes = _validate_reason(child.answer["access_copy"]), _validate_notes(child.answer["notes"])
        chapters = _validate_chapters(child.answer["chapters"])
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        # A bug of ours, or a file that took control of the decoder. That could report a bug, too, so trusting it loses
        # nothing.
        raise failed(f"its answer makes no sense: {type(error).__name__}", locate(error)) from error
    measured = AudioFacts(**file_facts, **meter.end())
    peaks = json.dumps(meter.peaks.for_wavesurfer(meter.seconds), allow_nan=False).encode()
    chapters = [chapter for chapter in chapters if chapter["start_ms"] < measured.duration_ms]
    return AudioAnalysis(measured, peaks, reason, notes, chapters)


def _validate_file_facts(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the decoder's description of the file. Raises ValueError, LookupError or TypeError for a forged one."""
    extension, kind, codec, rate, channels = (answer[name] for name in FILE_FIELDS)
    sane = (
        (extension, kind) in KINDS
        and re.fullmatch(r"[a-z0-9_]{1,32}", codec) is not None
        and type(rate) is int
        and 0 < rate < 2**31
        and type(channels) is int
        and 0 < channels < 2**15
    )
    if not sane or len(answer) != len(FILE_FIELDS):
        raise ValueError(answer)
    return answer


def _validate_reason(reason: object) -> str:
    """Return the decoder's reason for an access copy, "" for none. Raises ValueError for a forged one."""
    if not isinstance(reason, str):
        raise TypeError(reason)
    return str(Reason(reason)) if reason else ""


def _validate_notes(notes: Any) -> list[Problem]:
    """Return the decoder's notes. Raises ValueError, LookupError or TypeError for forged ones."""
    if not all(len(note) == 2 and is_known(note["code"], note["params"]) for note in notes):
        raise ValueError(notes)
    return list(notes)


def _validate_chapters(chapters: Any) -> list[dict[str, Any]]:
    """Return the decoder's chapters. Raises ValueError, LookupError or TypeError for forged ones."""
    sane = len(chapters) <= MAX_CHAPTERS and all(
        len(chapter) == 2
        and type(chapter["start_ms"]) is int
        and chapter["start_ms"] >= 0
        and isinstance(chapter["title"], str)
        and len(chapter["title"]) <= MAX_TITLE
        and all(each.isprintable() for each in chapter["title"])
        for chapter in chapters
    )
    if not sane or not isinstance(chapters, list):
        raise ValueError(chapters)
    return chapters


@contextlib.contextmanager
def pcm(path: Path, *, name: str = "", rate: int = 16000, start_ms: int = 0) -> Iterator[BinaryIO]:
    """Decode the file from `start_ms` on: 16-bit little-endian mono samples at `rate` Hz, decoded as they are read.

    Reading raises Unreadable or DecoderFailed when the decoder can't continue. The caller may stop reading anywhere.
    A slow reader is fine; a decoder that sends no sample for DECODER_SECONDS is killed.
    """
    limits = {
        "longest_seconds": settings.MAX_RECORDING_SECONDS,
        "most_samples": settings.MAX_RECORDING_SAMPLES,
    }
    order = {"do": "pcm", "rate": rate, "start_ms": start_ms, **limits}
    with (
        start_decoder(path, order, name=name or path.name) as child,
        io.BufferedReader(SampleStream(child), 2**16) as samples,
    ):
        yield samples


class SampleStream(io.RawIOBase):
    """Read the decoder's standard output. End of file counts only after the decoder reports success.

    `ends_at` (monotonic clock) is the deadline for all samples; with None, each read may take DECODER_SECONDS.
    """

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
            pass  # the decoder reported something, which `child` stores
        count = os.readv(self._fd, [buffer])
        if count == 0:
            self._ended = True
            self._child.wait_for_answer(ends_at)
        return count
