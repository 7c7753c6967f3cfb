"""Measure loudness, silence and peaks in one pass over windows of 8 kHz mono samples."""

import math
import os
import warnings
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import Any

with warnings.catch_warnings():
    # On import pydub searches for an ffmpeg program, and fails without a PATH. It gets decoded samples here, so it
    # never needs one.
    os.environ.setdefault("PATH", os.defpath)
    warnings.simplefilter("ignore")
    import audioop  # pydub's own base

    from pydub import AudioSegment

RATE = 8000  # Hz: enough to measure speech
WINDOW_SECONDS = 60
WINDOW = WINDOW_SECONDS * RATE * 2  # bytes
PIECE_MS = 100
PIECE = RATE * PIECE_MS // 1000 * 2  # bytes
FULL_SCALE = 2**15

# Silence: a second or more in which no sample reaches -50 dBFS.
QUIET = FULL_SCALE * 10 ** (-50 / 20)
MIN_SILENCE_MS = 1000

MAX_PEAKS = 4000
OUTLINE_STEPS = 100


@dataclass
class Peaks:
    """The loudest sample of each step, 0 to 32768.

    When there are too many steps, each pair is merged. So the length need not be known in advance, and memory does not
    grow with it.
    """

    loudest: list[int] = field(default_factory=list)
    _step: int = 1  # pieces
    _pending: list[int] = field(default_factory=list)  # pieces of the step that is not complete

    def add(self, pieces: list[int]) -> None:
        pending = self._pending + pieces
        whole = len(pending) - len(pending) % self._step
        self.loudest += [max(pending[at : at + self._step]) for at in range(0, whole, self._step)]
        self._pending = pending[whole:]
        while len(self.loudest) >= MAX_PEAKS:
            if len(self.loudest) % 2:
                self._pending = [self.loudest.pop()] * self._step + self._pending
            self.loudest = [max(pair) for pair in zip(self.loudest[::2], self.loudest[1::2], strict=True)]
            self._step *= 2

    def end(self) -> None:
        if self._pending:
            self.loudest.append(max(self._pending))
            self._pending.clear()

    def for_wavesurfer(self, seconds: float) -> dict[str, object]:
        """Return wavesurfer's options for one channel: {"duration": seconds, "peaks": [[0 to 1, ...]]}."""
        return {"duration": round(seconds, 3), "peaks": [[round(peak / FULL_SCALE, 2) for peak in self.loudest]]}

    def outline(self) -> list[int]:
        """Return the mean peak of at most 100 steps, scaled so that the loudest step is 100."""
        count = min(OUTLINE_STEPS, len(self.loudest))
        edges = [len(self.loudest) * step // count for step in range(count + 1)] if count else []
        means = [sum(self.loudest[a:b]) / (b - a) for a, b in pairwise(edges)]
        top = max(means, default=0) or 1
        return [round(mean / top * 100) for mean in means]


@dataclass
class LevelMeter:
    """Measure windows in order. Each has WINDOW bytes; only the last may be shorter."""

    samples: int = 0
    peaks: Peaks = field(default_factory=Peaks)
    _peak: int = 0
    _energy: float = 0.0  # sum of the squares of all samples
    _silent_ms: int = 0
    _quiet_ms: int = 0  # length of the quiet stretch that has not ended yet

    @property
    def seconds(self) -> float:
        return self.samples / RATE

    def take(self, window: bytes) -> None:
        sound = AudioSegment(data=window, sample_width=2, frame_rate=RATE, channels=1)
        self._energy += sound.rms**2 * (len(window) // 2)
        self.samples += len(window) // 2
        view = memoryview(window)
        pieces = [audioop.max(view[start : start + PIECE], 2) for start in range(0, len(window), PIECE)]
        self._peak = max(self._peak, *pieces)
        self.peaks.add(pieces)
        for quiet, stretch in groupby(pieces, QUIET.__gt__):
            if quiet:
                self._quiet_ms += PIECE_MS * len(list(stretch))
            else:
                self._end_quiet()

    def _end_quiet(self) -> None:
        if self._quiet_ms >= MIN_SILENCE_MS:
            self._silent_ms += self._quiet_ms
        self._quiet_ms = 0

    def end(self) -> dict[str, Any]:
        """Return the columns of Recording that depend on the samples."""
        self.peaks.end()
        self._end_quiet()
        length_ms = round(self.seconds * 1000)
        level = math.sqrt(self._energy / self.samples) if self.samples else 0.0
        return {
            "duration_ms": length_ms,
            "peak_dbfs": _dbfs(self._peak),
            "level_dbfs": _dbfs(level),
            "silent_ms": min(self._silent_ms, length_ms),  # the last piece may be shorter
            "outline": self.peaks.outline(),
        }


def _dbfs(amplitude: float) -> float | None:
    """Convert an amplitude (0 to 32768) to dBFS. None for digital silence, which has no logarithm."""
    return round(20 * math.log10(amplitude / FULL_SCALE), 1) if amplitude else None
