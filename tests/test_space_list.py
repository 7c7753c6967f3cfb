"""The list of Spaces: filters with counts, orders, and words, all of them in the URL."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from archive.models import Recording, Space, User
from archive.moderation.appeals import appeal
from archive.moderation.violations import flag
from archive.search import index_spaces
from tests.support.factory import make_held, make_row
from tests.support.http_clients import make_client
from tests.support.search_urls import search_url

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def shelf(db: None, alice: User, bob: User, admin: User) -> None:
    """Alice's Spaces in each state, and one of Bob's."""
    make_row(alice, title="Élan", ended_ago=timedelta(days=2))
    make_row(alice, title="due", ended_ago=timedelta(days=26))
    flag(make_row(alice, title="flagged", ended_ago=timedelta(days=9)).id, "spam", "Watches.", admin)
    appealed = flag(make_row(alice, title="appealed", ended_ago=timedelta(days=5)).id, "spam", "Watches.", admin)
    appeal(appealed.pk, "No.", alice)
    make_held(alice, title="", ended_ago=timedelta(days=8))
    make_row(alice, title="overdue", ended_ago=timedelta(days=31))
    make_row(bob, title="bob's", ended_ago=timedelta(days=10))


def titles(client: Client, **query: str) -> list[str]:
    return [row.space.title for row in client.get("/", query).context["rows"]]


def counts(client: Client) -> dict[str, str]:
    return {choice.code: choice.count for choice in client.get("/").context["list"].filters}


@pytest.mark.usefixtures("shelf")
def test_each_filter_has_its_count(alice: User, admin: User) -> None:
    client = make_client(alice)
    expected = {"all": "5", "due": "1", "flagged": "2", "held": "1", "appealed": "1", "deleted": "1"}

    assert counts(client) == expected
    assert {code: str(len(titles(client, filter=code))) for code in expected} == expected
    assert counts(make_client(admin)) == {**expected, "all": "6"}
    assert "1 Space will be deleted within 7 days." in client.get("/").content.decode()


@pytest.mark.usefixtures("shelf")
def test_the_order_is_the_one_that_was_chosen(alice: User) -> None:
    client = make_client(alice)

    assert titles(client, sort="") == ["due", "Élan", "flagged", "appealed", ""]
    assert titles(client, sort="newest") == ["Élan", "appealed", "", "flagged", "due"]
    assert titles(client, sort="title") == ["appealed", "due", "Élan", "flagged", ""]


def measure(space: Space, duration_ms: int) -> None:
    facts = {"extension": "m4a", "content_type": "audio/mp4", "codec": "aac", "sample_rate": 48000, "channels": 1}
    stored = {"key": f"spaces/{space.pk}/x", "size": 1, "sha256": "0" * 64, "crc32": 1, "etag": "e"}
    Recording.objects.create(space=space, duration_ms=duration_ms, **facts, **stored)
    index_spaces(space.pk)


def test_the_pages_of_each_order_have_each_space_once(alice: User) -> None:
    for n in range(30):
        title = ("", "Même titre", f"Row {n}")[n % 3]
        space = make_row(alice, title=title, ended_ago=timedelta(days=1, hours=n // 2))
        if n % 2:
            measure(space, 1000 * (n % 7 + 1))
    for _ in range(3):
        make_held(alice)
    client = make_client(alice)
    for sort in ("deadline", "newest", "title", "length"):
        seen: list[Space] = []
        url: str | None = f"/?sort={sort}"
        while url:
            answer = client.get(url)
            seen += [row.space for row in answer.context["rows"]]
            url = answer.context["next_url"]

        assert (len(seen), len({space.pk for space in seen})) == (33, 33), sort


def test_the_longest_come_first_and_the_unknown_last(alice: User) -> None:
    for title, length in (("short", 1000), ("long", 9000), ("middle", 5000), ("unknown", 0)):
        space = make_row(alice, title=title)
        if length:
            measure(space, length)

    assert titles(make_client(alice), sort="length") == ["long", "middle", "short", "unknown"]


@pytest.mark.usefixtures("shelf")
def test_a_wrong_value_shows_an_error_and_no_rows(alice: User) -> None:
    client = make_client(alice)
    for query in ({"filter": "nonsense"}, {"sort": "sideways"}, {"words": "nonsense"}):
        answer = client.get("/", query)

        assert answer.status_code == 200
        assert answer.context["rows"] == []
        assert len(answer.context["problems"]) == 1
        assert 'role="alert"' in answer.content.decode()


@pytest.mark.usefixtures("shelf")
def test_words_filter_the_list_and_stay_out_of_the_address(alice: User) -> None:
    client = make_client(alice)

    answer = client.post("/?filter=all&sort=title", {"q": "elan"})

    assert answer.status_code == 302
    assert "elan" not in answer["Location"]
    assert "sort=title" in answer["Location"]
    listed = client.get(answer["Location"])
    assert [row.space.title for row in listed.context["rows"]] == ["Élan"]
    links = [choice.url for choice in (*listed.context["list"].filters, *listed.context["list"].orders)]
    assert all("words=" in link for link in links)
    assert 'value="elan"' in listed.content.decode()


@pytest.mark.usefixtures("shelf")
def test_words_find_nothing_in_what_is_past_its_deadline(alice: User) -> None:
    overdue = Space.objects.get(title="overdue")
    client = make_client(alice)

    for words, found in (("overdue", []), (str(overdue.pk)[:8], ["overdue"])):
        answer = client.get(search_url(alice, words, "/", filter="deleted"))
        assert [row.space.title for row in answer.context["rows"]] == found


def test_a_list_without_hits_keeps_its_buttons_and_leads_back(alice: User) -> None:
    client, export, upload = make_client(alice), 'href="/export/"', 'class="button main" href="/upload/"'
    page = client.get("/").content.decode()
    assert (export in page, page.count(upload), "Show all Spaces" in page) == (False, 1, False)
    make_row(alice)

    for address in ("/?filter=held", search_url(alice, "nowhere", "/")):
        page = client.get(address).content.decode()
        assert (export in page, page.count(upload), "Show all Spaces" in page) == (True, 1, True)


def test_words_that_are_too_long_come_back(alice: User) -> None:
    answer = make_client(alice).post("/", {"q": "bean " * 2000})

    assert answer.status_code == 422
    assert answer.context["rows"] == []


def test_a_count_ends_at_a_thousand(alice: User) -> None:
    known = {"deadline_reasons": [], "state": "available"}
    space = make_row(alice)
    times = {"ended_at": space.ended_at, "expires_at": space.expires_at}
    Space.objects.bulk_create(Space(host=alice, **known, **times) for _ in range(1005))

    page = make_client(alice).get("/")

    assert next((choice.count, choice.many) for choice in page.context["list"].filters) == ("1\u202f000", True)
    assert '<span class="unseen">more than </span>1\u202f000+' in page.content.decode()


@pytest.mark.parametrize("query", ["", "?sort=title", "?sort=length&filter=flagged", "?filter=deleted"])
def test_the_number_of_queries_does_not_grow(alice: User, admin: User, query: str) -> None:
    client = make_client(admin)
    numbers = []
    for more in (1, 8):
        for n in range(more):
            make_row(alice, ended_ago=timedelta(days=31 + n))
            flag(make_row(alice).id, "spam", "Watches.", admin)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(f"/{query}").status_code == 200
        numbers.append(len(queries))

    assert numbers[0] == numbers[1]
