"""Words that nearly all Spaces have: a search goes through the Spaces in the order of the list, and finds the same."""

from datetime import timedelta

import pytest

from archive import dbtime, search
from archive.models import Space, User
from archive.search import find, names
from portal.presenters.space_list import Count, ListQuery, _count_matches, space_list
from tests.support.factory import make_row
from tests.support.http_clients import make_client
from tests.support.search_urls import search_url
from tests.support.transcripts import make_transcript

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def spaces(alice: User) -> list[Space]:
    """The nearest deadline first. Of 30 all but three are "Evening", and one is rare."""
    titles = ["Morning" if n in (4, 10, 20) else "Evening rare" if n == 15 else "Evening" for n in range(30)]
    return [
        make_row(alice, title=f"{title} {n}", ended_ago=timedelta(days=29 - n / 2)) for n, title in enumerate(titles)
    ]


@pytest.mark.parametrize("sampled", [5, 500])
@pytest.mark.parametrize(("words", "count"), [("evening", 27), ("rare", 1), ("morning", 3), ("noon", 0)])
@pytest.mark.parametrize("sort", ["deadline", "newest", "title", "length"])
def test_names_are_found_whatever_the_sample_says(
    alice: User, spaces: list[Space], monkeypatch: pytest.MonkeyPatch, sampled: int, words: str, count: int, sort: str
) -> None:
    monkeypatch.setattr(names, "SAMPLED", sampled)
    found: list[Space] = []
    after: str | None = ""

    while after is not None:
        page = space_list(alice, ListQuery("all", sort, words), after, dbtime.now())
        found += [row.space for row in page.rows]
        after = page.next_url.partition("after=")[2].partition("&")[0].replace("%3D", "=") if page.next_url else None

    assert len(found) == count
    assert {space.pk for space in found} == {space.pk for space in spaces if words in space.title.lower()}


def test_names_that_are_many_are_not_counted(alice: User, spaces: list[Space], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "SAMPLED", 5)
    kept = Space.objects.kept()

    evening = search.find_spaces(kept, "evening", alice, ["expires_at", "id"])
    rare = search.find_spaces(kept, "rare", alice, ["expires_at", "id"])

    assert (evening.are_many, evening.count, rare.are_many, rare.count) == (True, None, False, None)
    assert (_count_matches([evening]), _count_matches([rare])) == (Count(25, more=True), Count(1, more=False))


def test_spoken_words_of_nearly_all_spaces_come_by_deadline(
    alice: User, spaces: list[Space], monkeypatch: pytest.MonkeyPatch
) -> None:
    for n, space in enumerate(spaces):
        make_transcript(space, ["Beans." if n % 3 == 1 else "Peas and lentils."] * 2)
    monkeypatch.setattr(find, "LARGE", -1)  # PostgreSQL has not counted the lines yet
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
