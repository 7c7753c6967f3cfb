"""Abandoned uploads leave nothing in the store."""

from datetime import timedelta
from typing import Any

import pytest

from archive import dbtime
from archive.errors import make_problem
from archive.intake.uploads import clean_up
from archive.models import Space, UploadPart, UploadSession, User
from archive.storage import keys, store
from tests.support.api_client import ApiClient
from tests.support.log_entries import events
from tests.support.object_stores import UNREACHABLE, override_store

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def upload(alice: User) -> UploadSession:
    """A half-finished upload: all parts of a transcript have arrived, but it is not completed."""
    caller = ApiClient(user=alice)
    begun = caller.begin(caller.announce().json["id"], b"WEBVTT", kind="transcript").json
    caller.send(begun, b"WEBVTT")
    return UploadSession.objects.get()


def touched(hours: float) -> None:
    UploadSession.objects.update(last_activity_at=dbtime.now() - timedelta(hours=hours))


def left(upload: UploadSession) -> tuple[int, int]:
    listing = store().listing(keys.prefix(upload.space_id))
    return len(listing.versions), len(listing.uploads)


def rounds() -> None:
    for pk in clean_up.abandoned():
        clean_up.abandon(pk)


def test_an_upload_is_aborted_after_a_day(upload: UploadSession) -> None:
    touched(hours=24.1)

    rounds()

    upload.refresh_from_db()
    assert (upload.state, upload.upload_id, left(upload)) == ("aborted", "", (0, 0))
    assert "upload.aborted" in events(upload.space)
    assert not UploadPart.objects.exists()


def test_an_upload_is_not_aborted_before_a_day(upload: UploadSession) -> None:
    touched(hours=23.9)

    rounds()
    clean_up.abandon(upload.pk)

    upload.refresh_from_db()
    assert (upload.state, left(upload)) == ("open", (0, 1))


@pytest.mark.parametrize("touch", ["GET", "POST"])
def test_activity_keeps_an_upload(touch: str, upload: UploadSession, alice: User) -> None:
    touched(hours=23.9)
    caller = ApiClient(user=alice)
    path = f"/uploads/{upload.pk}"
    Space.objects.update(lease_until=None)

    answer = caller.get(path) if touch == "GET" else caller.post(f"{path}/parts", {"parts": [{"number": 1}]})

    assert answer.status == 200
    upload.refresh_from_db()
    assert dbtime.now() - upload.last_activity_at < timedelta(minutes=1)
    lease = Space.objects.get().lease_until
    assert lease is not None
    assert dbtime.now() - lease < timedelta(minutes=1)


def test_parts_in_an_unavailable_store_are_removed_later(upload: UploadSession, alice: User) -> None:
    with override_store(**UNREACHABLE):
        assert ApiClient(user=alice).delete(f"/uploads/{upload.pk}").status == 204
    assert left(upload) == (0, 1)
    UploadSession.objects.update(retry_at=None)  # the pause after the failed attempt

    rounds()

    assert left(upload) == (0, 0)
    assert clean_up.abandoned() == []


def refused(upload: UploadSession, alice: User) -> UploadSession:
    """Complete the upload, and mark it as rejected."""
    assert ApiClient(user=alice).post(f"/uploads/{upload.pk}/complete").status == 200
    UploadSession.objects.update(state="rejected", problem=make_problem("transcript.no_lines"))
    return upload


def test_a_refused_transcript_is_kept_for_a_day(upload: UploadSession, alice: User) -> None:
    refused(upload, alice)
    touched(hours=23.9)
    rounds()
    assert left(upload) == (1, 0)

    touched(hours=24.1)
    rounds()

    upload.refresh_from_db()
    assert (upload.state, upload.upload_id, left(upload)) == ("rejected", "", (0, 0))
    assert upload.problem == make_problem("transcript.no_lines")


def test_a_refused_transcript_can_be_partly_accepted_within_a_day(upload: UploadSession, alice: User) -> None:
    refused(upload, alice)
    caller = ApiClient(user=alice)

    response = caller.post(f"/uploads/{upload.pk}/accept-partial")

    assert (response.status, response.json["state"], response.json["problem"]) == (200, "uploaded", "")
    assert UploadSession.objects.get().lenient
    assert caller.post(f"/uploads/{upload.pk}/accept-partial").json == response.json
    assert "upload.retried" in events(upload.space)


def test_a_removed_transcript_cannot_be_partly_accepted(upload: UploadSession, alice: User) -> None:
    refused(upload, alice)
    touched(hours=24.1)
    rounds()

    answer = ApiClient(user=alice).post(f"/uploads/{upload.pk}/accept-partial")

    assert (answer.status, answer.code) == (409, "upload.partial_too_late")


def test_an_expiring_transcript_cannot_be_partly_accepted(upload: UploadSession, alice: User) -> None:
    """A worker may have read it as expired a moment ago, and be about to remove it."""
    refused(upload, alice)
    touched(hours=24.1)

    answer = ApiClient(user=alice).post(f"/uploads/{upload.pk}/accept-partial")

    assert (answer.status, answer.code) == (409, "upload.partial_too_late")
    assert left(upload) == (1, 0)


def test_an_open_upload_cannot_be_partly_accepted(upload: UploadSession, alice: User) -> None:
    assert ApiClient(user=alice).post(f"/uploads/{upload.pk}/accept-partial").status == 409


def test_a_space_does_not_wait_for_an_aborted_transcript(upload: UploadSession, alice: User, settings: Any) -> None:
    settings.TRANSCRIPTION_MODEL = "/a/model"
    Space.objects.update(state="available", transcribe=True)

    ApiClient(user=alice).delete(f"/uploads/{upload.pk}")

    assert upload.space.transcriptions.get().state == "requested"
