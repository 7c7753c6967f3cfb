"""Uploads that are refused before any byte is sent."""

from typing import Any

import pytest

from archive.errors import make_problem
from archive.models import Space, UploadSession, User
from archive.storage import keys, store
from tests.support.api_client import ApiClient, make_recorder
from tests.support.factory import make_row

pytestmark = pytest.mark.django_db


@pytest.fixture
def caller(db: None, alice: User) -> ApiClient:
    return ApiClient(user=alice)


def begin(caller: ApiClient, space: Any, **fields: Any) -> Any:
    return caller.post(f"/spaces/{space}/uploads", {"kind": "recording", "name": "a.m4a", "size": 1, **fields})


def test_a_recording_that_is_too_big(caller: ApiClient) -> None:
    space = caller.announce().json["id"]

    refused = begin(caller, space, size=5 * 10**9 + 1)

    assert (refused.status, refused.code) == (422, "upload.too_large")
    assert begin(caller, space, size=5 * 10**9).json["part_count"] == 299


def test_a_transcript_that_is_too_big(caller: ApiClient) -> None:
    refused = begin(caller, caller.announce().json["id"], kind="transcript", size=20 * 10**6 + 1)

    assert (refused.status, refused.code) == (422, "upload.too_large")


@pytest.mark.parametrize("way", ["token", "session"])
def test_open_uploads_are_limited(way: str, settings: Any, alice: User, admin: User) -> None:
    settings.MAX_OPEN_UPLOADS = 2
    caller = ApiClient(user=alice) if way == "session" else make_recorder(admin)[0]
    spaces = [caller.announce(host="alice").json["id"] for _ in range(3)]
    first = begin(caller, spaces[0]).json
    assert begin(caller, spaces[1]).status == 201

    refused = begin(caller, spaces[2])

    assert (refused.status, "You already have 2 open uploads" in refused.words) == (409, True)
    assert not store().listing(keys.prefix(spaces[2])).uploads
    caller.delete(f"/uploads/{first['id']}")
    assert begin(caller, spaces[2]).status == 201


def test_uploads_of_others_do_not_count(settings: Any, alice: User, admin: User) -> None:
    settings.MAX_OPEN_UPLOADS = 1
    machine, person = make_recorder(admin)[0], ApiClient(user=alice)
    assert begin(machine, machine.announce(host="alice").json["id"]).status == 201

    assert begin(person, person.announce().json["id"]).status == 201


def test_a_space_has_one_open_recording_upload(caller: ApiClient) -> None:
    space = caller.announce().json["id"]
    begin(caller, space)

    refused = begin(caller, space)

    assert (refused.status, "already being uploaded" in refused.words) == (409, True)
    assert begin(caller, space, kind="transcript").status == 201
    assert UploadSession.objects.count() == 2


@pytest.mark.parametrize(
    ("state", "kind", "status"),
    [
        ("processing", "recording", 409),
        ("processing", "transcript", 201),
        ("available", "recording", 409),
        ("available", "transcript", 201),
        ("rejected", "recording", 409),
        ("rejected", "transcript", 409),
        ("expiring", "recording", 410),
        ("expiring", "transcript", 410),
    ],
)
def test_accepted_uploads_depend_on_the_state(
    state: str, kind: str, status: int, caller: ApiClient, alice: User
) -> None:
    space = make_row(alice, state=state, problem=make_problem("audio.empty") if state == "rejected" else {})

    assert begin(caller, space.pk, kind=kind).status == status


def test_a_space_ingested_by_command_accepts_no_uploads(caller: ApiClient, alice: User) -> None:
    space = make_row(alice, state="receiving", fingerprint="f" * 64)

    refused = begin(caller, space.pk)

    assert (refused.status, "manage.py ingest" in refused.words) == (409, True)


@pytest.mark.parametrize(
    "fields",
    [
        {"size": 0},
        {"size": "1"},
        {"name": ""},
        {"name": "a\x00b"},
        {"name": "\ud800"},
        {"kind": "bundle"},
        {"sha256": "xyz"},
        {"language": "not a language"},
        {"extra": 1},
    ],
)
def test_invalid_upload_requests_are_refused(fields: dict[str, Any], caller: ApiClient) -> None:
    refused = begin(caller, caller.announce().json["id"], **fields)

    assert (refused.status, refused.json["errors"][0]["loc"][-1]) == (422, next(iter(fields)))
    assert not UploadSession.objects.exists()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"ended_at": "2099-01-01T00:00:00Z"}, "in the future"),
        ({"ended_at": "2020-01-01T00:00:00Z"}, "can't be archived any more"),
    ],
)
def test_invalid_spaces_are_refused(fields: dict[str, Any], message: str, caller: ApiClient) -> None:
    refused = caller.announce(**fields)

    assert (refused.status, message in refused.words) == (422, True)
    assert not Space.objects.exists()


@pytest.mark.parametrize(
    "ended_at",
    [1700000000, "2026-11-22", "2026-11-22T14:05:00", "0001-01-01T00:00:00+14:00", "2026-13-40T00:00:00Z", None],
)
def test_an_invalid_end_is_refused(ended_at: Any, caller: ApiClient) -> None:
    assert caller.announce(ended_at=ended_at).status == 422
