"""Search results, their order, and the messages for queries that find nothing."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from archive import search
from archive.errors import Refused
from archive.models import Hold, Space, User
from archive.search import SearchResults
from tests.support.errors import raises_error
from tests.support.factory import make_row
from tests.support.transcripts import make_transcript

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def space(alice: User) -> Space:
    return make_row(alice)


def find(words: str, page: int = 1) -> SearchResults:
    return search.search_lines(Space.objects.all(), words, page)


def lines(words: str) -> list[str]:
    """Return the found lines, with highlighted words in brackets."""
    return [
        "".join(f"[{piece.text}]" if piece.found else piece.text for piece in line.pieces)
        for hit in find(words).spaces
        for line in hit.lines
    ]


ROOM = [
    "Welcome to the",
    "seed library, friends!",
    "Nothing here.",
    "We bake bread - don\u2019t run.",
    "Seeds and bread.",
]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("friend", ["seed library, [friends]!"]),
        ("LIBRARIES", ["seed [library], friends!"]),
        ("welcome library", ["[Welcome] to the", "seed [library], friends!"]),  # across the end of a line
        ('"welcome to the seed library"', ["[Welcome] to the", "[seed] [library], friends!"]),
        ('"the library"', ["seed [library], friends!"]),  # stop words are ignored
        ('"library welcome"', []),
        ("welcome bread", []),  # too far apart
        ("bread -seeds", ["We bake [bread] - don\u2019t run."]),
        ('seeds -"library friends"', ["[Seeds] and bread."]),
        ('seeds -"friends library"', ["[seed] library, friends!", "[Seeds] and bread."]),
        ("friend or baking", ["seed library, [friends]!", "We [bake] bread - don\u2019t run."]),
        ("seed-library", ["[seed] [library], friends!"]),
        ("“seed library”", ["[seed] [library], friends!"]),
        ("library/friends", ["seed [library], [friends]!"]),
        ("tractor", []),
    ],
)
def test_search_queries_find_their_lines(space: Space, words: str, expected: list[str]) -> None:
    make_transcript(space, ROOM)

    assert lines(words) == expected


@pytest.mark.parametrize(
    ("language", "text", "words", "expected"),
    [
        ("de", "Die Äpfel sind reif.", "APFEL", "Die [Äpfel] sind reif."),
        ("ru", "Привет, друзья мои", "ДРУЗЬЯ", "Привет, [друзья] мои"),
        ("ar", "مرحبا بكم في المكتبة", "مكتبة", "مرحبا بكم في [المكتبة]"),
        ("ja", "種の図書館へようこそ。", "図書館", "種の[図書館]へようこそ。"),
        ("zh-Hans", "欢迎来到种子图书馆", "图书馆", "欢迎来到种子[图书馆]"),
        ("ko", "도서관에 오세요", "도서관", "[도서관]에 오세요"),
        ("th", "ยินดีต้อนรับสู่ห้องสมุด", "ห้องสมุด", "ยินดีต้อนรับสู่[ห้องสมุด]"),
        ("hi", "किताबें और बीज", "किताबें", "[किताबें] और बीज"),
        ("und", "\uff26\uff35\uff2c\uff2c width ½ Foo™", "full foo", "[\uff26\uff35\uff2c\uff2c] width ½ [Foo]™"),
    ],
)
def test_in_many_languages(space: Space, language: str, text: str, words: str, expected: str) -> None:
    make_transcript(space, ["Others.", text], language)

    assert lines(words) == [expected]


def test_characters_in_another_order_are_another_word(space: Space) -> None:
    make_transcript(space, ["館の図書"], "ja")

    assert lines("図書館") == []
    assert lines("図書") == ["館の[図書]"]


def test_one_search_over_several_languages(alice: User) -> None:
    make_transcript(make_row(alice), ["The houses are old."], "en")
    make_transcript(make_row(alice), ["Unsere Häuser sind alt."], "de")
    make_transcript(make_row(alice), ["Haus, houses"], "und")

    assert sorted(lines("haus or houses")) == ["The [houses] are old.", "Unsere [Häuser] sind alt.", "[Haus], [houses]"]


def test_results_are_ranked(alice: User) -> None:
    one_word = make_row(alice, title="one word here, the other beside it")
    both = make_row(alice, title="both in a line")
    often = make_row(alice, title="both, in two lines")
    for space, texts in [
        (one_word, ["A red", "tractor"]),
        (both, ["A red tractor", "x", "y"]),
        (often, ["A red tractor", "x", "y", "A red tractor"]),
    ]:
        make_transcript(space, texts)

    assert [hit.space for hit in find("red tractor").spaces] == [often, both, one_word]


def test_a_space_shows_its_best_lines_in_order_of_time_and_how_many_more(space: Space) -> None:
    make_transcript(space, ["bean", "x", "y"] * 6 + ["bean, a bean and a bean"])

    (hit,) = find("beans").spaces

    assert [line.start_ms for line in hit.lines] == [0, 3000, 6000, 18000]
    assert hit.more == 3
    assert find("beans").line_count == 7


def test_results_are_paged(alice: User) -> None:
    made = [make_row(alice, ended_ago=timedelta(days=n + 1)) for n in range(12)]
    for space in made:
        make_transcript(space, ["bean"])

    first, second = find("bean"), find("bean", 2)

    assert [hit.space for hit in first.spaces + second.spaces] == made
    assert (first.next_page, second.next_page) == (2, None)
    assert find("bean", 99).spaces == []


@pytest.mark.parametrize(
    "change",
    [{"state": "processing"}, {"state": "expiring"}, {"state": "rejected", "problem": "No sound."}, {"expires_at": -1}],
)
def test_only_available_spaces_are_found(space: Space, change: dict[str, object]) -> None:
    make_transcript(space, ["bean"])
    if "expires_at" in change:
        change = {"expires_at": space.ended_at + timedelta(days=6)}  # that is now
    Space.objects.filter(pk=space.pk).update(**change)

    assert find("bean").spaces == []


def test_a_held_space_is_found(space: Space) -> None:
    make_transcript(space, ["bean"])
    Hold.objects.create(space=space, reason="A court asked for it.", placed_by=space.host)
    Space.objects.filter(pk=space.pk).update(expires_at=None)

    assert lines("bean") == ["[bean]"]


@pytest.mark.parametrize("words", ["", "  \n", "?!...", '""', "-", "\x00", "\ud800", "😀", "("])
def test_an_empty_query(words: str) -> None:
    with raises_error(Refused, "search.no_word"):
        find(words)


@pytest.mark.parametrize("words", ["-bean", '-"green bean"', "-a -b", "bean or -pea"])
def test_a_query_of_exclusions_only(words: str) -> None:
    with raises_error(Refused, "search.only_exclusions"):
        find(words)


def test_a_too_long_query_is_refused() -> None:
    with raises_error(Refused, "search.too_long", limit=300):
        find("bean " * 2000)


def test_too_common_words_are_named(space: Space) -> None:
    make_transcript(space, ["The beans and the peas."])

    assert find("the").spaces == []
    assert "english" in find("the").common


ODD = ["a\x00b", "'; DROP TABLE archive_searchline; --", "x:*", "!a & b | (c <-> d)", "a" * 300, "%s %(a)s", "x'\\"]


@pytest.mark.parametrize("words", ODD)
def test_special_characters_are_harmless(space: Space, words: str) -> None:
    make_transcript(space, ["bean"])

    assert lines(words) == []
    assert lines("bean") == ["[bean]"]


def test_a_very_long_line_is_shown_around_the_word(space: Space) -> None:
    make_transcript(space, ["pea " * 20_000 + "bean" + " pea" * 1000], "und")

    assert lines("bean") == []  # beyond the indexed part of a line

    make_transcript(space, ["pea " * 500 + "bean" + " pea" * 500], "und", number=2)
    (line,) = lines("bean")

    assert line.startswith("… ")
    assert line.endswith(" …")
    assert "pea [bean] pea" in line
    assert len(line) == 300 + 6


def test_the_number_of_queries_does_not_grow(alice: User) -> None:
    counts = []
    for more in (2, 8):
        for _ in range(more):
            make_transcript(make_row(alice), ["bean"] * 3, "de")
        with CaptureQueriesContext(connection) as queries:
            assert find("bean").spaces
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 12


def test_a_host_reads_no_lines_of_others(space: Space, bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    make_transcript(make_row(bob), ["Beans of Bob"] * 4)
    make_transcript(space, ["Beans of Alice", "@1 and beans"])
    monkeypatch.setattr("archive.search.find.MAX_RANKED", 3)  # the lines of all hosts together would be truncated

    own = search.search_lines(Space.objects.all(), "beans or tea", host=space.host)
    marked = search.search_lines(Space.objects.all(), f"@{bob.pk}")

    assert [(hit.space, len(hit.lines), own.cut) for hit in own.spaces] == [(space, 2, False)]
    assert bob.pk not in [hit.space.host_id for hit in marked.spaces]


def test_at_most_so_many_lines_are_ranked(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.search.find.MAX_RANKED", 3)
    make_transcript(space, ["bean"] * 4)

    assert (find("bean").line_count, find("bean").cut) == (3, True)


def test_the_callers_statement_timeout_is_kept(space: Space) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '7min'")
        find("bean")
        cursor.execute("SHOW statement_timeout")

        assert cursor.fetchone() == ("7min",)
