"""Which words of a transcript are indexed."""

import pytest

from archive import search
from archive.models import SearchLine, Space, User
from tests.support.factory import make_row
from tests.support.transcripts import make_transcript

pytestmark = pytest.mark.usefixtures("db")


def vectors(space: Space) -> list[str]:
    """Return the search vectors without the mark of the host, which each has."""
    found = SearchLine.objects.filter(space=space).order_by("number").values_list("vector", flat=True)
    mark = f"'@{space.host_id}'"
    assert all(mark in vector.split(" ") for vector in found)
    return [" ".join(word for word in vector.split(" ") if word != mark) for vector in found]


@pytest.fixture
def space(alice: User) -> Space:
    return make_row(alice)


def test_a_line_is_indexed_with_its_neighbors(space: Space) -> None:
    make_transcript(space, ["Welcome to the", "seed library, friends.", "...", "Beans!"])

    assert vectors(space) == [
        "'friend':6 'librari':5 'seed':4 'welcom':1A",
        "'friend':6A 'librari':5A 'seed':4A 'welcom':1",
        "'bean':4 'friend':3 'librari':2 'seed':1",
        "'bean':1A",
    ]


@pytest.mark.parametrize(
    ("language", "config", "vector"),
    [
        ("de-AT", "german", "'apfel':2A"),
        ("EN", "english", "'apfel':2A 'die':1A"),
        ("und", "simple", "'apfel':2A 'die':1A"),
        ("pl", "simple", "'apfel':2A 'die':1A"),
    ],
)
def test_each_language_has_its_own_stemming(space: Space, language: str, config: str, vector: str) -> None:
    make_transcript(space, ["Die ÄPFEL"], language)

    assert (vectors(space), SearchLine.objects.get().config) == ([vector], config)


def test_only_the_newest_transcript_is_found(space: Space) -> None:
    first = make_transcript(space, ["Old.", "Older."])
    second = make_transcript(space, ["New."], number=2)
    search.index_transcript(first)

    assert [(line.transcript_id, line.number) for line in SearchLine.objects.filter(space=space)] == [(second.pk, 0)]


@pytest.mark.parametrize(
    "text", ["", "   ", "?!", "x" * 5000, "\x01\ufffd", "a\u0301" * 3000, "\U0001f600", "<b>&amp;"]
)
def test_a_line_may_be_anything(space: Space, text: str) -> None:
    make_transcript(space, ["Pears", text, "plums"])

    before, here, after = vectors(space)
    assert "'pear':1A" in before
    assert "'pear':1 " in f"{here} "
    assert "A" in after


def test_a_whole_talk_in_one_line(space: Space) -> None:
    """Three lines, each with as many different words as a line can have."""
    talk = " ".join(f"{chr(0x20000 + n)}" for n in range(40_000))
    make_transcript(space, [talk, talk, talk])

    assert SearchLine.objects.count() == 3


def test_long_transcripts_have_no_seams(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    words = [f"word{n}" for n in range(7)]
    make_transcript(space, words, "und")
    whole = vectors(space)
    monkeypatch.setattr("archive.search.index.BATCH", 2)
    make_transcript(space, words, "und", number=2)

    assert vectors(space) == whole
    assert whole[2] == "'word1':1 'word2':2A 'word3':3"
