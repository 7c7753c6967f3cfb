"""How loud it is, how much of it is silent, and what it looks like: from windows of 8 kHz mono, each seen once."""

import math
import warnings
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import Any

with warnings.catch_warnings():
    # pydub looks for an ffmpeg program at import. We hand it decoded samples, so it never needs one.
    warnings.simplefilter("ignore")
    import audioop  # what pydub is made of

    from pydub import AudioSegment

RATE = 8000  # Hz: enough to measure speech
WINDOW_SECONDS = 60
WINDOW = WINDOW_SECONDS * RATE * 2  # bytes
PIECE_MS = 100
PIECE = RATE * PIECE_MS // 1000 * 2  # bytes
FULL_SCALE = 2**15

# Silence: a second or more in which no sample reaches -50 dBFS.
QUIET = FULL_SCALE * 10 ** (-50 / 20)
LEAST_SILENCE_MS = 1000

MOST_PEAKS = 4000
OUTLINE_STEPS = 100


@dataclass
class Peaks:
    """The loudest sample of each step, 0 to 32768. When there are too many steps, two become one: the length need not
    be known, and a day takes no more room than a minute."""

    loudest: list[int] = field(default_factory=list)
    _step: int = 1  # pieces
    _held: list[int] = field(default_factory=list)

    def add(self, pieces: list[int]) -> None:
        held = self._held + pieces
        whole = len(held) - len(held) % self._step
        self.loudest += [max(held[at : at + self._step]) for at in range(0, whole, self._step)]
        self._held = held[whole:]
        while len(self.loudest) >= MOST_PEAKS:
            if len(self.loudest) % 2:
                self._held = [self.loudest.pop()] * self._step + self._held
            self.loudest = [max(pair) for pair in zip(self.loudest[::2], self.loudest[1::2], strict=True)]
            self._step *= 2

    def end(self) -> None:
        if self._held:
            self.loudest.append(max(self._held))
            self._held.clear()

    def for_wavesurfer(self, seconds: float) -> dict[str, object]:
        """{"duration": seconds, "peaks": [[0 to 1, ...]]}: its options of these names, one channel."""
        return {"duration": round(seconds, 3), "peaks": [[round(peak / FULL_SCALE, 2) for peak in self.loudest]]}

    def outline(self) -> list[int]:
        """At most 100 steps, 0 to 100, where 100 is the loudest step: the mean of the peaks in each."""
        count = min(OUTLINE_STEPS, len(self.loudest))
        edges = [len(self.loudest) * step // count for step in range(count + 1)] if count else []
        means = [sum(self.loudest[a:b]) / (b - a) for a, b in pairwise(edges)]
        top = max(means, default=0) or 1
        return [round(mean / top * 100) for mean in means]


@dataclass
class LevelMeter:
    """Give it windows in order: each WINDOW bytes, the last may be shorter."""

    samples: int = 0
    peaks: Peaks = field(default_factory=Peaks)
    _peak: int = 0
    _energy: float = 0.0  # sum of the squares of all samples
    _silent_ms: int = 0
    _quiet_ms: int = 0  # the stretch up to now

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
        if self._quiet_ms >= LEAST_SILENCE_MS:
            self._silent_ms += self._quiet_ms
        self._quiet_ms = 0

    def end(self) -> dict[str, Any]:
        """What a Recording keeps of it."""
        self.peaks.end()
        self._end_quiet()
        length_ms = round(self.seconds * 1000)
        level = math.sqrt(self._energy / self.samples) if self.samples else 0.0
        return {
            "duration_ms": length_ms,
            "peak_dbfs": _dbfs(self._peak),
            "level_dbfs": _dbfs(level),
            "silent_ms": min(self._silent_ms, length_ms),  # the last piece may be a short one
            "outline": self.peaks.outline(),
        }


def _dbfs(height: float) -> float | None:
    """Of 0 to 32768. None: nothing at all, which no logarithm tells."""
    return round(20 * math.log10(height / FULL_SCALE), 1) if height else None
