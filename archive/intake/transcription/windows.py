"""Cut a stream of sound into windows for a model, never in the middle of a word.

Needs numpy, which comes with the extra `speech`, so only processes that transcribe import this.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

RATE = 16000  # Hz, 16-bit mono little-endian: Whisper's input
SECOND = 2 * RATE  # bytes
SHORTEST, LONGEST = 30, 60  # seconds
STEP_MS = 50
STEP = SECOND * STEP_MS // 1000  # bytes
PAUSE = 6  # steps: a pause between two words is about 0.3 s


@dataclass(frozen=True)
class Window:
    """Sound from `start_ms` to `end_ms` of the recording."""

    start_ms: int
    end_ms: int
    samples: bytes


def windows(sound: BinaryIO, start_ms: int = 0) -> Iterator[Window]:
    """Yield windows of 30 to 60 seconds, the last one shorter. `start_ms` is the position of `sound` in the recording.
    Holds at most a minute (2 MB), however long the stream is."""
    at, held = start_ms, bytearray()
    while True:
        _fill(held, sound)
        if not held:
            return
        length = _quietest(held) if len(held) >= LONGEST * SECOND else len(held)
        samples = bytes(held[:length])
        del held[:length]
        end = at + round(length * 1000 / SECOND)
        yield Window(at, end, samples)
        at = end


def _fill(held: bytearray, sound: BinaryIO) -> None:
    """Read until there is a minute, or the stream ends."""
    while (missing := LONGEST * SECOND - len(held)) > 0:
        more = sound.read(missing)
        if not more:
            if len(held) % 2:
                del held[-1:]  # half a sample
            return
        held += more


def _quietest(held: bytearray) -> int:
    """Return where to cut, in bytes: the middle of the quietest 0.3 s after the first half minute. If people pause at
    all, that is a pause."""
    steps = np.frombuffer(held, "<i2", offset=SHORTEST * SECOND).astype(np.float64)
    loudness = np.square(steps.reshape(-1, STEP // 2)).mean(axis=1)
    quietest = int(np.convolve(loudness, np.ones(PAUSE), "valid").argmin())
    return SHORTEST * SECOND + (quietest + PAUSE // 2) * STEP
