"""Saved views of the log have a name and filters, and belong to one person."""

import pytest
from django.test import Client

from archive.audit import saved_views
from archive.models import SavedLogView, User
from tests.support.http_clients import make_client

pytestmark = pytest.mark.usefixtures("db")


def save(client: Client, name: str, query: str) -> str:
    return client.post("/log/views/save", {"name": name, "query": query})["Location"]


def test_a_saved_view_opens_the_same_page(auditor: User) -> None:
    client = make_client(auditor)

    url = save(client, "Played by admins", "?event=played&event=read&role=admins&since=2026-01-01")

    assert url == "/log/?event=played&event=read&role=admins&since=2026-01-01"
    page = client.get("/log/")
    assert [view.name for view in page.context["views"]] == ["Played by admins"]
    assert 'href="/log/?event=played&amp;event=read&amp;role=admins&amp;since=2026-01-01"' in page.content.decode()


def test_each_person_has_their_own(auditor: User, admin: User, alice: User) -> None:
    save(make_client(auditor), "Mine", "?event=played")
    view = SavedLogView.objects.get()

    assert make_client(admin).get("/log/").context["views"] == []
    make_client(admin).post(f"/log/views/{view.pk}/delete")
    assert SavedLogView.objects.exists()
    assert make_client(alice).post("/log/views/save", {"name": "x", "query": ""}).status_code == 404
    assert make_client(alice).post(f"/log/views/{view.pk}/delete").status_code == 404
    make_client(auditor).post(f"/log/views/{view.pk}/delete")
    assert not SavedLogView.objects.exists()


def test_the_same_name_gets_the_new_filters(auditor: User) -> None:
    client = make_client(auditor)
    for query in ("?event=played", "?event=read"):
        save(client, "Mine", query)

    assert SavedLogView.objects.get().query == "?event=read"


def test_people_are_saved_by_number(auditor: User, alice: User) -> None:
    """So a closed account leaves no name in other people's views."""
    save(make_client(auditor), "Alice's", "?who=alice&host=Alice")

    view = SavedLogView.objects.get()
    assert view.query == f"?host=%23{alice.pk}&who=%23{alice.pk}"
    assert make_client(auditor).get(f"/log/{view.query}").context["problems"] == []


@pytest.mark.parametrize(
    ("name", "query"), [("", "?event=played"), ("x" * 81, "?event=played"), ("Mine", "?event=nothing")]
)
def test_a_view_that_can_not_be_opened_is_not_saved(auditor: User, name: str, query: str) -> None:
    url = save(make_client(auditor), name, query)

    assert url == f"/log/{query}"
    assert not SavedLogView.objects.exists()


def test_there_are_not_more_than_a_list_shows(auditor: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_views, "MAX_VIEWS", 1)
    client = make_client(auditor)
    for name in ("One", "Two", "One"):
        save(client, name, "?event=played")

    assert [view.name for view in SavedLogView.objects.all()] == ["One"]
