"""Find where a moment of a sound is in a recording."""

from tests.corpus.signals import Samples, find_offset
from tests.support.decode_in_process import RATE

PIECE, AROUND = 0.1, 0.5  # seconds on each side


def locate(sound: Samples, second: float, recording: Samples, place: float) -> float:
    """Return at which second of `recording`, near `place`, the moment `second` of `sound` is heard, or infinity.

    Both are samples at RATE.
    """
    piece = sound[round((second - PIECE) * RATE) : round((second + PIECE) * RATE)]
    start = max(0, round((place - AROUND) * RATE))
    around = recording[start : round((place + AROUND) * RATE)]
    if len(around) <= len(piece):
        return float("inf")
    offset, correlation = find_offset(piece, around)
    return (start + offset) / RATE + PIECE if correlation > 0.5 else float("inf")
