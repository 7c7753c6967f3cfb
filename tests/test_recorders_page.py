"""The admins' page of recorder tokens."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from archive import recorders
from archive.models import RecorderToken, User
from tests.support.api_client import ApiClient
from tests.support.http_clients import make_client

pytestmark = pytest.mark.django_db
TOKEN = re.compile(r"skr_[0-9a-f]{12}_[A-Za-z0-9_-]{43}")


def page(user: User) -> str:
    return make_client(user).get("/recorders/").content.decode()


def test_a_token_is_created_and_shown_once(admin: User, alice: User) -> None:
    answer = make_client(admin).post(
        "/recorders/", {"name": "Studio <2>", "days": "90", "hosts": "alice", "scopes": "intake"}
    )

    text = answer.content.decode()
    (shown,) = TOKEN.findall(text)
    assert "Studio &lt;2&gt;" in text
    assert "no-store" in answer.headers["Cache-Control"]
    assert ApiClient(token=shown).announce(host="alice").status == 201
    assert ApiClient(token=shown).announce(host="ada").status == 422
    assert TOKEN.findall(page(admin)) == []
    assert shown[:16] in page(admin)


def test_a_token_for_every_host_is_chosen_as_such(admin: User, alice: User) -> None:
    form = {"name": "Studio", "days": "90", "hosts": "", "scopes": "intake", "for_anybody": "on"}

    text = make_client(admin).post("/recorders/", form).content.decode()

    (shown,) = TOKEN.findall(text)
    assert "for </span>every host" in text
    assert [ApiClient(token=shown).announce(host=name).status for name in ("alice", "ada")] == [201, 201]


def test_a_token_without_hosts_says_so(admin: User, bob: User) -> None:
    recorders.create_token("studio", 30, admin, [bob])
    bob.delete()

    text = page(admin)

    assert "for </span>no host" in text
    assert "none of its hosts is active" in text


def test_a_token_is_revoked(admin: User) -> None:
    token, text = recorders.create_token("studio", 30, admin, for_anybody=True)

    answer = make_client(admin).post(f"/recorders/{token.pk}/revoke", follow=True)

    assert "The token of studio was revoked" in answer.content.decode()
    assert "revoked" in page(admin)
    assert ApiClient(token=text).get("/uploads").status == 401


def test_the_page_says_when_it_was_used(admin: User) -> None:
    _, text = recorders.create_token("studio", 30, admin, for_anybody=True)
    assert "never" in page(admin)

    ApiClient(token=text).get("/uploads")

    assert "never" not in page(admin)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"name": "studio", "days": "90", "hosts": "nobody"}, "There is no user “nobody”"),
        ({"name": "", "days": "90", "hosts": ""}, "Enter a name of 1 to 100 characters"),
        ({"name": "studio", "days": "100000", "hosts": ""}, "1 to 366 days"),
        ({"name": "studio", "days": "soon", "hosts": ""}, "1 to 366 days"),
        ({"name": "studio", "days": "90", "hosts": "", "scopes": []}, "Choose what the token may do"),
        ({"name": "studio", "days": "90", "hosts": "", "scopes": ["everything"]}, "Choose what the token may do"),
        ({"name": "studio", "days": "90", "hosts": "", "scopes": ["bundles"]}, "Name at least one host"),
        ({"name": "studio", "days": "90", "hosts": ""}, "Name at least one host"),
        ({"name": "studio", "days": "90", "hosts": "ada", "for_anybody": "on"}, "not both"),
        (
            {"name": "studio", "days": "90", "hosts": "", "scopes": ["bundles"], "for_anybody": "on"},
            "be for every host",
        ),
    ],
)
def test_invalid_tokens_are_refused(form: dict[str, Any], message: str, admin: User) -> None:
    answer = make_client(admin).post("/recorders/", {"scopes": ["intake"], **form})

    assert (answer.status_code, message in answer.content.decode()) == (422, True)
    assert not RecorderToken.objects.exists()


@pytest.mark.parametrize("who", ["alice", "otto"])
def test_others_see_nothing_of_it(who: str, alice: User, auditor: User, admin: User) -> None:
    token, _ = recorders.create_token("studio", 30, admin, for_anybody=True)
    client = make_client({"alice": alice, "otto": auditor}[who])

    assert client.get("/recorders/").status_code == 404
    assert client.post("/recorders/", {"name": "mine", "days": "30"}).status_code == 404
    assert client.post(f"/recorders/{token.pk}/revoke").status_code == 404
    assert "recorders" not in client.get("/").content.decode().lower()


def test_nobody_else_either(admin: User) -> None:
    token, _ = recorders.create_token("studio", 30, admin, for_anybody=True)

    assert make_client().get("/recorders/").status_code == 302
    assert make_client(admin).get(f"/recorders/{token.pk}/revoke").status_code == 405
    assert make_client(admin).post("/recorders/00000000-0000-0000-0000-000000000000/revoke").status_code == 404
    assert RecorderToken.objects.get().revoked_at is None


def test_the_query_count_does_not_grow(admin: User, alice: User) -> None:
    counts = []
    for number in (1, 8):
        for _ in range(number):
            recorders.create_token("studio", 30, admin, [alice])
        with CaptureQueriesContext(connection) as queries:
            page(admin)
        counts.append(len(queries))

    assert counts[0] == counts[1]
