"""A worker examines an uploaded recording: it is accepted with its facts, or refused and removed."""

import json
import zlib
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from archive.errors import make_problem
from archive.intake.publish import finish
from archive.models import Space, User
from archive.storage import keys, store
from tests.support.audio_files import make_tone
from tests.support.factory import make_row, make_space
from tests.support.log_entries import events
from tests.support.uploads import store_upload

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def space(alice: User) -> Space:
    return make_row(alice, state="processing", title="Beans")


def test_a_recording_becomes_available_with_its_facts(space: Space, tone: Path) -> None:
    upload = store_upload(space, tone)

    assert finish(space.pk)

    space.refresh_from_db()
    upload.refresh_from_db()
    assert (space.state, space.processing_step, space.problem, upload.state) == ("available", "", {}, "accepted")
    stored, data = space.recordings.get(), tone.read_bytes()
    assert (stored.key, stored.size) == (f"spaces/{space.pk}/recording/1.bin", len(data))
    assert (stored.sha256, stored.crc32) == (sha256(data).hexdigest(), zlib.crc32(data))
    assert (stored.extension, stored.codec, stored.channels) == ("m4a", "aac", 1)
    assert 990 <= stored.duration_ms <= 1100
    assert events(space) == ["upload.accepted", "space.available"]


def test_the_waveform_is_stored(space: Space, tone: Path) -> None:
    store_upload(space, tone)

    finish(space.pk)

    stored = space.derived.get()
    assert (stored.kind, stored.key) == ("peaks", f"spaces/{space.pk}/derived/peaks.json")
    wave = json.loads(store().read(stored.key, 0, stored.size, stored.etag))
    assert 0.9 < wave["duration"] < 1.1
    assert 0.25 < max(wave["peaks"][0]) < 0.4  # a third of full scale


def test_a_format_that_browsers_cannot_play_gets_an_access_copy(space: Space, tmp_path: Path) -> None:
    store_upload(space, make_tone(tmp_path / "space-1.ts", "aac"))

    finish(space.pk)

    stored = space.derived.get(kind="access-copy")
    assert (stored.key, stored.content_type) == (f"spaces/{space.pk}/derived/access-copy.m4a", "audio/mp4")
    assert store().read(stored.key, 4, 4, stored.etag) == b"ftyp"
    assert space.recordings.get().extension == "aac"


def test_a_file_without_audio_is_refused_and_removed(space: Space, tmp_path: Path) -> None:
    upload = store_upload(space, _text(tmp_path / "notes.m4a"))

    assert not finish(space.pk)

    space.refresh_from_db()
    upload.refresh_from_db()
    assert (space.state, upload.state) == ("rejected", "rejected")
    assert space.problem_text.startswith("notes.m4a: ")
    assert upload.problem == space.problem
    assert not store().listing(keys.prefix(space.pk))
    assert events(space) == ["upload.rejected", "space.rejected"]


def test_a_file_with_another_checksum_is_refused(space: Space, tone: Path) -> None:
    store_upload(space, tone, sha256="b" * 64)

    assert not finish(space.pk)

    space.refresh_from_db()
    assert space.state == "rejected"
    assert space.problem_code == "upload.sha256_differs"
    assert not store().listing(keys.prefix(space.pk))


def test_the_same_recording_a_second_time_is_refused(space: Space, alice: User, tone: Path) -> None:
    first = make_space(alice, recording=tone, transcript=None, ended_at=space.ended_at, title="The first")
    store_upload(space, tone)

    assert not finish(space.pk)

    space.refresh_from_db()
    assert space.state == "rejected"
    assert space.problem["params"]["title"] == "The first"
    assert store().listing(keys.prefix(first.pk))


def test_a_missing_spool_folder_loses_nothing(space: Space, tone: Path, settings: Any, tmp_path: Path) -> None:
    settings.SPOOL_DIR = str(tmp_path / "nowhere")
    store_upload(space, tone)

    assert not finish(space.pk)

    space.refresh_from_db()
    assert space.state == "processing"
    assert space.problem == make_problem("audio.disk_failed", error="No such file or directory")
    assert len(store().listing(keys.prefix(space.pk)).versions) == 1


def test_an_interrupted_refusal_is_finished(space: Space, tone: Path) -> None:
    store_upload(space, tone)
    Space.objects.filter(pk=space.pk).update(
        processing_step="rejecting", problem=make_problem("audio.empty", file="talk.m4a")
    )

    assert not finish(space.pk)

    space.refresh_from_db()
    assert (space.state, space.problem) == ("rejected", make_problem("audio.empty", file="talk.m4a"))
    assert not store().listing(keys.prefix(space.pk))


def test_nothing_stays_on_the_disk(space: Space, tone: Path, settings: Any, tmp_path: Path) -> None:
    settings.SPOOL_DIR = str(tmp_path)
    store_upload(space, tone)

    assert finish(space.pk)

    assert list(tmp_path.iterdir()) == []


def _text(path: Path) -> Path:
    path.write_text("What we talked about: beans.\n" * 100)
    return path
