"""A recording is ingested exactly once, and completely."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection

from archive import dbtime
from archive.errors import Refused
from archive.intake.ingest import Outcome, ingest
from archive.intake.request import Request
from archive.models import LogEntry, Recording, Space, User
from archive.storage import keys, store
from tests.support.audio_files import make_silence
from tests.support.log_entries import events

VTT = "WEBVTT\n\n00:00.000 --> 00:01.000\n<v Nora>Beans.\n"


def test_a_recording_is_ingested(talk: Callable[..., Request], tone: Path, tmp_path: Path) -> None:
    words = tmp_path / "words.vtt"
    words.write_text(VTT)

    done = ingest(talk(transcript=words, language="en", cohosts=("Felix",), speakers=("Ida", " Jo ")))

    space = done.space
    assert (done.created, done.notes, space.state, space.title) == (True, [], "available", "Beans")
    assert space.expires_at == space.ended_at + timedelta(days=30)
    assert list(space.participants.values_list("role", "seat", "name")) == [
        ("host", 1, "Alice"),
        ("cohost", 1, "Felix"),
        ("speaker", 1, "Ida"),
        ("speaker", 2, "Jo"),
    ]
    sound, written = space.recordings.get(), space.transcripts.get()
    assert sound.key == f"spaces/{space.pk}/recording/1.m4a"
    assert store().read(sound.key, 0, sound.size, sound.etag) == tone.read_bytes()
    assert store().read(written.key, 0, written.size, written.etag).decode() == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\n<v Nora>Beans.\n"
    )
    assert written.cues == [{"start_ms": 0, "end_ms": 1000, "speaker": "Nora", "text": "Beans."}]
    assert events(space) == ["space.registered", "space.received", "transcript.added", "space.available"]


def test_a_repeated_ingest_adds_nothing(talk: Callable[..., Request]) -> None:
    first = ingest(talk())
    before = LogEntry.objects.count(), store().listing(keys.prefix(first.space.pk))

    second = ingest(talk(title="Another title"))

    assert (second.created, second.space.pk, second.space.title) == (False, first.space.pk, "Beans")
    assert (LogEntry.objects.count(), store().listing(keys.prefix(first.space.pk))) == before


def test_another_end_is_another_space(talk: Callable[..., Request], bob: User) -> None:
    first = ingest(talk())

    later = ingest(talk(ended_at=dbtime.now() - timedelta(hours=1)))
    others = ingest(talk(host=bob))

    assert later.created
    assert others.created
    assert len({first.space.pk, later.space.pk, others.space.pk}) == 3


@pytest.mark.usefixtures("committed")
def test_concurrent_ingests_create_one_space(alice: User, tone: Path) -> None:
    request = Request(recording=tone, host=alice, ended_at=dbtime.now() - timedelta(days=1))

    def run(_: int) -> Outcome | Refused:
        try:
            return ingest(request)
        except Refused as refused:  # another process is ingesting this recording
            return refused
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(run, range(4)))

    space = Space.objects.get()
    assert space.state == "available"
    assert {outcome.space.pk for outcome in outcomes if isinstance(outcome, Outcome)} == {space.pk}
    assert Recording.objects.count() == 1
    assert events(space) == ["space.registered", "space.received", "space.available"]


def test_silence_is_ingested_with_a_note(talk: Callable[..., Request], tmp_path: Path) -> None:
    done = ingest(talk(recording=make_silence(tmp_path / "quiet.wav", seconds=1)))

    assert done.notes == ["quiet.wav: it is silent from end to end. It was taken in all the same."]
    assert done.space.state == "available"
