"""Bundles and exports through the API: request, poll, download; for the host, an admin, and a download token."""

import zlib
from typing import Any
from uuid import uuid4

import pytest

from archive.bundles import exports
from archive.bundles.build import build
from archive.errors import make_problem
from archive.models import Bundle, LogEntry, RecorderToken, Space, User
from tests.support.api_client import ApiClient, ApiResponse, make_recorder
from tests.support.deadlines import make_due
from tests.support.errors import raises_error
from tests.support.factory import make_contents, make_row
from tests.support.http_clients import fetch, make_client
from tests.support.rows import update_space

pytestmark = pytest.mark.django_db
BUNDLES = (RecorderToken.Scope.BUNDLES,)
GB = 10**9


def downloaded(url: str) -> bytes:
    """Download as a script does: without a session, following redirects."""
    path = url.removeprefix("http://127.0.0.1:8000")
    return fetch(make_client().get(path)["Location"])[2]


@pytest.mark.parametrize("who", ["host", "admin", "machine"])
def test_request_poll_and_download(who: str, seeds: Space, admin: User) -> None:
    machine, token = make_recorder(admin, hosts=(seeds.host,), scopes=BUNDLES)
    caller = {"host": ApiClient(user=seeds.host), "admin": ApiClient(user=admin), "machine": machine}[who]
    address = f"/spaces/{seeds.pk}/bundle"
    assert caller.get(address).status == 404

    response = caller.post(address)
    assert (response.status, response.json["state"], response.json["url"], response.json["sha256"]) == (
        202,
        "requested",
        None,
        None,
    )
    assert build(response.json["id"])
    response = caller.get(address).json

    assert (response["state"], response["space"], response["bytes_done"]) == ("ready", str(seeds.pk), response["size"])
    data = downloaded(response["url"])
    assert (len(data), f"{zlib.crc32(data):08x}") == (response["size"], response["crc32"])
    assert caller.post(address).status == 200
    entry = LogEntry.objects.get(event="content.accessed_by_admin" if who == "admin" else "content.downloaded")
    assert (entry.actor_kind, entry.detail.get("recorder")) == (
        ("recorder", str(token.pk)) if who == "machine" else ("user", None)
    )


def test_a_failed_bundle_says_why_and_can_be_requested_again(seeds: Space) -> None:
    caller = ApiClient(user=seeds.host)
    first = caller.post(f"/spaces/{seeds.pk}/bundle").json["id"]
    Bundle.objects.update(state="failed", problem=make_problem("work.gave_up"))
    assert caller.get(f"/spaces/{seeds.pk}/bundle").json["problem_code"] == "work.gave_up"

    again = caller.post(f"/spaces/{seeds.pk}/bundle")

    assert (again.status, again.json["state"], again.json["id"] != first) == (202, "requested", True)


ADDRESSES: list[tuple[str, str, Any]] = [
    ("POST", "/spaces/{space}/bundle", None),
    ("GET", "/spaces/{space}/bundle", None),
    ("GET", "/exports/{export}", None),
]
each = pytest.mark.parametrize(("method", "path", "body"), ADDRESSES)


@pytest.fixture
def ids(alice: User) -> dict[str, str]:
    space = make_row(alice)
    make_contents(space)
    return {"space": str(space.pk), "export": str(exports.request(alice, 2 * GB).pk)}


def ask(caller: ApiClient, method: str, path: str, body: Any, ids: dict[str, str]) -> ApiResponse:
    path = path.format(**ids)
    return caller.post(path, body) if method == "POST" else caller.get(path)


