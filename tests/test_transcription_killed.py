"""A real worker is killed during a transcription: the next worker resumes with the interrupted window."""

import os
import socket
from pathlib import Path

import pytest

from archive.intake.transcription import enqueue
from archive.log import SYSTEM
from archive.models import Space, Transcription, User
from archive.storage import keys, store
from archive.tasks import dispatch
from tests.support import speech_samples
from tests.support.factory import make_space
from tests.support.leases import expire_leases
from tests.support.processes import Services
from tests.support.waiting import dispatch_until, wait_until


@pytest.mark.long
@pytest.mark.usefixtures("committed")
def test_a_killed_transcription_resumes_at_its_last_window(
    services: Services, alice: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as trap:
        trap.bind(("127.0.0.1", 0))
        trap.listen()
        trap.setblocking(False)
        elsewhere = f"http://127.0.0.1:{trap.getsockname()[1]}"
        monkeypatch.setenv("TRANSCRIPTION_MODEL", speech_samples.MODEL)
        monkeypatch.setenv("HF_ENDPOINT", elsewhere)
        monkeypatch.setenv("HTTPS_PROXY", elsewhere)
        monkeypatch.setenv("SPOOL_DIR", str(tmp_path / "work"))
        (tmp_path / "work").mkdir()
        space = waiting_for_words(alice, tmp_path, monkeypatch)

        worker = services.worker(1)
        dispatch()
        wait_until(lambda: work_of(space).done_ms > 0, "the first window is transcribed")
        worker.kill()
        killed = work_of(space)
        assert (killed.state, killed.attempts) == ("running", 0)
        assert killed.done_ms < killed.total_ms
        assert list((tmp_path / "work").iterdir()) == []  # the downloaded audio was lost with the process

        expire_leases()
        services.worker(1)
        dispatch_until(lambda: work_of(space).state == "done", "the next worker goes on to the end")

        (transcript,) = space.transcripts.all()
        assert transcript.cues[: len(killed.cues)] == killed.cues
        assert (
            speech_samples.word_error_rate(speech_samples.TWO_CITIES * 3, speech_samples.join_text(transcript.cues))
            < 0.15
        )
        prefix = f"{keys.prefix(space.pk)}transcript/"
        assert [version.key for version in store().listing(prefix).versions] == [transcript.key]
        assert first_request(trap) == b"", "somebody asked the network for something"


def first_request(trap: socket.socket) -> bytes:
    """Return the bytes of the first connection to `trap`, b"" if there was none."""
    try:
        caller, _ = trap.accept()
    except BlockingIOError:
        return b""
    with caller:
        caller.settimeout(5)
        return caller.recv(1000) or b"nothing"


def waiting_for_words(host: User, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Space:
    """Two minutes of a reading, with a requested transcript."""
    recording = speech_samples.repeat(speech_samples.extract_reading(folder), 3)
    space = make_space(host, recording=recording, transcript=None, transcribe=True)
    monkeypatch.setattr("django.conf.settings.TRANSCRIPTION_MODEL", os.environ["TRANSCRIPTION_MODEL"])
    assert enqueue.ask(space.pk, SYSTEM).state == "requested"
    return space


def work_of(space: Space) -> Transcription:
    return Transcription.objects.get(space=space)
