"""Signed URLs for parts: what the store accepts with them, how parts are listed, and when they expire."""

import os
from datetime import datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from archive import dbtime
from archive.models import Space, UploadSession, User
from archive.retention.purge import purge
from archive.storage import keys, store
from tests.support.api_client import MIB, ApiClient, checksum, put_part
from tests.support.deadlines import make_due, seconds_from_now
from tests.support.rows import update_space

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(settings: Settings) -> bytes:
    """The bytes of two parts."""
    settings.UPLOAD_PART_BYTES = 5 * MIB
    return os.urandom(5 * MIB + 1000)


@pytest.fixture
def caller(db: None, alice: User) -> ApiClient:
    return ApiClient(user=alice)


@pytest.fixture
def upload(caller: ApiClient, sent: bytes) -> dict[str, Any]:
    body: dict[str, Any] = caller.begin(caller.announce().json["id"], sent).json
    return body


def sign(caller: ApiClient, upload: dict[str, Any], number: int, sha256: str | None = None) -> dict[str, Any]:
    answer = caller.post(f"/uploads/{upload['id']}/parts", {"parts": [{"number": number, "sha256": sha256}]})
    part: dict[str, Any] = answer.json["parts"][0]
    return part


def listed(caller: ApiClient, upload: dict[str, Any]) -> list[dict[str, Any]]:
    body: list[dict[str, Any]] = caller.get(f"/uploads/{upload['id']}").json["parts"]
    return body


def test_the_store_takes_the_announced_bytes_only(caller: ApiClient, upload: dict[str, Any], sent: bytes) -> None:
    last = sent[5 * MIB :]
    part = sign(caller, upload, 2, checksum(last))

    assert put_part(part, b"x" * 1000) == 400  # different bytes
    assert put_part({**part, "headers": {}}, last) == 403  # without the checksum
    assert put_part({**part, "headers": {"x-amz-checksum-sha256": checksum(b"x" * 1000)}}, b"x" * 1000) == 403
    assert listed(caller, upload) == []
    assert put_part(part, last) == 200


@pytest.mark.parametrize("size", [999, 1001])
def test_the_store_takes_the_announced_size_only(caller: ApiClient, upload: dict[str, Any], size: int) -> None:
    assert put_part(sign(caller, upload, 2), b"x" * size) == 403


def test_uploaded_parts_are_listed_with_their_checksums(caller: ApiClient, upload: dict[str, Any], sent: bytes) -> None:
    caller.send(upload, sent, [2])

    (part,) = listed(caller, upload)

    assert (part["number"], part["size"], part["announced_sha256"]) == (2, 1000, checksum(sent[5 * MIB :]))


def test_an_uncertain_checksum_is_not_listed(caller: ApiClient, upload: dict[str, Any], sent: bytes) -> None:
    """A URL was signed for other bytes, and its owner may still send these."""
    caller.send(upload, sent, [2])
    sign(caller, upload, 2, checksum(b"y" * 1000))

    (part,) = listed(caller, upload)

    assert part["announced_sha256"] is None


def test_of_two_versions_of_a_part_the_named_one_is_used(
    caller: ApiClient, upload: dict[str, Any], sent: bytes
) -> None:
    caller.send(upload, sent)
    right = listed(caller, upload)
    assert put_part(sign(caller, upload, 2), b"y" * 1000) == 200

    named = [{"number": part["number"], "etag": part["etag"]} for part in right]
    done = caller.post(f"/uploads/{upload['id']}/complete", {"parts": named})

    assert done.status == 200, done.json
    session = UploadSession.objects.get()
    assert store().read(session.key, 5 * MIB, 1000, session.etag) == sent[5 * MIB :]


@pytest.mark.parametrize("end", ["complete", "abort"])
def test_a_signed_url_ends_with_its_upload(end: str, caller: ApiClient, upload: dict[str, Any], sent: bytes) -> None:
    caller.send(upload, sent)
    part = sign(caller, upload, 2)
    if end == "complete":
        assert caller.post(f"/uploads/{upload['id']}/complete").status == 200
    else:
        assert caller.delete(f"/uploads/{upload['id']}").status == 204

    assert put_part(part, b"x" * 1000) == 404


def test_a_signed_url_restores_nothing_after_the_deletion(
    caller: ApiClient, upload: dict[str, Any], sent: bytes
) -> None:
    caller.send(upload, sent)
    part = sign(caller, upload, 2)
    space = Space.objects.get()
    make_due(space)
    assert purge(space.pk)

    assert put_part(part, b"x" * 1000) == 404
    assert caller.post(f"/uploads/{upload['id']}/complete").status == 404  # its row was deleted
    assert not store().listing(keys.prefix(space.pk))


def test_a_signed_url_ends_at_the_deadline(caller: ApiClient, upload: dict[str, Any]) -> None:
    assert 800 < seconds_from_now(moment(sign(caller, upload, 1))) <= 900
    update_space(Space.objects.get(), expires_at=dbtime.now() + timedelta(seconds=90))

    part = sign(caller, upload, 1)

    assert 30 < seconds_from_now(moment(part)) <= 90
    assert 30 < int(part["url"].split("X-Amz-Expires=")[1].split("&")[0]) <= 90


def moment(part: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(part["expires_at"])


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([{"number": 3}], "There is no part 3: the file has parts 1 to 2"),
        ([{"number": 1}, {"number": 1}], "List each part once"),
    ],
)
def test_invalid_part_numbers_are_refused(
    caller: ApiClient, upload: dict[str, Any], parts: list[Any], message: str
) -> None:
    refused = caller.post(f"/uploads/{upload['id']}/parts", {"parts": parts})

    assert (refused.status, message in refused.words) == (422, True)
