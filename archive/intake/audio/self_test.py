"""Decode a known good recording to find out whether the decoder works at all.

A new Python or PyAV, a low memory limit, a missing processor instruction, or a kernel or container that forbids a
system call can break it for every file.
"""

import math
import struct

from archive.errors import Unreadable
from archive.intake.audio import measure
from archive.intake.audio.sandbox import failed
from archive.intake.spool import open_unnamed_file

RATE, SECONDS = 8000, 2
MULAW = 7  # no browser plays it in a WAV, so the access copy is tested too


def run() -> None:
    """Decode a generated tone. Raises DecoderFailed if the decoder refuses it or dies."""
    with open_unnamed_file() as path, open_unnamed_file() as copy:
        path.write_bytes(_tone())
        try:
            analysis = measure.measure(
                path, name="the self-test", longest_seconds=60, step=lambda seconds: None, access_copy=copy
            )
        except Unreadable as error:
            raise failed(f"self-test: {error.code}", "the self-test") from error
        if analysis.measured.duration_ms != SECONDS * 1000 or not analysis.has_access_copy:
            raise failed("it measured a known recording wrongly", "the self-test")


def _tone() -> bytes:
    """Make a µ-law WAV: 440 Hz, as loud as speech."""
    samples = bytes(_mulaw(round(8000 * math.sin(2 * math.pi * 440 * n / RATE))) for n in range(RATE * SECONDS))
    form = struct.pack("<HHIIHHH", MULAW, 1, RATE, RATE, 1, 8, 0)
    chunks = b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(samples)) + samples
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WAVE" + chunks


def _mulaw(sample: int) -> int:
    """Encode one 16-bit sample (ITU-T G.711)."""
    height = min(abs(sample), 32635) + 132
    exponent = height.bit_length() - 8
    return ~((sample < 0) << 7 | exponent << 4 | height >> exponent + 3 & 15) & 255
