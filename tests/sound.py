"""Recordings that are larger than a part of an upload."""

import os
import wave
from pathlib import Path


def make_noise(path: Path, megabytes: int) -> Path:
    """A WAV of white noise, 16-bit mono at 48 kHz: 96 kB a second."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(48000)
        for _ in range(megabytes):
            out.writeframes(os.urandom(1024**2))
    return path
