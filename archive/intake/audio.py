"""What a file really is: found by decoding it from end to end, never by its name or by what its header claims.

The decoding is done in a process of its own with hard limits (archive/intake/hearing), as one stream: memory stays the
same for a three-minute and for a twelve-hour recording.
"""

import contextlib
import io
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings

from archive.errors import Unreadable
from archive.intake.child import Child, started
from archive.intake.hearing.formats import FORMATS

KINDS = {form.extension: form.content_type for form in FORMATS.values()}
MOST_PEAKS, OUTLINE_STEPS = 4000, 100


@dataclass(frozen=True)
class Measured:
    """What a Recording keeps (archive/models/media.py has the units)."""

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
class Heard:
    """`peaks`: JSON {"duration": seconds, "peaks": [[0 to 1, ...]]}, which are wavesurfer's options of these names.
    `listening`: whether a copy for browsers was made."""

    measured: Measured
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
) -> Heard:
    """Decode `path` once and measure it. `step(seconds)` is called with the length heard so far; it may raise.

    `name`: what people call the file. `listening`: the file for a copy (AAC in MP4), which is made if browsers can't
    play the original; otherwise that file is left empty.
    Raises Unreadable: no audio, damaged, longer than `longest_seconds`, (unless `accept_short`) much shorter than the
    file itself says, or more than the limits AUDIO_MEMORY_BYTES and AUDIO_SECONDS allow. Raises OSError when this
    machine is at fault.
    """
    name = name or path.name
    if path.stat().st_size == 0:
        raise Unreadable(f"{name}: the file is empty.")
    order = {"do": "measure", "longest_seconds": longest_seconds, "accept_short": accept_short}
    with started(path, order, name=name, listening=listening) as child:
        return _heard(child, step)


def _heard(child: Child, step: Callable[[float], None]) -> Heard:
    answer: dict[str, Any] = {}
    for answer in child.lines():
        if isinstance(answer.get("heard"), float):
            step(answer["heard"])
    try:
        return Heard(_measured(answer["measured"]), _peaks(answer["peaks"]), answer["listening"] is True)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise child.broke_off(f"its answer makes no sense: {error!r}") from error


def _measured(told: dict[str, Any]) -> Measured:
    """Raises ValueError, or whatever Python does, for what no honest child says."""
    found = Measured(**told)
    whole = (found.duration_ms, found.sample_rate, found.channels, found.silent_ms, *found.outline)
    sane = (
        KINDS[found.extension] == found.content_type
        and re.fullmatch(r"[a-z0-9_]{1,32}", found.codec) is not None
        and all(type(number) is int for number in whole)
        and 0 < found.duration_ms <= 2**40
        and 0 <= found.silent_ms <= found.duration_ms + 1
        and 0 < found.sample_rate < 2**31
        and 0 < found.channels < 2**15
        and all(dbfs is None or -200 <= dbfs <= 1 for dbfs in (found.peak_dbfs, found.level_dbfs))
        and len(found.outline) <= OUTLINE_STEPS
        and all(0 <= height <= 100 for height in found.outline)
    )
    if not sane:
        raise ValueError(told)
    return found


def _peaks(told: dict[str, Any]) -> bytes:
    """As `_measured`."""
    (channel,) = told["peaks"]
    if len(channel) > MOST_PEAKS or not all(-1 <= peak <= 1 for peak in channel):
        raise ValueError("peaks")
    whole = {"duration": float(told["duration"]), "peaks": [[float(peak) for peak in channel]]}
    return json.dumps(whole, allow_nan=False).encode()


@contextlib.contextmanager
def pcm(path: Path, *, name: str = "", rate: int = 16000, start_ms: int = 0) -> Iterator[BinaryIO]:
    """The file's sound from `start_ms` on: 16-bit little-endian mono samples at `rate` Hz, decoded as they are read.

    Reading raises Unreadable at the end, or before, when the child could not go on; stop reading wherever you like. The
    reader may take its time, the child may not: after AUDIO_SECONDS of waiting for a sample it is ended.
    """
    order = {"do": "pcm", "rate": rate, "start_ms": start_ms}
    with (
        started(path, order, name=name or path.name, sound=True) as child,
        io.BufferedReader(Samples(child), 2**16) as samples,
    ):
        yield samples


class Samples(io.RawIOBase):
    """What a child writes to its standard output; its end is only believed when the child says that it is one."""

    def __init__(self, child: Child) -> None:
        assert child.process.stdout is not None
        self._child, self._fd, self._ended = child, child.process.stdout.fileno(), False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._ended:
            return 0
        self._child.wait_for(self._fd, settings.AUDIO_SECONDS)
        count = os.readv(self._fd, [buffer])
        if count == 0:
            self._ended = True
            for _ in self._child.lines():
                pass
        return count
