"""A file goes directly from a recorder or a page to the object store."""

import os
from typing import Any

import pytest

from archive.models import LogEntry, Participant, Space, UploadSession, User
from archive.storage import store
from tests.support.api_client import MIB, ApiClient, make_recorder
from tests.support.log_entries import events

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent() -> bytes:
    return os.urandom(16 * MIB + 1000)


def stored(upload: dict[str, Any]) -> bytes:
    session = UploadSession.objects.get(pk=upload["id"])
    return store().read(session.key, 0, session.size, session.etag)


@pytest.mark.parametrize("way", ["token", "session"])
def test_a_recording_is_uploaded(way: str, sent: bytes, alice: User, admin: User) -> None:
    caller = ApiClient(user=alice) if way == "session" else make_recorder(admin)[0]
    space = caller.announce(host="alice").json
    upload = caller.begin(space["id"], sent).json
    caller.send(upload, sent)

    done = caller.post(f"/uploads/{upload['id']}/complete")

    assert (done.status, done.json["state"]) == (200, "uploaded")
    assert caller.get(f"/spaces/{space['id']}").json["state"] == "processing"
    assert stored(upload) == sent
    assert events(Space.objects.get()) == ["space.registered", "upload.opened", "upload.completed", "space.received"]


def test_a_transcript_alone_leaves_the_space_waiting(alice: User) -> None:
    caller = ApiClient(user=alice)
    space = caller.announce().json
    upload = caller.begin(space["id"], b"WEBVTT", kind="transcript", name="words.vtt", language="de").json
    caller.send(upload, b"WEBVTT")

    done = caller.post(f"/uploads/{upload['id']}/complete")

    assert (done.json["state"], stored(upload)) == ("uploaded", b"WEBVTT")
    assert UploadSession.objects.get().language == "de"
    assert Space.objects.get().state == "receiving"


def test_metadata_of_a_space_is_stored(alice: User, bob: User) -> None:
    caller = ApiClient(user=alice)

    answer = caller.announce(
        audience="followed",
        cohosts=["Felix", {"name": "Bob B.", "account": "bob"}],
        speakers=[{"name": "Nora"}],
        listeners_peak=12,
        listeners_total=40,
        transcribe=True,
    )

    space = Space.objects.get()
    seats = [(p.role, p.seat, p.name, p.user) for p in Participant.objects.all()]
    assert answer.headers["Location"] == f"/api/v1/spaces/{space.pk}"
    assert (space.title, space.audience, space.listeners_peak, space.listeners_total) == ("Beans", "followed", 12, 40)
    assert (space.transcribe, space.host) == (True, alice)
    assert seats == [
        ("host", 1, "Alice", alice),
        ("cohost", 1, "Felix", None),
        ("cohost", 2, "Bob B.", bob),
        ("speaker", 1, "Nora", None),
    ]


def test_no_answer_tells_which_accounts_exist(alice: User, bob: User) -> None:
    """The API gives the same response for an account, an inactive one, and none."""
    User.objects.create(username="gone", is_active=False)
    caller, answers = ApiClient(user=alice), []
    for name in ("bob", "gone", "nobody"):
        answer = caller.announce(speakers=[{"name": "Nora", "account": name}])
        follow_up = caller.get(f"/spaces/{answer.json['id']}")
        ids = {"id", "ended_at", "deadline", "expires_at"}
        facts = [{key: value for key, value in one.json.items() if key not in ids} for one in (answer, follow_up)]
        answers.append((answer.status, follow_up.status, facts))

    assert answers[0] == answers[1] == answers[2]
    assert answers[0][0] == 201
    linked = Participant.objects.filter(role="speaker").order_by("id").values_list("account", "user")
    assert list(linked) == [("bob", bob.pk), ("gone", None), ("nobody", None)]


def test_a_space_names_its_recorder(alice: User, admin: User) -> None:
    caller, token = make_recorder(admin)

    space = caller.announce(host="alice").json

    assert Space.objects.get().recorder == token
    entry = LogEntry.objects.get(space_id=space["id"])
    assert (entry.actor_kind, entry.actor_id, entry.detail["recorder"]) == ("recorder", None, str(token.pk))


def test_an_admin_uploads_for_a_host(alice: User, admin: User) -> None:
    caller = ApiClient(user=admin)

    space = caller.announce(host="alice").json

    assert Space.objects.get().host == alice
    assert caller.begin(space["id"], b"x").status == 201


def test_open_uploads_are_listed_for_resuming(alice: User, bob: User) -> None:
    caller, other = ApiClient(user=alice), ApiClient(user=bob)
    upload = caller.begin(caller.announce().json["id"], b"x", name="talk.wav").json
    other.begin(other.announce().json["id"], b"y")

    listed = caller.get("/uploads?state=open").json["items"]

    assert listed == [upload]
    assert (upload["name"], upload["size"], upload["part_count"], upload["state"]) == ("talk.wav", 1, 1, "open")
