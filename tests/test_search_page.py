"""The search page: access, messages, and escaping."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from archive import dbtime
from archive.models import Space, User
from tests.support.factory import make_row
from tests.support.http_clients import make_client
from tests.support.transcripts import make_transcript

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def spaces(db: None, alice: User, bob: User) -> list[Space]:
    """One of Alice's and one of Bob's, with a word in common."""
    made = [make_row(alice, title="Alice's"), make_row(bob, title="Bob's")]
    for space in made:
        make_transcript(space, ["Good evening.", ("Ida", "A tin of beans."), "Thank you."])
    return made


def search_titles(user: User, words: str) -> list[str]:
    return [str(row["space"]) for row in make_client(user).get("/search/", {"q": words}).context.get("rows", [])]


@pytest.mark.usefixtures("spaces")
def test_hosts_search_their_spaces_and_admins_all(alice: User, bob: User, admin: User) -> None:
    assert search_titles(alice, "beans") == ["Alice's"]
    assert search_titles(bob, "beans") == ["Bob's"]
    assert sorted(search_titles(admin, "beans")) == ["Alice's", "Bob's"]


@pytest.mark.usefixtures("spaces")
def test_auditors_may_not_search_transcripts(auditor: User) -> None:
    client = make_client(auditor)

    assert client.get("/search/", {"q": "beans"}).status_code == 404
    assert client.get("/search/").status_code == 404
    assert "/search/" not in client.get("/").content.decode()


def test_search_needs_sign_in_and_a_get(alice: User) -> None:
    assert make_client().get("/search/?q=beans")["Location"] == "/accounts/login/?next=/search/%3Fq%3Dbeans"
    assert make_client(alice).post("/search/").status_code == 405


def test_a_line_leads_to_its_moment(alice: User, spaces: list[Space]) -> None:
    page = make_client(alice).get("/search/", {"q": "beans"}).content.decode()

    assert f'href="/spaces/{spaces[0].id}/?t=1"' in page
    assert "A tin of <mark>beans</mark>." in page
    assert '<bdi class="voice">Ida</bdi>' in page
    assert "1 line in 1 Space." in page


def test_the_rest_of_a_space_is_found_on_its_page(alice: User) -> None:
    space = make_row(alice)
    make_transcript(space, ["beans & peas"] * 16)

    page = make_client(alice).get("/search/", {"q": "beans & peas"}).content.decode()

    assert f'<a href="/spaces/{space.id}/?find=beans+%26+peas#transcript-title">12 more lines in this Space</a>' in page


@pytest.mark.usefixtures("spaces")
def test_a_space_is_not_found_after_its_deadline(alice: User, spaces: list[Space]) -> None:
    Space.objects.filter(pk=spaces[0].pk).update(expires_at=dbtime.now())

    assert search_titles(alice, "beans") == []


NASTY = '<script>alert(1)</script> & "beans" {{ braces }}'


def test_queries_and_lines_are_escaped(alice: User) -> None:
    make_transcript(make_row(alice, title=NASTY), [(NASTY, NASTY)])

    for typed in (NASTY, "beans", "<script>alert(1)</script>nowhere"):
        page = make_client(alice).get("/search/", {"q": typed}).content.decode()
        assert "<script>alert" not in page
    assert (
        "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;<mark>beans</mark>&quot;"
        in make_client(alice).get("/search/", {"q": "beans"}).content.decode()
    )


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ({}, "Finds what was said"),
        ({"q": "   "}, "Finds what was said"),
        ({"q": "tractor"}, "Nothing was found"),
        ({"q": "the of"}, "is in nearly every line of English"),
        ({"q": "?!"}, "The search has no word"),
        ({"q": "\x00"}, "The search has no word"),
        ({"q": "-beans"}, "Add a word to search for"),
        ({"q": "bean " * 2000}, "more than 300 characters"),
        ({"q": "beans", "page": "999999999999999999999"}, "A tin of"),
        ({"q": "beans", "page": "-1"}, "A tin of"),
        ({"q": "beans", "page": "²"}, "A tin of"),
        ({"q": "beans", "page": "900"}, "Nothing more"),
    ],
)
@pytest.mark.usefixtures("spaces")
def test_every_query_has_a_clear_message(alice: User, query: dict[str, str], answer: str) -> None:
    page = make_client(alice).get("/search/", query)

    assert page.status_code == 200
    assert answer in page.content.decode()


def test_results_are_paged(alice: User) -> None:
    for days in range(1, 13):
        make_transcript(make_row(alice, ended_ago=timedelta(days=days)), ["beans"])
    client = make_client(alice)

    first = client.get("/search/", {"q": "beans"})
    second = client.get(f"/search/{first.context['next_url']}")

    titles = [row["space"].pk for answer in (first, second) for row in answer.context["rows"]]
    assert (len(titles), len(set(titles))) == (12, 12)
    assert "next_url" not in second.context


def test_the_number_of_queries_does_not_grow(alice: User, admin: User) -> None:
    client = make_client(admin)
    counts = []
    for more in (1, 8):
        for _ in range(more):
            make_transcript(make_row(alice), ["beans"] * 5)
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/search/", {"q": "beans"}).status_code == 200
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 20
