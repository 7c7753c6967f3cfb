"""A worker that lost its lease does not overwrite the transcript of the next one."""

from typing import Any

import pytest
from pytest_django import Settings

from archive.intake.transcription import transcribe
from archive.models import Transcription, User
from archive.storage import store
from tests.support import speech_samples
from tests.support.factory import make_contents, make_row

pytestmark = pytest.mark.usefixtures("db")


def test_a_stale_worker_keeps_the_other_workers_transcript(
    alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both write to the same key, so a worker that removed its own leftovers would remove the transcript of the other
    one."""
    settings.TRANSCRIPTION_MODEL = speech_samples.MODEL
    space = make_row(alice)
    make_contents(space)
    space.transcripts.all().delete()
    cues = [{"start_ms": 0, "end_ms": 900, "speaker": "", "text": "Runner beans."}]
    work = Transcription.objects.create(
        space=space, state="running", language="en", cues=cues, done_ms=74_000, total_ms=74_000
    )
    stores = transcribe.store_transcript  # type: ignore[attr-defined]

    def store_and_sleep(*about: Any) -> Any:
        stored = stores(*about)
        monkeypatch.setattr(transcribe, "store_transcript", stores)
        Transcription.objects.update(lease_until=None)
        transcribe.transcribe(work.pk)
        return stored

    monkeypatch.setattr(transcribe, "store_transcript", store_and_sleep)
    transcribe.transcribe(work.pk)

    (transcript,) = space.transcripts.all()
    assert store().read(transcript.key, 0, transcript.size, transcript.etag).endswith(b"Runner beans.\n")
    work.refresh_from_db()
    assert (work.state, work.problem, work.fence) == ("done", {}, 2)
