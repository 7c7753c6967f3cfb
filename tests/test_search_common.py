"""For words that nearly all Spaces contain, a search walks the Spaces in list order, and finds the same."""

from datetime import timedelta
from urllib.parse import parse_qs

import pytest

from archive import dbtime, search
from archive.models import Space, User
from archive.search import find, names
from portal.presenters import space_list
from portal.presenters.space_list import ListQuery
from tests.support.deadlines import make_due
from tests.support.factory import make_row
from tests.support.http_clients import make_client
from tests.support.search_urls import search_url
from tests.support.transcripts import make_transcript

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def spaces(alice: User) -> list[Space]:
    """Thirty Spaces, the nearest deadline first. All but three are called "Evening", and one of these "rare"."""
    titles = ["Morning" if n in (4, 10, 20) else "Evening rare" if n == 15 else "Evening" for n in range(30)]
    return [
        make_row(alice, title=f"{title} {n}", ended_ago=timedelta(days=29 - n / 2)) for n, title in enumerate(titles)
    ]


@pytest.mark.parametrize("sort", ["deadline", "newest", "title", "length"])
def test_names_are_found_in_order_whatever_the_sample_says(
    alice: User, spaces: list[Space], monkeypatch: pytest.MonkeyPatch, sort: str
) -> None:
    monkeypatch.setattr(space_list, "PAGE", 4)
    Space.objects.filter(title__endswith="7").update(duration_ms=60_000)  # the others have NULL
    every = all_pages(alice, ListQuery("all", sort))
    assert len(every) == 30

    for glanced, first in ((5, 26), (5, 6), (100, 26)):
        monkeypatch.setattr(names, "GLANCED", glanced)
        monkeypatch.setattr(names, "FIRST", first)
        monkeypatch.setattr(names, "MAX_MATCHES", 26 if first == 26 else 2)
        for words, count in (("evening", 27), ("rare", 1), ("morning", 3), ("noon", 0)):
            found = all_pages(alice, ListQuery("all", sort, words))

            assert len(found) == count, (glanced, first, words)
            assert found == [space for space in every if words in space.title.lower()], (glanced, first, words)


def all_pages(user: User, query: ListQuery) -> list[Space]:
    listed: list[Space] = []
    after: str | None = ""
    while after is not None:
        page = space_list.space_list(user, query, after, dbtime.now())
        assert not page.is_cut
        listed += [row.space for row in page.rows]
        after = parse_qs(page.next_url[1:])["after"][0] if page.next_url else None
    return listed


def test_names_that_are_many_are_not_counted(alice: User, spaces: list[Space], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "GLANCED", 5)
    kept = Space.objects.kept()

    evening = search.find_spaces(kept, "evening", alice, ["expires_at", "id"])
    rare = search.find_spaces(kept, "rare", alice, ["expires_at", "id"])

    assert (evening.count, rare.count) == (None, 1)
    counted = [space_list._count_matches([found]) for found in (evening, rare)]
    assert counted == [space_list.Count(25, more=True), space_list.Count(1, more=False)]


def test_a_page_continues_where_a_deleted_space_was(
    alice: User, spaces: list[Space], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(space_list, "PAGE", 2)
    first = space_list.space_list(alice, ListQuery("all", "newest", "morning"), None, dbtime.now())
    make_due(spaces[10])  # the last one on this page

    assert [row.space for row in first.rows] == [spaces[20], spaces[10]]
    assert first.next_url
    after = parse_qs(first.next_url[1:])["after"][0]
    second = space_list.space_list(alice, ListQuery("all", "newest", "morning"), after, dbtime.now())
    assert [row.space for row in second.rows] == [spaces[4]]


@pytest.fixture
def far_ones(spaces: list[Space], monkeypatch: pytest.MonkeyPatch) -> list[Space]:
    """Ten Spaces with "radio", more than the index may return, and none of them near the start."""
    for space in spaces[20:]:
        space.title = f"Radio {space.title}"
        space.save()
        search.index_spaces(space.pk)
    for name in ("GLANCED", "SAMPLED", "MAX_MATCHES", "MAX_SHOWN"):
        monkeypatch.setattr(names, name, 6)
    return spaces[20:]


def test_in_a_short_list_all_are_found(alice: User, far_ones: list[Space]) -> None:
    assert all_pages(alice, ListQuery("all", "deadline", "radio")) == far_ones


def test_where_only_some_are_found_the_pages_say_so(
    alice: User, admin: User, far_ones: list[Space], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "MAX_CHECKED", 15)
    sentence = "Very many Spaces have these words, and only some of them are listed here."

    listed = make_client(alice).get(search_url(alice, "radio", "/"))
    none = make_client(alice).get(search_url(alice, "radio", "/", filter="flagged"))
    monkeypatch.setattr("portal.views.search.NEWEST", ("ended_at", "id"))
    named = make_client(alice).get(search_url(alice, "radio"))
    queue = make_client(admin).get(search_url(admin, "radio", "/moderation/"))

    assert [sentence in page.content.decode() for page in (listed, named, queue)] == [True] * 3
    assert len(listed.context["rows"]) == 6
    assert {row.space for row in listed.context["rows"]} < set(far_ones)
    assert "more than </span>6+" in listed.content.decode()
    assert sentence not in none.content.decode()  # the word is in no Space


def test_spoken_words_of_nearly_all_spaces_come_by_deadline(
    alice: User, spaces: list[Space], monkeypatch: pytest.MonkeyPatch
) -> None:
    for n, space in enumerate(spaces):
        make_transcript(space, ["Beans." if n % 3 == 1 else "Peas and lentils."] * 2)
    monkeypatch.setattr(find, "LARGE", -1)  # PostgreSQL has no statistics of the lines yet
    peas = [space for n, space in enumerate(spaces) if n % 3 != 1]

    first, second, third = (search.search_lines(Space.objects.all(), "peas", page) for page in (1, 2, 3))
    beans = search.search_lines(Space.objects.all(), "beans")

    assert [hit.space for hit in first.spaces] == peas[:10]
    assert [hit.space for hit in second.spaces] == peas[10:]
    assert (first.nearest_first, first.next_page, second.next_page, third.spaces) == (True, 2, None, [])
    assert [len(hit.lines) for hit in first.spaces] == [2] * 10
    assert (beans.nearest_first, beans.space_count) == (False, 10)


def test_the_page_says_that_the_nearest_deadlines_come_first(
    alice: User, spaces: list[Space], monkeypatch: pytest.MonkeyPatch
) -> None:
    for space in spaces:
        make_transcript(space, ["Peas."])
    monkeypatch.setattr(find, "LARGE", -1)

    page = make_client(alice).get(search_url(alice, "peas"))

    assert page.context["found"].nearest_first
    assert "Those with the nearest deadlines come first." in page.content.decode()
