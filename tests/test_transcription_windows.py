"""A long recording is split into windows at pauses, without losing audio."""

import io
import random

import numpy as np
import pytest

from archive.intake.transcription.windows import RATE, windows


def talk(*stretches: tuple[float, float]) -> bytes:
    """Return noise of (seconds, loudness) segments as 16-bit samples."""
    noise = np.random.default_rng(3)
    parts = [noise.normal(0, 1, int(seconds * RATE)) * loud for seconds, loud in stretches]
    return np.concatenate(parts).clip(-32768, 32767).astype("<i2").tobytes()


class Slow(io.RawIOBase):
    """A pipe that returns what it has: often less than requested, and not always whole samples."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at, self.random = data, 0, random.Random(5)

    def read(self, size: int = -1) -> bytes:
        some = self.data[self.at : self.at + min(size, self.random.randint(1, 700_001))]
        self.at += len(some)
        return some


def test_each_cut_is_in_a_pause() -> None:
    # Speech of 7.3 s and a pause of half a second in turns for four minutes, with hum in the pauses.
    sound = talk(*[(7.3, 3000), (0.5, 60)] * 31)

    result = list(windows(io.BytesIO(sound)))

    cuts = [window.end_ms / 1000 for window in result[:-1]]
    assert len(cuts) >= 4
    for cut in cuts:
        assert 7.3 < cut % 7.8 < 7.8, f"{cut} is in the middle of a word"


def test_windows_cover_the_recording_exactly_once() -> None:
    sound = talk((40, 3000), (0.4, 0), (95.5, 500), (0.3, 10), (31.21, 900))

    cut = list(windows(Slow(sound + b"\x01"), start_ms=90_000))  # type: ignore[arg-type]

    assert b"".join(window.samples for window in cut) == sound
    assert cut[0].start_ms == 90_000
    assert [window.start_ms for window in cut[1:]] == [window.end_ms for window in cut[:-1]]
    assert cut[-1].end_ms == 90_000 + 167_410
    assert all(30_000 <= window.end_ms - window.start_ms <= 60_000 for window in cut[:-1])


@pytest.mark.parametrize(("seconds", "lengths"), [(0, []), (0.02, [20]), (59.9, [59_900])])
def test_a_short_recording_is_one_window(seconds: float, lengths: list[int]) -> None:
    cut = list(windows(io.BytesIO(talk((seconds, 900)))))

    assert [window.end_ms - window.start_ms for window in cut] == lengths


def test_speech_without_pauses_is_cut_too() -> None:
    cut = list(windows(io.BytesIO(talk((200, 3000)))))

    assert all(30_000 <= window.end_ms - window.start_ms <= 60_000 for window in cut[:-1])
    assert cut[-1].end_ms == 200_000


def test_a_long_recording_is_never_in_memory_as_a_whole() -> None:
    endless = Slow(b"")
    sizes: list[int] = []

    def read(size: int = -1) -> bytes:
        sizes.append(size)
        return bytes(size)

    endless.read = read  # type: ignore[method-assign]
    some = windows(endless)  # type: ignore[arg-type]

    for _ in range(100):
        assert len(next(some).samples) <= 60 * 2 * RATE
    assert max(sizes) <= 60 * 2 * RATE
    assert sum(sizes) <= 101 * 60 * 2 * RATE
