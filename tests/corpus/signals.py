"""Noise in which every moment is recognizable, and where a piece of it lies in a recording."""

from functools import cache

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]
LOWPASS = 3000  # Hz: every codec keeps it, at every rate from 8 kHz on
PEAK = 8000  # of 32768


@cache
def make_noise(seconds: float, rate: int = 48000) -> Samples:
    """Band-limited noise. The same moment sounds the same at every rate."""
    spectrum_size = round(seconds * LOWPASS)
    values = np.random.default_rng(7).normal(size=(2, spectrum_size))
    spectrum = np.zeros(round(seconds * rate) // 2 + 1, dtype=complex)
    count = min(spectrum_size, len(spectrum))
    low = round(seconds * 200)  # codecs for speech cut what is lower
    spectrum[low:count] = values[0][low:count] + 1j * values[1][low:count]
    sound = np.fft.irfft(spectrum, round(seconds * rate))
    return np.asarray(sound / np.abs(sound).max() * PEAK, dtype=np.int16)


def find_offset(piece: Samples, whole: Samples) -> tuple[int, float]:
    """Return the index in `whole` where `piece` fits best, and their correlation there (up to 1)."""
    x, y = piece.astype(float), whole.astype(float)
    size = 1 << (len(x) + len(y)).bit_length()
    products = np.fft.irfft(np.fft.rfft(y, size) * np.conj(np.fft.rfft(x, size)), size)[: len(y) - len(x) + 1]
    sums = np.concatenate([[0], np.cumsum(y * y)])
    energy = np.sqrt(np.maximum(sums[len(x) :] - sums[: -len(x)], 1) * (np.dot(x, x) + 1))
    correlation = products / energy
    best = int(correlation.argmax())
    return best, float(correlation[best])
