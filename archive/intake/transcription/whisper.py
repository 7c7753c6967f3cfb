"""Transcribe one window of audio with a Whisper model. Uses no network.

The model is a folder on the disk. ONNX Runtime, which the voice detector needs, sends telemetry unless that is disabled
before it is loaded.

Whisper hallucinates in silence and can repeat its last line endlessly. So it gets only sound that a voice detector
(Silero, bundled with faster-whisper) considers speech, windows are independent of each other, and repeats are dropped.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from django.conf import settings

from archive.cues import Cue, plain
from archive.errors import Refused
from archive.intake.transcription.language_codes import whisper_code
from archive.intake.transcription.windows import Window

if TYPE_CHECKING:
    from faster_whisper import WhisperModel
    from faster_whisper.transcribe import Segment, Word

SURE = 0.5  # a language detected with at least this probability is settled
TEMPERATURES = (0.0, 0.4, 0.8)  # for second and third attempts if the first repeats itself or is unsure
COMPRESSED = 2.4  # text that compresses better than this repeats itself (openai/whisper's own limit)
TWICE = 2  # how often a line may occur in a row; people do say "yes, yes"

# A line ends at a sentence, at a pause, or when it gets too long to follow by ear.
SENTENCE = tuple(".?!…。?!؟।")
SENTENCE_SECONDS, PAUSE_SECONDS, LINE_SECONDS = 4.0, 1.0, 12.0


@dataclass(frozen=True)
class WindowTranscript:
    """The lines of one window. `language` is BCP 47, or "" without speech or certainty."""

    cues: list[Cue]
    language: str


@cache
def model() -> "WhisperModel":
    """Return the model, which each process loads at the first use."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # ONNX Runtime reads it only when it is loaded
    from faster_whisper import WhisperModel  # noqa: PLC0415

    return WhisperModel(
        settings.TRANSCRIPTION_MODEL,
        device="cpu",
        compute_type="int8",
        cpu_threads=settings.TRANSCRIPTION_THREADS,
        local_files_only=True,
    )


def name() -> str:
    """Return the name of the model: that of its folder."""
    folder = Path(settings.TRANSCRIPTION_MODEL)
    return (folder.parent.name if folder.name == "model" else folder.name)[:100]


def transcribe_window(window: Window, language: str = "") -> WindowTranscript:
    """Return the spoken lines in `window`, with times in the whole recording. `language`: BCP 47, empty to detect it.
    Raises Refused for a language that the model does not know."""
    samples = np.frombuffer(window.samples, "<i2").astype(np.float32) / 32768
    segments, info = model().transcribe(
        samples,
        language=_code(language) if language else None,
        vad_filter=True,
        word_timestamps=True,
        condition_on_previous_text=False,
        temperature=TEMPERATURES,
        compression_ratio_threshold=COMPRESSED,
    )
    cues = [cue for segment in segments for cue in _cues(segment, window)]
    sure = bool(cues) and info.language_probability >= SURE
    return WindowTranscript(cues, language or (_tag(info.language) if sure else ""))


def without_repeats(before: Iterable[Cue], cues: Iterable[Cue]) -> list[Cue]:
    """Return `cues` without those that repeat the same text more than twice in a row."""
    recent, unique = [cue.text.casefold() for cue in before][-TWICE:], []
    for cue in cues:
        text = cue.text.casefold()
        if recent != [text] * TWICE:
            unique.append(cue)
        recent = [*recent, text][-TWICE:]
    return unique


def _cues(segment: "Segment", window: Window) -> Iterator[Cue]:
    if segment.compression_ratio > COMPRESSED:  # every attempt repeated itself
        return
    for line in _lines(segment.words or []):
        text = plain("".join(word.word for word in line))
        start = window.start_ms + round(float(line[0].start) * 1000)
        end = min(window.start_ms + round(float(line[-1].end) * 1000), window.end_ms)
        if text and start < end:
            yield Cue(start, end, "", text)


def _lines(words: list["Word"]) -> Iterator[list["Word"]]:
    """Yield the words of a segment as lines that are easy to follow by ear; a long sentence in parts of equal
    length."""
    lasts = words[-1].end - words[0].start if words else 0.0
    most = lasts / max(1, ceil(lasts / LINE_SECONDS))
    line: list[Word] = []
    for word in words:
        if line and _ends(line, word, most):
            yield line
            line = []
        line.append(word)
    if line:
        yield line


def _ends(line: list["Word"], following: "Word", most: float) -> bool:
    lasted = line[-1].end - line[0].start
    sentence = line[-1].word.strip().endswith(SENTENCE) and lasted >= SENTENCE_SECONDS
    paused = following.start - line[-1].end >= PAUSE_SECONDS
    return bool(sentence or paused or lasted >= most)


def _code(language: str) -> str:
    code = whisper_code(language)
    known: Any = model().supported_languages
    if code not in known:
        raise Refused("transcription.unknown_language", model=name(), language=language)
    return code


def _tag(code: str) -> str:
    return {"jw": "jv"}.get(code, code)
