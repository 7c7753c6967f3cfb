"""Cutting a stream of sound into windows that a model can listen to one at a time, never in the middle of a word.

Rests on numpy, which comes with the extra `speech`: imported only by those who listen.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

RATE = 16000  # Hz, 16-bit mono little-endian: what Whisper listens to
SECOND = 2 * RATE  # bytes
SHORTEST, LONGEST = 30, 60  # seconds
STEP_MS = 50
STEP = SECOND * STEP_MS // 1000  # bytes
PAUSE = 6  # steps: a pause between two words is some 0.3 s


@dataclass(frozen=True)
class Window:
    """Sound from `start_ms` to `end_ms` of the recording."""

    start_ms: int
    end_ms: int
    samples: bytes


def windows(sound: BinaryIO, start_ms: int = 0) -> Iterator[Window]:
    """Windows of 30 to 60 seconds, the last one shorter. `start_ms` is where in the recording `sound` begins. At most
    a minute (2 MB) is held, however long the stream is."""
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
    """Read on until there is a minute, or no more."""
    while (missing := LONGEST * SECOND - len(held)) > 0:
        more = sound.read(missing)
        if not more:
            if len(held) % 2:
                del held[-1:]  # half a sample
            return
        held += more


def _quietest(held: bytearray) -> int:
    """Where to cut, in bytes: the middle of the quietest 0.3 s after the first half minute. Where people pause at all,
    that is a pause; where they don't, no better place is known."""
    steps = np.frombuffer(held, "<i2", offset=SHORTEST * SECOND).astype(np.float64)
    loudness = np.square(steps.reshape(-1, STEP // 2)).mean(axis=1)
    quietest = int(np.convolve(loudness, np.ones(PAUSE), "valid").argmin())
    return SHORTEST * SECOND + (quietest + PAUSE // 2) * STEP
