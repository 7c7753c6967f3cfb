"""Completing an upload checks the parts in the store, and is idempotent."""

import os
from typing import Any

import pytest
from pytest_django import Settings

from archive.models import Space, UploadSession, User
from archive.storage import StoredVersion, store
from tests.support.api_client import MIB, ApiClient
from tests.support.log_entries import events

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(settings: Settings) -> bytes:
    """The bytes of three parts."""
    settings.UPLOAD_PART_BYTES = 5 * MIB
    return os.urandom(10 * MIB + 1000)


@pytest.fixture
def caller(db: None, alice: User) -> ApiClient:
    return ApiClient(user=alice)


@pytest.fixture
def upload(caller: ApiClient, sent: bytes) -> dict[str, Any]:
    upload: dict[str, Any] = caller.begin(caller.announce().json["id"], sent).json
    return upload


def test_missing_parts_are_named_and_nothing_is_lost(caller: ApiClient, upload: dict[str, Any], sent: bytes) -> None:
    caller.send(upload, sent, [2])

    refused = caller.post(f"/uploads/{upload['id']}/complete")

    assert (refused.status, "Check parts 1, 3." in refused.words) == (409, True)
    caller.send(upload, sent, [1, 3])
    assert caller.post(f"/uploads/{upload['id']}/complete").status == 200


def test_a_wrong_etag_is_named(caller: ApiClient, upload: dict[str, Any], sent: bytes) -> None:
    caller.send(upload, sent)
    parts = caller.get(f"/uploads/{upload['id']}").json["parts"]
    named = [{"number": part["number"], "etag": part["etag"]} for part in parts]
    named[1]["etag"] = '"0123456789abcdef0123456789abcdef"'

    refused = caller.post(f"/uploads/{upload['id']}/complete", {"parts": named})

    assert (refused.status, "Check parts 2." in refused.words) == (409, True)
    assert UploadSession.objects.get().state == "open"


@pytest.mark.parametrize("named", [[1, 2], [1, 2, 3, 4]])
def test_unknown_parts_are_refused(named: list[int], caller: ApiClient, upload: dict[str, Any], sent: bytes) -> None:
    caller.send(upload, sent)
    etags = {part["number"]: part["etag"] for part in caller.get(f"/uploads/{upload['id']}").json["parts"]}

    body = {"parts": [{"number": number, "etag": etags.get(number, "x")} for number in named]}

    assert caller.post(f"/uploads/{upload['id']}/complete", body).status == 409


def test_completing_twice_gives_the_same_response(caller: ApiClient, upload: dict[str, Any], sent: bytes) -> None:
    caller.send(upload, sent)
    first = caller.post(f"/uploads/{upload['id']}/complete").json

    again = caller.post(f"/uploads/{upload['id']}/complete")

    assert (again.status, again.json) == (200, first)
    assert events(Space.objects.get()).count("upload.completed") == 1


def completed_by_one_who_died(sent: bytes, caller: ApiClient, upload: dict[str, Any]) -> None:
    """Complete the upload in the store only, as a process that died before it got the response."""
    caller.send(upload, sent)
    session = UploadSession.objects.get()
    parts = store().client.list_parts(Bucket=store().bucket, Key=session.key, UploadId=session.upload_id)["Parts"]
    store().client.complete_multipart_upload(
        Bucket=store().bucket,
        Key=session.key,
        UploadId=session.upload_id,
        MultipartUpload={"Parts": [{"PartNumber": p["PartNumber"], "ETag": p["ETag"]} for p in parts]},
    )


@pytest.mark.parametrize("way", ["complete", "look"])
def test_a_crashed_completion_is_resumed(way: str, caller: ApiClient, upload: dict[str, Any], sent: bytes) -> None:
    completed_by_one_who_died(sent, caller, upload)

    path = f"/uploads/{upload['id']}"
    answer = caller.post(f"{path}/complete") if way == "complete" else caller.get(path)

    assert (answer.status, answer.json["state"]) == (200, "uploaded")
    assert Space.objects.get().state == "processing"


def test_an_upload_lost_by_the_store_fails(caller: ApiClient, upload: dict[str, Any], sent: bytes) -> None:
    caller.send(upload, sent)
    session = UploadSession.objects.get()
    store().abort(session.key, session.upload_id)  # as a lifecycle rule of the bucket may do after a week

    refused = caller.post(f"/uploads/{upload['id']}/complete")

    assert (refused.status, "no longer has any part of this upload. Start it again." in refused.words) == (409, True)
    again = caller.begin(upload["space"], sent)
    assert again.status == 201
    caller.send(again.json, sent)
    assert caller.post(f"/uploads/{again.json['id']}/complete").status == 200


def test_after_an_abort_the_next_recording_has_a_new_key(
    caller: ApiClient, upload: dict[str, Any], sent: bytes
) -> None:
    caller.delete(f"/uploads/{upload['id']}")
    caller.begin(upload["space"], sent)

    keys = UploadSession.objects.order_by("created_at").values_list("key", flat=True)

    assert [key.partition("/recording/")[2] for key in keys] == ["1.m4a", "2.m4a"]


def test_completing_an_aborted_upload_is_refused(caller: ApiClient, upload: dict[str, Any]) -> None:
    caller.delete(f"/uploads/{upload['id']}")

    refused = caller.post(f"/uploads/{upload['id']}/complete")

    assert (refused.status, refused.words) == (409, "This upload has ended: it was aborted.")


def test_an_object_of_another_size_is_refused(caller: ApiClient, upload: dict[str, Any], sent: bytes) -> None:
    completed_by_one_who_died(sent, caller, upload)
    UploadSession.objects.update(size=len(sent) + 1)

    assert caller.post(f"/uploads/{upload['id']}/complete").status == 409
    session = UploadSession.objects.get()
    assert store().delete((StoredVersion(session.key, "", 0),)) == {}
