"""Compute the CRC-32 of a ZIP from those of its members, without reading a recording.

A CRC is linear: the CRC of two joined strings follows from their CRCs and the length of the second. Appending n zero
bytes multiplies a CRC, as a polynomial over GF(2), by x^(8n) modulo the CRC's polynomial (zlib's manual calls this
crc32_combine; Python's zlib does not have it).
"""

import zlib
from collections.abc import Iterable, Sequence
from functools import cache

from archive.bundles.zip64 import Range, Segment

POLYNOMIAL = 0xEDB88320  # of CRC-32 (ISO 3309, as ZIP uses it), bits reversed
ONE = 1 << 31  # x^0


def whole_crc32(segments: Sequence[Segment]) -> int | None:
    """Return the CRC-32 of all segments joined; None if the CRC-32 of a range is unknown."""
    crc = 0
    for segment in segments:
        if not isinstance(segment, Range):
            crc = zlib.crc32(segment.data, crc)
        elif segment.crc32 is None:
            return None
        else:
            crc = combine(crc, segment.crc32, segment.length)
    return crc


def joined_crc32(pieces: Iterable[tuple[int, int]]) -> int:
    """Return the CRC-32 of joined pieces, from the CRC-32 and the length of each."""
    crc = 0
    for piece, length in pieces:
        crc = combine(crc, piece, length)
    return crc


def combine(first: int, second: int, length: int) -> int:
    """Return the CRC-32 of two joined strings, the second of which has `length` bytes."""
    return _multiply(_power(8 * length), first) ^ second


def _multiply(a: int, b: int) -> int:
    product, bit = 0, ONE
    while a:
        if a & bit:
            product ^= b
            a ^= bit
        bit >>= 1
        b = b >> 1 ^ POLYNOMIAL if b & 1 else b >> 1
    return product


def _power(exponent: int) -> int:
    """Return x to this power."""
    result, place = ONE, 0
    while exponent:
        if exponent & 1:
            result = _multiply(_square(place), result)
        exponent, place = exponent >> 1, place + 1
    return result


@cache
def _square(times: int) -> int:
    """Return x after squaring it `times` times."""
    if times == 0:
        return ONE >> 1
    half = _square(times - 1)
    return _multiply(half, half)
