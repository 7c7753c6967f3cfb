"""The search page: access, messages, and escaping."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from archive import dbtime
from archive.models import Space, User
from tests.support.factory import make_row
from tests.support.http_clients import make_client
from tests.support.search_urls import search_url
from tests.support.transcripts import make_transcript

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def spaces(db: None, alice: User, bob: User) -> list[Space]:
    """One Space of Alice's and one of Bob's with a word in common."""
    made = [make_row(alice, title="Alice's"), make_row(bob, title="Bob's")]
    for space in made:
        make_transcript(space, ["Good evening.", ("Ida", "A tin of beans."), "Thank you."])
    return made


def search_titles(user: User, words: str) -> list[str]:
    return [str(row["space"]) for row in make_client(user).get(search_url(user, words)).context.get("rows", [])]


@pytest.mark.usefixtures("spaces")
def test_hosts_search_their_spaces_and_admins_all(alice: User, bob: User, admin: User) -> None:
    assert search_titles(alice, "beans") == ["Alice's"]
    assert search_titles(bob, "beans") == ["Bob's"]
    assert sorted(search_titles(admin, "beans")) == ["Alice's", "Bob's"]


@pytest.mark.usefixtures("spaces")
def test_auditors_do_not_search_transcripts(auditor: User) -> None:
    answer = make_client(auditor).get(search_url(auditor, "beans"))

    assert answer.status_code == 200
    assert "found" not in answer.context
    assert "tin of" not in answer.content.decode()


def test_search_needs_sign_in() -> None:
    assert make_client().get("/search/?words=x")["Location"] == "/accounts/login/?next=/search/%3Fwords%3Dx"
    sent = make_client().post("/search/", {"q": "beans"}, headers={"referer": "http://testserver/search/"})
    assert sent["Location"] == "/accounts/login/?next=/search/"


def test_a_line_leads_to_its_moment(alice: User, spaces: list[Space]) -> None:
    page = make_client(alice).get(search_url(alice, "beans")).content.decode()

    assert f'href="/spaces/{spaces[0].id}/?t=1#find=beans"' in page
    assert "A tin of <mark>beans</mark>." in page
    assert '<bdi class="voice">Ida</bdi>' in page
    assert "1 line in 1 Space." in page


def test_the_rest_of_a_space_is_found_on_its_page(alice: User) -> None:
    space = make_row(alice)
    make_transcript(space, ["beans & peas"] * 16)

    page = make_client(alice).get(search_url(alice, "beans & peas")).content.decode()

    assert f'<a href="/spaces/{space.id}/#find=beans+%26+peas">12 more lines in this Space</a>' in page


@pytest.mark.usefixtures("spaces")
def test_a_space_is_not_found_after_its_deadline(alice: User, spaces: list[Space]) -> None:
    Space.objects.filter(pk=spaces[0].pk).update(expires_at=dbtime.now())

    assert search_titles(alice, "beans") == []


NASTY = '<script>alert(1)</script> & "beans" {{ braces }}'


def test_queries_and_lines_are_escaped(alice: User) -> None:
    make_transcript(make_row(alice, title=NASTY), [(NASTY, NASTY)])

    for typed in (NASTY, "beans", "<script>alert(1)</script>nowhere"):
        page = make_client(alice).get(search_url(alice, typed)).content.decode()
        assert "<script>alert" not in page
    assert (
        "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;<mark>beans</mark>&quot;"
        in make_client(alice).get(search_url(alice, "beans")).content.decode()
    )


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ({}, "Searches titles, speakers, ids and transcripts"),
        ({"q": "   "}, "Searches titles, speakers, ids and transcripts"),
        ({"q": "tractor"}, "No matches"),
        ({"q": "the of"}, "is too common in English"),
        ({"q": "?!"}, "The search has no word"),
        ({"q": "\x00"}, "The search has no word"),
        ({"q": "-beans"}, "Add a word to search for"),
        ({"q": "beans", "page": "999999999999999999999"}, "A tin of"),
        ({"q": "beans", "page": "-1"}, "A tin of"),
        ({"q": "beans", "page": "²"}, "A tin of"),
        ({"q": "beans", "page": "900"}, "Nothing more"),
    ],
)
@pytest.mark.usefixtures("spaces")
def test_every_query_has_a_clear_message(alice: User, query: dict[str, str], answer: str) -> None:
    url = search_url(alice, query["q"], page=query.get("page", "1")) if query.get("q") else "/search/"

    page = make_client(alice).get(url)

    assert page.status_code == 200
    assert answer in page.content.decode()


def test_a_common_word_is_called_too_common_beside_a_title_that_has_it(alice: User) -> None:
    make_transcript(make_row(alice, title="The beans"), ["the of beans"])

    page = make_client(alice).get(search_url(alice, "the")).content.decode()

    assert "to search for in transcripts. Add a rarer word." in page
    assert "Nobody says" not in page


def test_results_are_paged(alice: User) -> None:
    for days in range(1, 13):
        make_transcript(make_row(alice, ended_ago=timedelta(days=days)), ["beans"])
    client = make_client(alice)

    first = client.get(search_url(alice, "beans"))
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
            assert client.get(search_url(admin, "beans")).status_code == 200
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 32


@pytest.mark.usefixtures("spaces")
def test_the_form_leads_to_an_address_without_the_words(alice: User) -> None:
    client = make_client(alice, enforce_csrf_checks=True)
    token = client.get("/").content.decode().split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]

    answer = client.post("/search/", {"q": " beans ", "csrfmiddlewaretoken": token})

    assert answer.status_code == 302
    assert re.fullmatch(r"/search/\?words=[-\w]+(%3D)*", answer["Location"])
    page = client.get(answer["Location"])
    assert [str(row["space"]) for row in page.context["rows"]] == ["Alice's"]
    assert 'value="beans"' in page.content.decode()


@pytest.mark.usefixtures("spaces")
def test_the_next_page_and_the_way_back_have_no_words(alice: User) -> None:
    for days in range(1, 13):
        make_transcript(make_row(alice, ended_ago=timedelta(days=days)), ["beans"])
    client = make_client(alice)

    first = client.get(search_url(alice, "beans")).content.decode()
    past = client.get(search_url(alice, "beans", page="900")).content.decode()

    links = re.findall(r'href="([^"#]*)[^"]*"', first + past)
    assert any("page=2" in link for link in links)
    assert not [link for link in links if "beans" in link]
    back = re.findall(r'href="(\?words=[^"]*)">Back to the first ones', past)
    assert len(client.get(f"/search/{back[0]}").context["rows"]) == 10


@pytest.mark.usefixtures("spaces")
def test_a_search_opens_for_its_user_only(alice: User, bob: User) -> None:
    url = search_url(alice, "beans")

    for broken in (url, url[:-4], "/search/?words=nonsense", "/search/?words=%FF%00"):
        page = make_client(bob).get(broken)
        assert page.status_code == 200
        assert "can&#x27;t be read" in page.content.decode()
        assert "beans" not in page.content.decode()


@pytest.mark.usefixtures("spaces")
def test_a_former_secret_key_still_reads(alice: User, settings: Settings) -> None:
    url = search_url(alice, "beans")
    client = make_client(alice)
    former, settings.SECRET_KEY = settings.SECRET_KEY, "another secret key"
    settings.SECRET_KEY_FALLBACKS = [former]

    assert len(client.get(url).context["rows"]) == 1


@pytest.mark.usefixtures("spaces")
def test_words_in_a_query_are_ignored(alice: User) -> None:
    assert "rows" not in make_client(alice).get("/search/?q=beans").context


def test_a_search_that_is_too_long_comes_back(alice: User) -> None:
    page = make_client(alice).post("/search/", {"q": "bean " * 2000})

    assert page.status_code == 422
    assert "more than 300 characters" in page.content.decode()
    longest = "\U0001fad8" * 300
    url = make_client(alice).post("/search/", {"q": longest})["Location"]
    assert len(url) < 2000  # less than the limit of any server or proxy
    assert make_client(alice).get(url).context["typed"] == longest
