"""A bug in the decoder or a broken installation never loses a recording: it is kept and retried."""

import logging
import re
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from archive.dbtime import now
from archive.errors import DecoderFailed, make_problem
from archive.intake.audio import measure as audio_measure
from archive.intake.audio import self_test
from archive.intake.publish import finish
from archive.intake.transcription.transcribe import transcribe
from archive.models import Space, Transcription, UploadSession, User
from archive.storage import keys, store
from tests.support import speech_samples
from tests.support.audio_files import make_tone
from tests.support.broken_decoder import break_decoder
from tests.support.errors import raises_error
from tests.support.factory import make_row, make_space
from tests.support.log_entries import events
from tests.support.uploads import store_upload

START = "    file.seek(0)\n    head"  # in decode.py, when it opens the file
LARGER_THAN_THE_SELF_TEST = "os.fstat(0).st_size > 50_000"

BUGS = [
    ("_check_tag_size(file, 1)", "TypeError"),
    ("raise TypeError('words of somebody')", "TypeError"),
    ("file.no_such_method()", "AttributeError"),
    ("import no_such_module", "ModuleNotFoundError"),
    ("import html.parser", "OSError"),  # a module that cannot be read
    ("int('words of somebody')", "ValueError"),
    ("{}['words of somebody']", "KeyError"),
    ("raise RuntimeError('words of somebody')", "RuntimeError"),
    ("_check_tag_size(file)", "RecursionError"),
    ("raise OSError('words of somebody')", "OSError"),
    ("raise av.error.OptionNotFoundError(1, 'words of somebody')", "OptionNotFoundError"),
]


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    return make_tone(tmp_path / "talk.wav", "wav", seconds=1)


@pytest.fixture
def space(alice: User) -> Space:
    return make_row(alice, state="processing", title="Beans")


def measure(path: Path) -> audio_measure.AudioAnalysis:
    return audio_measure.measure(path, longest_seconds=60, step=lambda seconds: None)


def is_kept(space: Space, upload: UploadSession) -> bool:
    """Return whether the upload and its object still exist and another attempt will follow."""
    space.refresh_from_db()
    upload.refresh_from_db()
    assert (space.state, upload.state, events(space)) == ("processing", "uploaded", [])
    assert space.retry_at is not None
    assert space.retry_at > now()
    return store().head(upload.key).is_one(upload.size, upload.etag)


def finish_again(space: Space, attempt: int) -> bool:
    """Run the given attempt without the pause before it."""
    Space.objects.filter(pk=space.pk).update(retry_at=None, attempts=attempt - 1)
    return finish(space.pk)


@pytest.mark.parametrize(("bug", "kind"), BUGS)
def test_an_exception_in_the_decoder_is_no_refusal(
    talk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, bug: str, kind: str
) -> None:
    break_decoder(monkeypatch, tmp_path, f"    {bug}\n{START}", old=START)

    with caplog.at_level(logging.ERROR), pytest.raises(DecoderFailed) as error:
        measure(talk)

    (line,) = caplog.messages
    assert f"'error': '{kind}'" in line
    assert re.search(r"'at': '[^']*intake/audio/decoder/decode.py:\d+[^']*'", line)
    assert "words of somebody" not in line
    assert str(error.value).startswith("The decoder failed (")
    assert "words of somebody" not in str(error.value)


def test_a_changed_library_is_no_refusal(
    talk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """PyAV 19, for example, removed metadata_errors."""
    break_decoder(monkeypatch, tmp_path, 'no_such_argument="replace"')

    with raises_error(DecoderFailed, "audio.decoder_failed", error="TypeError"):
        measure(talk)

    assert re.search(r"'at': '[^']*decoder/decode.py:\d+ > av/container/core.py:\d+'", caplog.text)


@pytest.mark.django_db
def test_the_upload_stays_and_becomes_available_once_the_bug_is_gone(
    space: Space, talk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = store_upload(space, talk)
    with monkeypatch.context() as patch:
        break_decoder(patch, tmp_path, 'no_such_argument="replace"')
        for attempt in (1, 2, 100):
            assert not finish_again(space, attempt)
            assert is_kept(space, upload)
            assert space.problem == make_problem("audio.decoder_failed", error="TypeError")

    assert finish_again(space, 101)

    space.refresh_from_db()
    assert (space.state, space.problem) == ("available", {})


@pytest.mark.django_db
@pytest.mark.parametrize(
    "bug",
    [
        "raise Unreadable('audio.empty')",
        "import os; os.kill(os.getpid(), 11)",
        "raise MemoryError",
        "raise av.error.InvalidDataError(1, '')",
    ],
    ids=["silence", "crash", "memory", "no audio"],
)
def test_a_decoder_that_refuses_the_test_recording_is_broken(
    space: Space,
    talk: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    bug: str,
) -> None:
    upload = store_upload(space, talk)
    break_decoder(monkeypatch, tmp_path, f"    {bug}\n{START}", old=START)

    assert not finish_again(space, 100)

    assert is_kept(space, upload)
    assert space.problem_text.startswith("The decoder failed (self-test: audio.")
    assert "'at': 'the self-test'" in caplog.text


@pytest.mark.django_db
def test_too_little_memory_does_not_reject_a_recording(space: Space, talk: Path, settings: Settings) -> None:
    settings.DECODER_MEMORY_BYTES = 64 * 1024**2
    upload = store_upload(space, talk)

    assert not finish_again(space, 100)

    assert is_kept(space, upload)


@pytest.mark.django_db
@pytest.mark.parametrize("signal", ["SIGSEGV", "SIGKILL"])
def test_a_recording_is_rejected_after_five_decoder_crashes(
    space: Space, talk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, signal: str
) -> None:
    """The kernel kills the decoder when memory runs out; a hostile file makes it crash each time."""
    upload = store_upload(space, talk)
    die = f"    import os, signal; {LARGER_THAN_THE_SELF_TEST} and os.kill(os.getpid(), signal.{signal})\n{START}"
    break_decoder(monkeypatch, tmp_path, die, old=START)

    for attempt in range(1, 5):
        assert not finish_again(space, attempt)
        assert is_kept(space, upload)
        assert space.problem == make_problem("audio.decoder_died")
    assert not finish_again(space, 5)

    space.refresh_from_db()
    assert space.state == "rejected"
    assert not store().listing(keys.prefix(space.pk))


@pytest.mark.django_db
def test_the_command_reports_a_broken_decoder_not_a_bad_file(
    alice: User, talk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_decoder(monkeypatch, tmp_path, 'no_such_argument="replace"')

    with pytest.raises(CommandError, match=r"^The decoder failed \(TypeError\)\. That is a fault of this installation"):
        call_command("ingest", str(talk), host="alice", ended_at="2026-11-22T14:05:00Z")

    assert not Space.objects.exists()


@pytest.mark.django_db
def test_a_transcription_is_retried(
    alice: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.TRANSCRIPTION_MODEL = speech_samples.MODEL
    space = make_space(alice, recording=speech_samples.extract_reading(tmp_path), transcript=None, transcribe=True)
    break_decoder(monkeypatch, tmp_path, 'no_such_argument="replace"')

    assert not transcribe(Transcription.objects.get(space=space).pk)

    work = Transcription.objects.get(space=space)
    assert work.state == "running"
    assert work.problem == make_problem("audio.decoder_failed", error="TypeError")
    assert work.retry_at is not None


def test_the_decoder_passes_its_own_test() -> None:
    self_test.run()
