"""Who may call each API operation: access by role and token, 404 for others, 410 after the deadline."""

from typing import Any
from uuid import uuid4

import pytest

from archive.models import Hold, Space, User
from archive.retention.purge import purge
from tests.support.api_client import ApiClient, ApiResponse, make_recorder
from tests.support.deadlines import make_due
from tests.support.rows import update_space

pytestmark = pytest.mark.django_db

# (method, URL, body); {space} and {upload} are Alice's.
ADDRESSES = [
    ("GET", "/spaces/{space}", None),
    ("POST", "/spaces/{space}/uploads", {"kind": "transcript", "name": "a.vtt", "size": 1}),
    ("GET", "/uploads/{upload}", None),
    ("POST", "/uploads/{upload}/parts", {"parts": [{"number": 1}]}),
    ("POST", "/uploads/{upload}/complete", {}),
    ("POST", "/uploads/{upload}/accept-partial", {}),
    ("DELETE", "/uploads/{upload}", None),
]
each = pytest.mark.parametrize(("method", "path", "body"), ADDRESSES)


@pytest.fixture
def ids(alice: User) -> dict[str, str]:
    caller = ApiClient(user=alice)
    space = caller.announce().json["id"]
    return {"space": space, "upload": caller.begin(space, b"RIFF").json["id"]}


def ask(caller: ApiClient, method: str, path: str, body: Any, ids: dict[str, str]) -> ApiResponse:
    path = path.format(**ids)
    return caller.post(path, body) if method == "POST" else caller.ask(method, path)


@each
def test_anonymous_requests_are_refused(method: str, path: str, body: Any, ids: dict[str, str]) -> None:
    refused = ask(ApiClient(), method, path, body, ids)

    assert (refused.status, "token of a recorder" in refused.words) == (401, True)
    assert refused.headers["WWW-Authenticate"] == 'Bearer realm="spacekeep"'


@each
@pytest.mark.parametrize("who", ["stranger", "auditor", "recorder"])
def test_resources_of_others_are_404(
    who: str, method: str, path: str, body: Any, ids: dict[str, str], bob: User, auditor: User, admin: User
) -> None:
    callers = {"stranger": ApiClient(user=bob), "auditor": ApiClient(user=auditor), "recorder": make_recorder(admin)[0]}

    refused = ask(callers[who], method, path, body, ids)

    assert (refused.status, refused.words) == (404, "There is nothing at this address, or it is not yours to see.")


@each
def test_an_unknown_id_is_404(method: str, path: str, body: Any, alice: User) -> None:
    ids = {"space": str(uuid4()), "upload": str(uuid4())}

    assert ask(ApiClient(user=alice), method, path, body, ids).status == 404


@each
def test_an_admin_may_access_any_space(method: str, path: str, body: Any, ids: dict[str, str], admin: User) -> None:
    answer = ask(ApiClient(user=admin), method, path, body, ids)

    # 409: no part has arrived, so the upload can neither be completed nor accepted.
    assert answer.status == {"uploads": 201, "complete": 409, "accept-partial": 409}.get(
        path.rpartition("/")[2], 204 if method == "DELETE" else 200
    )


@each
@pytest.mark.parametrize("way", ["token", "session"])
def test_from_the_deadline_on_it_is_410(way: str, method: str, path: str, body: Any, alice: User, admin: User) -> None:
    caller = ApiClient(user=alice) if way == "session" else make_recorder(admin)[0]
    space = caller.announce(host="alice").json["id"]
    upload = caller.begin(space, b"RIFF").json["id"]
    make_due(Space.objects.get())

    gone = ask(caller, method, path, body, {"space": space, "upload": upload})

    assert (gone.status, gone.code) == (410, "api.space_expiring")


def test_a_deleted_space_is_410(ids: dict[str, str], alice: User) -> None:
    make_due(Space.objects.get())
    assert purge(Space.objects.get().pk)

    assert "was deleted on" in ask(ApiClient(user=alice), "GET", "/spaces/{space}", None, ids).words


def test_a_recorder_reads_its_own_uploads_only(alice: User, admin: User) -> None:
    """Others may add to the recorder's Space, but the recorder does not see their uploads."""
    machine, person = make_recorder(admin)[0], ApiClient(user=alice)
    space = machine.announce(host="alice").json["id"]
    own = machine.begin(space, b"RIFF").json
    other = person.begin(space, b"WEBVTT", kind="transcript").json

    response = machine.get(f"/spaces/{space}").json

    assert response["uploads"] == [own]
    assert "title" not in response
    assert machine.get(f"/uploads/{other['id']}").status == 404
    assert len(person.get(f"/spaces/{space}").json["uploads"]) == 2


def test_a_recorder_uploads_for_its_hosts_only(alice: User, bob: User, admin: User) -> None:
    caller, _ = make_recorder(admin, hosts=(alice,))

    assert caller.announce(host="alice").status == 201
    refused = caller.announce(host="bob")
    assert (refused.status, refused.code) == (422, "intake.no_such_host")
    assert caller.announce().status == 422


def test_a_host_uploads_for_themselves_only(alice: User, bob: User) -> None:
    refused = ApiClient(user=alice).announce(host="bob")

    assert (refused.status, "Only admins" in refused.words) == (403, True)


def test_an_auditor_may_not_upload(auditor: User) -> None:
    assert ApiClient(user=auditor).announce().status == 403


def test_a_recorder_may_not_upload_for_an_inactive_host(alice: User, admin: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)

    assert make_recorder(admin)[0].announce(host="alice").status == 422


def test_a_session_adds_no_rights_to_a_token(alice: User) -> None:
    caller = ApiClient(user=alice)
    space = caller.announce().json["id"]
    caller.headers["Authorization"] = "Bearer skr_000000000000_" + "x" * 43

    assert caller.get(f"/spaces/{space}").status == 401


def test_a_held_space_has_no_deadline(alice: User) -> None:
    caller = ApiClient(user=alice)
    space = caller.announce().json["id"]
    Hold.objects.create(space=Space.objects.get(), reason="A court asked for it.", placed_by=alice)
    update_space(Space.objects.get(), expires_at=None)

    assert caller.get(f"/spaces/{space}").json["expires_at"] is None
    assert caller.begin(space, b"RIFF").status == 201
