"""Transcripts that were here before search was: the migration makes them found."""

from importlib import import_module

import pytest
from django.apps import apps

from archive import search
from archive.models import Line, Space, User
from tests.factory import make_row
from tests.spoken import make_transcript

pytestmark = pytest.mark.usefixtures("db")


def migrate() -> None:
    import_module("archive.migrations.0004_index_lines").index(apps, None)


def found(words: str) -> list[Space]:
    return [space.space for space in search.find(Space.objects.all(), words).spaces]


def test_the_newest_transcript_of_each_space_is_found(alice: User) -> None:
    one, two = make_row(alice), make_row(alice)
    make_transcript(one, ["old"])
    make_transcript(one, ["Beans."], number=2)
    make_transcript(two, ["Beans."], "de")
    Line.objects.all().delete()
    assert found("beans") == []

    migrate()

    assert set(found("bean or beans")) == {one, two}
    assert found("old") == []


def test_what_is_indexed_already_is_left_alone(alice: User) -> None:
    make_transcript(make_row(alice), ["Beans."])
    (before,) = Line.objects.values_list("pk", flat=True)

    migrate()

    assert list(Line.objects.values_list("pk", flat=True)) == [before]


def test_an_empty_archive(alice: User) -> None:
    migrate()

    assert not Line.objects.exists()
