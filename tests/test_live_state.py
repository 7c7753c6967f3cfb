"""The state that open pages poll is small and conditional, matches the pages, and does not prolong the session."""

import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from archive import dbtime
from archive.models import ContentAccess, LogEntry, RateLimit, ReviewClaim, Space, User
from archive.moderation.appeals import appeal
from archive.moderation.holds import place
from archive.moderation.violations import flag, lift
from tests.support.deadlines import make_due
from tests.support.factory import make_contents, make_row
from tests.support.http_clients import make_client
from tests.support.rows import update_space

pytestmark = pytest.mark.usefixtures("db")


def ask(client: Client, *spaces: Space, **headers: str) -> Any:
    return client.get("/state", {"spaces": [str(space.pk) for space in spaces]}, headers=headers)


def attribute(page: Any, name: str) -> str:
    return page.content.decode().partition(f'data-{name}="')[2].partition('"')[0]  # type: ignore[no-any-return]


def test_the_state_of_one_space(alice: User, admin: User) -> None:
    space = make_row(alice)
    violation = flag(space.pk, "spam", "Watches.", admin)
    appeal(violation.pk, "Nobody sold anything.", alice)
    space.refresh_from_db()

    answer = ask(make_client(alice), space)

    state = answer.json()
    assert state.pop("version")
    assert space.expires_at is not None
    assert state == {
        "notices": 1,
        "state": "available",
        "until": f"{space.expires_at:%Y-%m-%dT%H:%M:%S.%fZ}",
        "gone": False,
        "flags": 1,
        "appeals": 1,
    }
    assert len(answer.content) <= 300


def test_the_version_is_that_of_the_pages(alice: User, admin: User) -> None:
    spaces = [make_row(alice, ended_ago=timedelta(days=days)) for days in (1, 2, 3)]
    flag(spaces[0].pk, "spam", "Watches.", admin)
    client = make_client(alice)

    assert attribute(client.get("/"), "version") == ask(client, *spaces).json()["version"]
    page = client.get(f"/spaces/{spaces[0].pk}/")
    assert attribute(page, "version") == ask(client, spaces[0]).json()["version"]
    assert (attribute(page, "flags"), attribute(page, "appeals")) == ("1", "0")


def test_each_change_changes_the_version(alice: User, admin: User, second_admin: User) -> None:
    space = make_row(alice)
    client = make_client(alice)
    versions = [ask(client, space).json()["version"]]

    def note() -> None:
        versions.append(ask(client, space).json()["version"])

    violation = flag(space.pk, "spam", "Watches.", admin)
    note()
    appeal(violation.pk, "Nobody sold anything.", alice)
    note()
    lift(space.pk, "It was a play.", second_admin)
    note()
    place(space.pk, "A court.", admin)
    note()

    assert len(set(versions)) == 4
    assert versions[3] == versions[0]  # the same state as before the flag
    assert ask(client, space).json()["until"] is None
    other = make_row(alice)
    before = ask(client, other).json()["version"]
    update_space(other, state="processing")
    assert ask(client, other).json()["version"] != before


def test_without_a_change_there_is_nothing_to_send(alice: User, admin: User) -> None:
    space = make_row(alice)
    client = make_client(alice)
    etag = ask(client, space).headers["ETag"]

    answer = ask(client, space, **{"If-None-Match": etag})

    assert (answer.status_code, answer.content) == (304, b"")
    assert "Content-Length" not in answer.headers  # it would have to be the length of the omitted content
    flag(space.pk, "spam", "Watches.", admin)
    assert ask(client, space, **{"If-None-Match": etag}).status_code == 200


def test_a_space_is_gone_from_its_deadline_on(alice: User) -> None:
    space = make_row(alice)
    client = make_client(alice)
    make_due(space)

    assert ask(client, space).json()["gone"] is True


def test_strangers_learn_nothing(alice: User, bob: User, auditor: User) -> None:
    space = make_row(alice)
    stranger = ask(make_client(bob), space).json()

    assert stranger == {**client_state(bob), "gone": True}
    assert ask(make_client(auditor), space).json()["state"] == "available"
    assert make_client().get("/state").status_code == 302


def client_state(user: User) -> dict[str, Any]:
    """The state for a Space that does not exist."""
    state: dict[str, Any] = make_client(user).get("/state", {"spaces": str(uuid4())}).json()
    return state


def test_a_list_of_a_hundred_costs_the_same_queries_and_bytes(alice: User, admin: User) -> None:
    client, counts = make_client(alice), []
    spaces = [make_row(alice) for _ in range(100)]
    for number in (2, 100):
        flag(spaces[number - 1].pk, "spam", "Watches.", admin)
        with CaptureQueriesContext(connection) as queries:
            answer = ask(client, *spaces[:number])
        counts.append(len(queries))
        assert len(answer.content) <= 300

    assert counts[0] == counts[1]
    with CaptureQueriesContext(connection) as queries:  # as signed-in pages without a Space request it
        answer = ask(client)
    assert answer.json()["notices"] == 2
    assert len(queries) == 4  # no query about Spaces, not even for the time


def test_a_refresh_of_a_review_keeps_the_claim_of_its_page(alice: User, admin: User) -> None:
    space, client = make_row(alice), make_client(admin)
    url = f"/moderation/spaces/{space.pk}/"
    fences = []
    for headers in ({}, {"X-Background": "1"}, {}):
        assert client.get(url, headers=headers).status_code == 200
        fences.append(ReviewClaim.objects.get().fence)

    assert fences[0] == fences[1] < fences[2]


def test_polling_is_neither_counted_nor_an_access(alice: User) -> None:
    space = make_row(alice)
    make_contents(space)
    client = make_client(alice)

    for _ in range(30):
        assert ask(client, space).status_code == 200

    assert not RateLimit.objects.exists()
    assert not ContentAccess.objects.exists()
    assert not LogEntry.objects.filter(event__startswith="content.").exists()


def idle(client: Client, seconds: float) -> Client:
    session = client.session
    session["seen_at"] = time.time() - seconds
    session.save()
    return client


def test_polling_does_not_prolong_an_idle_session(alice: User) -> None:
    """A host's session ends after 7 days without use, even if an open page polls, or requests fresh parts."""
    space = make_row(alice)
    week = 7 * 24 * 3600
    client = idle(make_client(alice), week - 3600)
    before = client.session["seen_at"]

    assert ask(client, space).status_code == 200
    assert client.get(f"/spaces/{space.pk}/", headers={"X-Background": "1"}).status_code == 200
    assert client.session["seen_at"] == before
    idle(client, week + 60)
    assert ask(client, space).status_code == 302

    used = idle(make_client(alice), week - 3600)
    assert used.get(f"/spaces/{space.pk}/").status_code == 200
    assert used.session["seen_at"] > dbtime.now().timestamp() - 60
