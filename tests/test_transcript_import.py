"""A worker imports an uploaded transcript: it becomes a new version, or is refused with its broken lines."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from archive import dbtime
from archive.intake.transcripts.import_upload import read
from archive.intake.uploads import clean_up
from archive.models import SearchLine, Space, UploadSession, User
from archive.recorders import create_token
from archive.storage import keys, store
from portal.presenters.log import history
from tests.support.deadlines import make_due
from tests.support.factory import make_space
from tests.support.log_entries import event_detail, events
from tests.support.stored_objects import put_object
from tests.support.uploads import store_upload

pytestmark = pytest.mark.usefixtures("db")

GOOD = "WEBVTT\n\n00:00.000 --> 00:01.000\n<v Nora>Runner beans.\n"
BROKEN = "WEBVTT\n\n00:00.000 --> 00:01.000\nBeans.\n\n00:09.000 --> 00:02.000\nPeas.\n"


@pytest.fixture
def space(alice: User, tone: Path, tmp_path: Path) -> Space:
    (tmp_path / "first.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:01.000\nBroad beans.\n")
    return make_space(alice, recording=tone, transcript=tmp_path / "first.vtt")


@pytest.fixture
def words(tmp_path: Path) -> Path:
    return tmp_path / "words.vtt"


def test_a_transcript_is_added_beside_the_earlier_one(space: Space, words: Path) -> None:
    words.write_text(GOOD)
    upload = store_upload(space, words, "transcript", language="en")

    assert read(upload.pk)

    first, second = space.transcripts.all()
    assert (first.number, first.cues[0]["text"]) == (1, "Broad beans.")
    assert (second.number, second.language, second.source) == (2, "en", "given")
    assert second.cues == [{"start_ms": 0, "end_ms": 1000, "speaker": "Nora", "text": "Runner beans."}]
    assert second.key == f"spaces/{space.pk}/transcript/{upload.pk}.en.vtt"
    stored = store().read(second.key, 0, second.size, second.etag).decode()
    assert stored == "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\n<v Nora>Runner beans.\n"
    assert UploadSession.objects.get(pk=upload.pk).state == "accepted"
    assert events(space)[-2:] == ["transcript.added", "upload.accepted"]


def test_the_history_shows_who_replaced_the_transcript(
    space: Space, words: Path, alice: User, admin: User, auditor: User
) -> None:
    """Only the host and admins can replace it; the host reads that an admin did."""
    words.write_text(GOOD)
    token = create_token("studio", 30, admin, for_anybody=True)[0]
    uploads: list[dict[str, Any]] = [{"created_by": alice}, {"created_by": admin}, {"recorder": token}]
    for by in uploads:
        assert read(store_upload(space, words, "transcript", **by).pk)

    notes = [line.note for line in history(space, space.host) if line.label == "Transcript added"]

    assert notes == ["by a recorder", "by an admin", "", ""]  # newest first, and one version of the ingest
    assert [one.uploaded_by for one in space.transcripts.all()] == [None, alice, admin, None]


def test_search_finds_the_newest_transcript(space: Space, words: Path) -> None:
    words.write_text(GOOD)

    read(store_upload(space, words, "transcript").pk)

    assert set(SearchLine.objects.filter(space=space).values_list("transcript__number", flat=True)) == {2}


def test_the_uploaded_file_is_removed(space: Space, words: Path) -> None:
    words.write_text(GOOD)
    upload = store_upload(space, words, "transcript")

    read(upload.pk)

    assert upload.key not in {version.key for version in store().listing(keys.prefix(space.pk)).versions}


def test_new_names_of_speakers_make_a_second_version(space: Space, words: Path, client: Client) -> None:
    spoken = ("Idda", "Benn", "Ben")
    lines = [f"00:0{n}.000 --> 00:0{n}.900\n<v {name}>Beans.\n" for n, name in enumerate(spoken)]
    words.write_text("\n".join(["WEBVTT\n", *lines]))
    names = {"Idda": "Ida", "Benn": "Ben", "Nobody": "Tom"}
    upload = store_upload(space, words, "transcript", created_by=space.host, speaker_names=names)

    assert read(upload.pk)

    as_file, newest = space.transcripts.filter(number__gt=1)
    assert [cue["speaker"] for cue in as_file.cues] == ["Idda", "Benn", "Ben"]
    assert [cue["speaker"] for cue in newest.cues] == ["Ida", "Benn", "Ben"]
    assert (newest.number, newest.edited_from, newest.uploaded_by) == (3, 2, space.host)
    assert store().head(newest.key).is_one(newest.size, newest.etag)
    edited = event_detail(space, "transcript.edited")
    assert (edited["edited_from"], edited["lines"], edited["speakers"]) == (2, 1, 1)
    client.force_login(space.host)
    page = client.get(f"/spaces/{space.pk}/").content.decode()
    assert "These names were not applied, because another speaker in it has them: Ben." in page
    upload.refresh_from_db()
    assert upload.speaker_names == {}


def test_a_broken_transcript_is_refused_with_its_lines(space: Space, words: Path) -> None:
    words.write_text(BROKEN)
    upload = store_upload(space, words, "transcript")

    assert not read(upload.pk)

    upload.refresh_from_db()
    assert upload.state == "rejected"
    assert "line 6" in upload.problem_text
    assert space.transcripts.count() == 1
    assert store().head(upload.key).size == len(BROKEN)  # the valid part can still be accepted


def test_a_broken_transcript_can_be_partly_accepted(space: Space, words: Path) -> None:
    words.write_text(BROKEN)
    upload = store_upload(space, words, "transcript", lenient=True)

    assert read(upload.pk)

    stored = space.transcripts.get(number=2)
    assert [(cue["start_ms"], cue["text"]) for cue in stored.cues] == [(0, "Beans."), (9000, "Peas.")]


def test_what_was_repaired_is_kept_as_codes_and_shown(space: Space, words: Path, client: Client) -> None:
    words.write_text("WEBVTT\nLanguage: en\n\n02:00:01.000 --> 02:00:01.000\nBeans.\n")

    assert read(store_upload(space, words, "transcript").pk)

    stored = space.transcripts.get(number=2)
    assert [note["code"] for note in stored.notes] == ["transcript.past_end", "transcript.no_length"]
    assert stored.language == "en"
    client.force_login(space.host)
    page = client.get(f"/spaces/{space.pk}/").content.decode()
    assert "About this transcript" in page
    assert "past the end of the recording" in page


def test_a_too_large_file_is_not_read(space: Space, words: Path) -> None:
    words.write_text(GOOD)
    upload = store_upload(space, words, "transcript")
    UploadSession.objects.filter(pk=upload.pk).update(size=21 * 1024**2)

    assert not read(upload.pk)

    upload.refresh_from_db()
    assert (upload.state, upload.problem_text) == (
        "rejected",
        "words.vtt: The file has more than 20 MB, so it is not a transcript.",
    )


def test_after_the_deadline_nothing_is_added(space: Space, words: Path) -> None:
    words.write_text(GOOD)
    upload = store_upload(space, words, "transcript")
    make_due(space)

    assert not read(upload.pk)

    assert space.transcripts.count() == 1
    assert UploadSession.objects.get(pk=upload.pk).state == "rejected"


def test_importing_twice_adds_one_transcript(space: Space, words: Path) -> None:
    words.write_text(GOOD)
    upload = store_upload(space, words, "transcript")

    assert read(upload.pk)
    assert not read(upload.pk)

    assert space.transcripts.count() == 2


def test_a_worker_that_died_before_it_removed_the_file(space: Space, words: Path) -> None:
    words.write_text(GOOD)
    upload = store_upload(space, words, "transcript")
    as_it_came = UploadSession.objects.get(pk=upload.pk).upload_id
    read(upload.pk)
    put_object(upload.key, words.read_bytes())
    UploadSession.objects.update(upload_id=as_it_came, lease_until=None)

    assert clean_up.abandoned() == [upload.pk]
    clean_up.abandon(upload.pk)

    assert clean_up.abandoned() == []
    assert upload.key not in {listing.key for listing in store().listing(keys.prefix(space.pk)).versions}
    assert UploadSession.objects.get().state == "accepted"


def test_an_accepted_recording_is_not_removed(space: Space) -> None:
    recording = space.recordings.get()
    UploadSession.objects.create(
        space=space, kind="recording", state="accepted", key=recording.key, upload_id="x", etag=recording.etag,
        name="talk.m4a", size=recording.size, part_size=5 * 1024**2, last_activity_at=dbtime.now() - timedelta(days=3),
    )  # fmt: skip

    assert clean_up.abandoned() == []
    assert not clean_up.clear(UploadSession.objects.get().pk)

    assert store().read(recording.key, 0, 4, recording.etag)


@pytest.mark.parametrize(
    ("name", "given", "language"),
    [
        ("talk.pt-BR.vtt", "und", "pt-BR"),
        ("talk.ogg.en-orig.srt", "und", "en"),
        ("talk.pt-BR.vtt", "de", "de"),  # the uploader's statement has precedence
        ("talk.hd.vtt", "und", "und"),
        ("en.vtt", "und", "und"),
    ],
)
def test_the_language_in_the_name_is_kept(space: Space, tmp_path: Path, name: str, given: str, language: str) -> None:
    (tmp_path / name).write_text(GOOD)

    read(store_upload(space, tmp_path / name, "transcript", language=given).pk)

    assert space.transcripts.latest("number").language == language
