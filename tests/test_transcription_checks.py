"""An invalid transcription configuration stops the start and says what is missing."""

import shutil
import sys
from pathlib import Path

import pytest
from pytest_django import Settings

from portal.checks import transcription
from tests.support import speech_samples


def check_messages(settings: Settings, **values: str) -> list[tuple[str | None, str]]:
    for name, value in values.items():
        setattr(settings, name, value)
    return [(error.id, error.msg) for error in transcription(None)]


def test_the_model_of_make_run_is_complete(settings: Settings) -> None:
    assert check_messages(settings, TRANSCRIPTION_MODEL=speech_samples.MODEL) == []
    assert check_messages(settings, TRANSCRIPTION_MODEL="", TRANSCRIPTION_LANGUAGE="pt-BR") == []


def test_a_missing_model_folder(settings: Settings) -> None:
    (error,) = check_messages(settings, TRANSCRIPTION_MODEL="/nowhere/whisper")

    assert error == (
        "spacekeep.E026",
        "TRANSCRIPTION_MODEL is /nowhere/whisper, and it lacks model.bin and config.json and tokenizer.json"
        " and vocabulary.*.",
    )


def test_a_model_without_its_tokenizer_is_refused(settings: Settings, tmp_path: Path) -> None:
    for name in ("model.bin", "config.json", "vocabulary.txt"):
        shutil.copyfile(Path(speech_samples.MODEL) / "config.json", tmp_path / name)

    assert check_messages(settings, TRANSCRIPTION_MODEL=str(tmp_path)) == [
        ("spacekeep.E026", f"TRANSCRIPTION_MODEL is {tmp_path}, and it lacks tokenizer.json.")
    ]


def test_a_missing_extra_is_reported(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", [])  # where the package is not installed
    monkeypatch.delitem(sys.modules, "faster_whisper", raising=False)

    assert ("spacekeep.E027", "TRANSCRIPTION_MODEL is set, but faster-whisper is not installed.") in check_messages(
        settings, TRANSCRIPTION_MODEL=speech_samples.MODEL
    )


@pytest.mark.parametrize("language", ["english", "pt_BR", "en " + "-x" * 9, "e"])
def test_the_language_must_be_a_tag(settings: Settings, language: str) -> None:
    assert check_messages(settings, TRANSCRIPTION_LANGUAGE=language) == [
        ("spacekeep.E025", f"TRANSCRIPTION_LANGUAGE is {language!r}.")
    ]
