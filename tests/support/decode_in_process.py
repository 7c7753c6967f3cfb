"""Decode a recording in this process, without a sandbox. It is fast, and only for files that we made."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from archive.intake.audio.decoder import run
from tests.corpus.signals import Samples

RATE = 8000  # Hz


@dataclass(frozen=True)
class Decoded:
    """The samples at RATE, the decoder's answer, and the access copy (empty if none was made)."""

    samples: Samples
    answer: dict[str, Any]
    copy: Path

    @property
    def seconds(self) -> float:
        return len(self.samples) / RATE

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(note["code"] for note in self.answer["notes"])


def decode_recording(path: Path) -> Decoded:
    """Measure the file and make its access copy beside it. Raises Unreadable."""
    lines: list[dict[str, Any]] = []
    sound, copy = path.with_name(f"{path.name}.pcm"), path.with_name(f"{path.name}.copy.m4a")
    with path.open("rb", buffering=0) as file, sound.open("wb") as out, copy.open("w+b") as copy_file:
        order = {
            "do": "measure",
            "rate": RATE,
            "start_ms": 0,
            "accept_short": False,
            "longest_seconds": 86_400,
            "most_samples": 10**10,
            "access_copy": copy_file.fileno(),
        }
        run.carry_out(order, file, out, lambda **line: lines.append(line))
    samples = np.frombuffer(sound.read_bytes(), "<i2")
    sound.unlink()
    return Decoded(samples, lines[-1], copy)
