"""The host edits title, start, listeners, audience and the language of the transcript."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from archive.editing.facts import Facts, SpaceEdit, edit_space, read_editable
from archive.editing.participants import ParticipantEdit
from archive.errors import Conflict, Refused
from archive.models import Space, User
from portal.presenters.log import history
from tests.support.editing import make_talk, read_lines
from tests.support.errors import raises_error
from tests.support.log_entries import entries, events

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def space(alice: User) -> Space:
    return make_talk(alice)


def edition(space: Space) -> str:
    return read_editable(Space.objects.get(pk=space.pk)).edition


def edit_of(space: Space, **changes: Any) -> SpaceEdit:
    """Return an edit with only this change."""
    now = read_editable(Space.objects.get(pk=space.pk))
    people = [ParticipantEdit(p.role, p.name, p.account, p.pk) for p in now.participants]
    language = changes.pop("language", now.language)
    return SpaceEdit(replace(now.facts, **changes), people, language)


def save(space: Space, by: User, **changes: Any) -> bool:
    return edit_space(space.pk, edition(space), edit_of(space, **changes), by)


def test_all_facts_change_at_once_and_the_deadline_stays(space: Space, alice: User) -> None:
    before = Space.objects.get(pk=space.pk)
    started_at = (before.ended_at - timedelta(minutes=90)).replace(microsecond=0)

    assert save(
        space, alice, title=" Seeds\n and beans ", audience="followed", started_at=started_at, listeners_peak=41,
        listeners_total=900,
    )  # fmt: skip

    after = Space.objects.get(pk=space.pk)
    assert (after.title, after.audience, after.started_at) == ("Seeds and beans", "followed", started_at)
    assert (after.listeners_peak, after.listeners_total) == (41, 900)
    assert (after.ended_at, after.expires_at, after.state) == (before.ended_at, before.expires_at, "available")
    assert space.transcripts.count() == 1


def test_the_end_is_no_fact_that_can_be_edited() -> None:
    assert set(Facts.__dataclass_fields__) == {
        *("title", "audience", "started_at", "listeners_peak", "listeners_total"),
    }


def test_the_log_names_the_fields_and_no_words(space: Space, alice: User) -> None:
    save(space, alice, title="Beans", listeners_peak=41)

    # printf '"Beans"' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0b0b...
    title = "8b53558a2d4f6c3c0b037bd04a9533a5c0d29b9321df19650efd9b622eca8c1b"
    assert entries(space) == [("space.edited", {"fields": ["listeners_peak", "title"], "title": title})]
    (line,) = history(space, space.host)
    assert (line.label, line.note) == ("Facts edited", "peak listeners, title")


def test_the_language_is_a_new_version_of_the_transcript(space: Space, alice: User) -> None:
    save(space, alice, language="de")

    first, second = space.transcripts.all()
    assert (first.language, second.language, second.edited_from) == ("en", "de", 1)
    assert read_lines(first) == read_lines(second)
    assert second.key.endswith(".de.vtt")
    assert second.lines.values_list("config", flat=True).distinct().get() == "german"
    assert [(event, detail["lines"]) for event, detail in entries(space)] == [("transcript.edited", 0)]


def test_without_a_transcript_there_is_no_language_to_save(space: Space, alice: User) -> None:
    space.transcripts.all().delete()

    assert not save(space, alice, language="de")

    assert events(space) == []


def test_the_second_of_two_tabs_is_refused_and_changes_nothing(space: Space, alice: User) -> None:
    opened, mine = edition(space), edit_of(space, listeners_peak=41)
    save(space, alice, title="Beans")

    with raises_error(Conflict, "edit.changed_meanwhile"):
        edit_space(space.pk, opened, mine, alice)

    assert Space.objects.get(pk=space.pk).listeners_peak is None


def test_the_same_edit_twice_counts_once(space: Space, alice: User) -> None:
    opened, mine = edition(space), edit_of(space, title="Beans")

    assert edit_space(space.pk, opened, mine, alice)
    assert not edit_space(space.pk, opened, mine, alice)

    assert events(space) == ["space.edited"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"title": "x" * 301}, "intake.title_too_long"),
        ({"title": "\ud800"}, "intake.invalid_text"),
        ({"audience": "nobody"}, "edit.bad_audience"),
        ({"listeners_peak": -1}, "intake.listeners_invalid"),
        ({"listeners_total": 2**63}, "intake.listeners_invalid"),
        ({"language": "x"}, "upload.bad_language"),
    ],
)
def test_what_can_not_be_saved_is_refused(space: Space, alice: User, changes: dict[str, Any], code: str) -> None:
    with raises_error(Refused, code):
        save(space, alice, **changes)

    assert events(space) == []


@pytest.mark.parametrize(
    ("before_end", "code"),
    [(timedelta(0), "edit.started_after_end"), (timedelta(days=8), "edit.started_too_early")],
)
def test_a_start_that_can_not_be(space: Space, alice: User, before_end: timedelta, code: str) -> None:
    with raises_error(Refused, code):
        save(space, alice, started_at=space.ended_at - before_end)