@each
def test_who_may_access_a_bundle(
    method: str, path: str, body: Any, ids: dict[str, str], alice: User, bob: User, admin: User, auditor: User
) -> None:
    intake = make_recorder(admin)[0]
    other = make_recorder(admin, "other", hosts=(bob,), scopes=BUNDLES)[0]
    nobody = {"space": str(uuid4()), "export": str(uuid4())}

    assert ask(ApiClient(user=alice), method, path, body, ids).status == 200
    assert ask(ApiClient(), method, path, body, ids).status == 401
    assert ask(ApiClient(user=bob), method, path, body, ids).status == 404
    assert ask(ApiClient(user=auditor), method, path, body, ids).status == 404
    assert ask(other, method, path, body, ids).status == 404
    assert ask(ApiClient(user=alice), method, path, body, nobody).status == 404
    refused = ask(intake, method, path, body, ids)
    assert (refused.status, refused.words) == (
        403,
        "This token may not download bundles. An admin can create one that may.",
    )


def test_a_download_token_may_not_upload(alice: User, admin: User) -> None:
    caller = make_recorder(admin, hosts=(alice,), scopes=BUNDLES)[0]

    refused = caller.announce(host="alice")

    assert (refused.status, "may not upload recordings" in refused.words) == (403, True)


def test_from_the_deadline_on_it_is_410(ids: dict[str, str], alice: User, admin: User) -> None:
    caller = make_recorder(admin, hosts=(alice,), scopes=BUNDLES)[0]
    url = caller.get(f"/spaces/{ids['space']}/bundle").json["url"].removeprefix("http://127.0.0.1:8000")
    assert make_client().get(url).status_code == 302
    make_due(Space.objects.get())

    assert caller.get(f"/spaces/{ids['space']}/bundle").status == 410
    assert caller.post(f"/spaces/{ids['space']}/bundle").status == 410
    assert make_client().get(url).status_code == 410


def test_an_address_ends_with_its_token(ids: dict[str, str], alice: User, admin: User) -> None:
    caller, token = make_recorder(admin, hosts=(alice,), scopes=BUNDLES)
    url = caller.get(f"/spaces/{ids['space']}/bundle").json["url"].removeprefix("http://127.0.0.1:8000")
    token.hosts.clear()
    assert make_client().get(url).status_code == 404
    token.hosts.add(alice)
    assert make_client().get(url).status_code == 302
    RecorderToken.objects.update(revoked_at=token.created_at)

    assert make_client().get(url).status_code == 404


def test_no_bundle_before_the_space_is_available(alice: User) -> None:
    space = make_row(alice)
    make_contents(space)
    update_space(space, state="processing")

    assert ApiClient(user=alice).post(f"/spaces/{space.pk}/bundle").status == 404


@pytest.mark.parametrize("who", ["host", "machine"])
def test_export_all_spaces(who: str, seeds: Space, admin: User) -> None:
    machine = make_recorder(admin, hosts=(seeds.host,), scopes=BUNDLES)[0]
    caller = {"host": ApiClient(user=seeds.host), "machine": machine}[who]
    response = caller.post("/exports", {"max_part_size": 2 * GB, "host": "alice"})
    assert response.status == 202
    (export_part,) = response.json["parts"]
    assert (export_part["number"], export_part["spaces"], export_part["expired"], export_part["url"]) == (
        1,
        [str(seeds.pk)],
        [],
        None,
    )
    assert exports.build(export_part["id"])

    (export_part,) = caller.get(f"/exports/{response.json['id']}").json["parts"]

    assert f"{zlib.crc32(downloaded(export_part['url'])):08x}" == export_part["crc32"]
    assert LogEntry.objects.get(event="content.downloaded").space_id == seeds.pk


def test_who_may_access_an_export(alice: User, bob: User, admin: User) -> None:
    machine = make_recorder(admin, hosts=(bob,), scopes=BUNDLES)[0]

    for caller in (ApiClient(user=admin), ApiClient(user=bob), machine):
        assert caller.post("/exports", {"max_part_size": 2 * GB, "host": "alice"}).status == 403
    assert ApiClient(user=bob).post("/exports", {"max_part_size": 2 * GB}).status == 422
    assert ApiClient(user=bob).post("/exports", {"max_part_size": 3 * GB}).status == 422


def test_a_download_token_is_limited_to_its_hosts(admin: User) -> None:
    from archive.errors import Refused

    with raises_error(Refused, "recorder.downloads_for_anybody"):
        make_recorder(admin, scopes=BUNDLES)
