"""A host corrects lines of a transcript: several corrections are one new version, and earlier versions never change."""

from typing import Any

import pytest

from archive.editing.corrections import Correction, correct_lines
from archive.errors import Conflict, Refused
from archive.models import LogEntry, SearchLine, Space, Transcript, User
from archive.storage import keys, store
from tests.support.factory import make_row
from tests.support.log_entries import events
from tests.support.transcripts import make_transcript

pytestmark = pytest.mark.usefixtures("db")

LINES = [("Nora", "Broad beens."), ("Tom", "And peas."), ("Nora", "Sow them early.")]


@pytest.fixture
def space(alice: User) -> Space:
    space = make_row(alice, title="Seeds")
    make_transcript(space, LINES)
    return space


def texts(transcript: Transcript) -> list[tuple[str, str]]:
    return [(cue["speaker"], cue["text"]) for cue in transcript.cues]


def stored_keys(space: Space) -> set[str]:
    return {version.key for version in store().listing(keys.prefix(space.pk)).versions}


def test_corrections_of_one_sitting_are_one_new_version(space: Space, alice: User) -> None:
    corrections = [Correction(1, "Broad beans."), Correction(2, speaker="Ida"), Correction(3, "Sow them  late.\n")]

    made = correct_lines(space.pk, 1, corrections, alice)

    first, second = space.transcripts.all()
    assert second == made
    assert texts(first) == LINES
    assert texts(second) == [("Nora", "Broad beans."), ("Ida", "And peas."), ("Nora", "Sow them late.")]
    assert [(cue["start_ms"], cue["end_ms"]) for cue in second.cues] == [(0, 900), (1000, 1900), (2000, 2900)]
    assert (second.number, second.edited_from, second.source, second.uploaded_by) == (2, 1, "given", alice)
    assert (first.edited_from, first.line_count, second.line_count) == (None, 3, 3)


def test_a_new_version_is_stored_as_an_uploaded_one(space: Space, alice: User) -> None:
    made = correct_lines(space.pk, 1, [Correction(1, "Broad beans.")], alice)

    assert stored_keys(space) == {made.key}
    assert store().read(made.key, 0, made.size, made.etag).decode() == (
        "WEBVTT\n"
        "\n00:00:00.000 --> 00:00:00.900\n<v Nora>Broad beans.\n"
        "\n00:00:01.000 --> 00:00:01.900\n<v Tom>And peas.\n"
        "\n00:00:02.000 --> 00:00:02.900\n<v Nora>Sow them early.\n"
    )


def test_search_finds_the_new_version(space: Space, alice: User) -> None:
    made = correct_lines(space.pk, 1, [Correction(1, "Runner zucchini.")], alice)

    assert set(SearchLine.objects.filter(space=space).values_list("transcript", flat=True)) == {made.pk}


def test_the_log_has_numbers_and_no_words(space: Space, alice: User) -> None:
    made = correct_lines(space.pk, 1, [Correction(1, "Runner zucchini."), Correction(2, speaker="Ida")], alice)

    entry = LogEntry.objects.get(space_id=space.pk)
    assert (entry.event, entry.actor_id) == ("transcript.edited", alice.pk)
    assert entry.detail == {
        "number": 2, "edited_from": 1, "lines": 2, "speakers": 0, "language": "en", "source": "given",
        "size": made.size, "sha256": made.sha256,
    }  # fmt: skip


def test_the_second_of_two_tabs_is_refused_and_changes_nothing(space: Space, alice: User) -> None:
    correct_lines(space.pk, 1, [Correction(1, "Broad beans.")], alice)

    with pytest.raises(Conflict) as error:
        correct_lines(space.pk, 1, [Correction(3, "Sow them late.")], alice)

    assert error.value.problem == {"code": "edit.transcript_changed", "params": {"base": 1, "newest": 2}}
    assert texts(space.transcripts.get(number=2))[2] == ("Nora", "Sow them early.")
    assert len(stored_keys(space)) == 1


def test_the_same_corrections_twice_are_one_version(space: Space, alice: User) -> None:
    once = correct_lines(space.pk, 1, [Correction(1, "Broad beans.")], alice)

    again = correct_lines(space.pk, 1, [Correction(1, "Broad beans.")], alice)

    assert again == once
    assert space.transcripts.count() == 2
    assert events(space) == ["transcript.edited"]


@pytest.mark.parametrize("corrections", [[], [Correction(1, "Broad beens. ")], [Correction(2, speaker="Tom")]])
def test_nothing_to_change_is_no_version(space: Space, alice: User, corrections: list[Correction]) -> None:
    assert correct_lines(space.pk, 1, corrections, alice).number == 1

    assert (space.transcripts.count(), events(space)) == (1, [])


@pytest.mark.parametrize(
    ("base", "corrections", "code"),
    [
        (1, [Correction(4, "More.")], "edit.no_such_line"),
        (1, [Correction(0, "More.")], "edit.no_such_line"),
        (1, [Correction(1, "a"), Correction(1, "b")], "edit.line_twice"),
        (1, [Correction(1, " \n ")], "edit.line_empty"),
        (1, [Correction(1, "x" * 10_001)], "edit.line_too_long"),
        (1, [Correction(1, speaker="x" * 101)], "edit.speaker_too_long"),
        (1, [Correction(1, "x")] * 401, "edit.too_many_corrections"),
        (2, [Correction(1, "x")], "edit.no_such_version"),
        (99_999, [Correction(1, "x")], "edit.no_such_version"),
    ],
)
def test_what_can_not_be_saved_is_refused(space: Space, alice: User, base: int, corrections: Any, code: str) -> None:
    with pytest.raises(Refused) as error:
        correct_lines(space.pk, base, corrections, alice)

    assert error.value.code == code
    assert (space.transcripts.count(), stored_keys(space), events(space)) == (1, set(), [])


def test_an_edit_of_an_automatic_transcript_stays_automatic(space: Space, alice: User) -> None:
    Transcript.objects.filter(space=space).update(source="automatic")

    made = correct_lines(space.pk, 1, [Correction(1, "Broad beans.")], alice)

    assert (made.source, made.edited_from) == ("automatic", 1)


def test_a_host_without_room_is_refused(space: Space, alice: User, settings: Any) -> None:
    settings.MAX_HOST_BYTES = 100

    with pytest.raises(Conflict) as error:
        correct_lines(space.pk, 1, [Correction(1, "Broad beans.")], alice)

    assert error.value.code == "upload.host_full"
    assert (space.transcripts.count(), stored_keys(space)) == (1, set())


def test_a_transcript_has_at_most_200_versions(space: Space, alice: User) -> None:
    Transcript.objects.filter(space=space).update(number=200)

    with pytest.raises(Conflict) as error:
        correct_lines(space.pk, 200, [Correction(1, "Broad beans.")], alice)

    assert error.value.code == "edit.too_many_versions"
    assert stored_keys(space) == set()
