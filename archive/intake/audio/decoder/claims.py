"""Read the length that a file's header claims."""

import os
import wave
from fractions import Fraction
from typing import BinaryIO

import av

from archive.intake.audio.decoder.decode import Source
from archive.intake.audio.decoder.timeline import TOLERANCE


def read_claimed_seconds(file: BinaryIO, source: Source) -> float:
    """Return the length in seconds that the file's header claims, or 0.

    FFmpeg limits a WAV's claim to the file's size, so this reads the WAV header itself. Recorders that never learned
    the length write a size of 0 or near 2**32, which counts as no claim. Nor does the claim of a file that was cut from
    a live stream: its times count from the stream's beginning.
    """
    if source.form.extension == "wav":
        claimed = _read_wav(file)
        if claimed is not None:
            return claimed
    if source.zero > TOLERANCE:
        return 0
    if source.stream.duration and source.stream.time_base:
        return float(source.stream.duration * Fraction(source.stream.time_base))
    return (source.container.duration or 0) / av.time_base


def _read_wav(file: BinaryIO) -> float | None:
    position = file.tell()
    try:
        file.seek(0)
        with wave.open(file, "rb") as header:  # does not close `file`
            size = header.getnframes() * header.getnchannels() * header.getsampwidth()
            return header.getnframes() / header.getframerate() if size < 2**32 - 2**16 else 0
    except (wave.Error, EOFError, ZeroDivisionError):
        return None  # not plain PCM: use FFmpeg's value
    finally:
        file.seek(position, os.SEEK_SET)
