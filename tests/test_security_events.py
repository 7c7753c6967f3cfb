"""Security events in the log contain kinds, users and addresses, but no text typed by strangers."""

import logging
from typing import Any, cast
from uuid import uuid4

import pytest
from django.core.cache import cache

from archive import recorders
from archive.models import User
from tests.support.api_client import ApiClient
from tests.support.factory import PASSWORD, make_row
from tests.support.http_clients import make_client

pytestmark = pytest.mark.django_db


@pytest.fixture
def events(caplog: pytest.LogCaptureFixture) -> Any:
    """Return the events so far, without the fields added by the logging itself."""
    caplog.set_level(logging.INFO, "spacekeep.security")
    cache.clear()

    def read() -> list[dict[str, Any]]:
        rows: list[Any] = [row.msg for row in caplog.records if row.name == "spacekeep.security"]
        return [{k: v for k, v in row.items() if k not in ("timestamp", "logger", "request_id")} for row in rows]

    return read


def test_sign_ins_and_failures(events: Any, alice: User) -> None:
    client = make_client()
    client.post("/accounts/login/", {"login": "alice", "password": "typed by mistake"})
    client.post("/accounts/login/", {"login": "My Secret Name", "password": "x"})
    client.post("/accounts/login/", {"login": "alice", "password": PASSWORD})
    client.post("/accounts/logout/")

    assert events() == [
        {"event": "sign_in_failed", "level": "warning", "user_id": alice.pk, "address": "127.0.0.1"},
        {"event": "sign_in_failed", "level": "warning", "user_id": None, "address": "127.0.0.1"},
        {"event": "sign_in", "level": "info", "user_id": alice.pk, "address": "127.0.0.1", "methods": ["password"]},
        {"event": "sign_out", "level": "info", "user_id": alice.pk, "address": "127.0.0.1"},
    ]
    assert "Secret" not in str(events())
    assert "typed" not in str(events())


def test_events_carry_the_id_of_their_request(events: Any, caplog: pytest.LogCaptureFixture) -> None:
    refused = make_client().post("/accounts/login/", {"login": "alice", "password": "x"})

    assert [row["event"] for row in events()] == ["sign_in_failed"]
    (row,) = [cast("Any", record.msg) for record in caplog.records if record.name == "spacekeep.security"]
    assert row["request_id"] == refused.headers["X-Request-ID"] != ""


def test_lockouts(events: Any, alice: User) -> None:
    for _ in range(6):
        make_client().post("/accounts/login/", {"login": "alice", "password": "x"})

    assert [row["event"] for row in events()] == ["sign_in_failed"] * 5 + ["sign_in_limited"]


def test_changes_of_password_and_sessions(events: Any, alice: User) -> None:
    phone, client = make_client(), make_client()
    for device in (phone, client):
        device.post("/accounts/login/", {"login": "alice", "password": PASSWORD})
    client.post("/accounts/sessions/")
    new = "violet harbour cabinet 29"
    client.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})

    assert [(row["event"], row["user_id"]) for row in events()] == [
        ("sign_in", alice.pk),
        ("sign_in", alice.pk),
        ("session_ended", alice.pk),
        ("password_changed", alice.pk),
    ]


def test_refused_access_of_people(events: Any, alice: User, bob: User) -> None:
    space = make_row(alice)
    client = make_client(bob)
    client.get(f"/spaces/{space.pk}/?q=private")
    client.post("/moderation/appeals/17/decide")
    client.get("/no/such/page/of/ours/")

    refused = [row for row in events() if row["event"] == "access_refused"]
    assert [(r["page"], r["method"], r["status"], r["user_id"]) for r in refused] == [
        ("space", "GET", 404, bob.pk),
        ("decide", "POST", 404, bob.pk),
    ]
    assert (refused[0]["space_id"], refused[1]["appeal_id"]) == (str(space.pk), "17")
    assert "private" not in str(events())


def test_refused_access_of_recorders(events: Any, admin: User, alice: User) -> None:
    token, text = recorders.create_token("studio", 30, admin, for_anybody=True)
    ApiClient(token="skr_" + "0" * 12 + "_" + "x" * 43).get("/uploads")
    ApiClient(token=text).get(f"/spaces/{uuid4()}")

    refused = [row for row in events() if row["event"] == "access_refused"]
    assert [(row["status"], row.get("recorder_id")) for row in refused] == [(401, None), (404, str(token.pk))]
