"""The word error rate of automatic transcripts against reference transcripts."""

import wave
from pathlib import Path

import pytest
from pytest_django import Settings

from archive.cues import Cue
from archive.intake.transcription.whisper import WindowTranscript, transcribe_window, without_repeats
from archive.intake.transcription.windows import Window, windows
from tests.support import speech_samples


@pytest.fixture(autouse=True)
def model(settings: Settings) -> None:
    settings.TRANSCRIPTION_MODEL = speech_samples.MODEL


def transcribe_file(recording: Path, language: str = "") -> tuple[list[Cue], str]:
    """Return its lines and the detected language. The samples are at 16 kHz."""
    with wave.open(str(recording)) as sound:
        assert sound.getframerate() == 16000
        window = Window(0, sound.getnframes() // 16, sound.readframes(sound.getnframes()))
    result = transcribe_window(window, language)
    return result.cues, result.language


@pytest.mark.long
def test_word_error_rate_of_a_telephone_call(tmp_path: Path) -> None:
    reference = speech_samples.read_telephone_transcript(tmp_path)

    lines, language = transcribe_file(speech_samples.extract_telephone_call(tmp_path))

    assert language == "en"
    # For narrowband audio with two overlapping speakers, the tiny model mishears every seventh word.
    assert (
        speech_samples.word_error_rate(" ".join(line.text for line in reference), " ".join(line.text for line in lines))
        < 0.25
    )
    for words in ("Diane in New Jersey", "much difference", "call me a Yankee"):
        (truth,) = [line for line in reference if words in line.text]
        (line,) = [line for line in lines if words in line.text]
        assert line.start_ms / 1000 < truth.start + 0.6, line
        assert line.end_ms / 1000 > truth.end - 1.2, line
    assert all(lines[i].end_ms <= lines[i + 1].start_ms for i in range(len(lines) - 1))
    assert lines[0].start_ms > 6000
    assert max(line.end_ms - line.start_ms for line in lines) <= 13_000


def silence(seconds: int) -> bytes:
    return bytes(32000 * seconds)


def hum(seconds: int) -> bytes:
    return b"".join((8000 if n // 40 % 2 else -8000).to_bytes(2, "little", signed=True) for n in range(16000 * seconds))


@pytest.mark.parametrize("sound", [silence(40), hum(40), b"", bytes(200)])
def test_silence_gives_no_lines(sound: bytes) -> None:
    assert transcribe_window(Window(5000, 5000 + len(sound) // 32, sound)) == WindowTranscript([], "")


def test_times_are_relative_to_the_whole_recording(tmp_path: Path) -> None:
    with speech_samples.extract_telephone_call(tmp_path).open("rb") as file:
        file.seek(44)
        (window,) = windows(file, start_ms=3_600_000)

    lines = transcribe_window(window, "en").cues

    assert all(3_606_000 <= line.start_ms < line.end_ms <= 3_630_020 for line in lines)


def test_repeated_hallucinations_are_dropped() -> None:
    def cue(text: str) -> Cue:
        return Cue(0, 1, "", text)

    before = [cue("And then?"), cue("Thank you.")]

    lines_left = without_repeats(
        before, [cue("thank you."), cue("Thank you."), cue("Yes."), cue("Yes."), cue("Thank you.")]
    )

    assert [line.text for line in lines_left] == ["thank you.", "Yes.", "Yes.", "Thank you."]
