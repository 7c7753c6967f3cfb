"""Only the host may edit a Space, and only before its deadline. Flags and holds allow edits, and evidence does not
change."""

from collections.abc import Callable

import pytest

from archive.editing.corrections import Correction, correct_lines
from archive.editing.facts import SpaceEdit, edit_space, read_editable
from archive.editing.participants import ParticipantEdit
from archive.editing.speakers import rename_speakers
from archive.errors import Conflict, Refused, TooLate, make_problem
from archive.models import Space, User
from archive.moderation import holds
from archive.moderation.evidence import Lines
from archive.moderation.violations import flag
from archive.retention.purge import begin, purge
from archive.storage import keys, store
from tests.support.deadlines import make_due
from tests.support.editing import make_talk
from tests.support.errors import raises_error
from tests.support.log_entries import events

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def space(alice: User) -> Space:
    return make_talk(alice)


def correct(space: Space, by: User) -> None:
    correct_lines(space.pk, 1, [Correction(1, "Broad beans.")], by)


def rename(space: Space, by: User) -> None:
    rename_speakers(space.pk, 1, {"Tom": "Thomas"}, by)


def edit_facts(space: Space, by: User) -> None:
    now = read_editable(space)
    people = [ParticipantEdit(p.role, p.name, p.account, p.pk) for p in now.participants]
    edit_space(space.pk, now.edition, SpaceEdit(now.facts, [*people, ParticipantEdit("speaker", "Eve")]), by)


EDITS = [correct, rename, edit_facts]
Edit = Callable[[Space, User], None]


def is_unchanged(space: Space) -> bool:
    prefix = store().listing(keys.prefix(space.pk))
    return space.transcripts.count() == 1 and space.participants.count() == 3 and not prefix.versions


@pytest.mark.parametrize("edit", EDITS)
def test_nobody_but_the_host_edits(space: Space, edit: Edit, bob: User, admin: User, auditor: User) -> None:
    space.participants.filter(name="Tom").update(user=bob, account="bob")
    for stranger in (bob, admin, auditor):
        with raises_error(Refused, "edit.not_the_host"):
            edit(space, stranger)

    assert is_unchanged(space)
    assert events(space) == []


@pytest.mark.parametrize("edit", EDITS)
def test_an_account_that_is_switched_off_edits_nothing(space: Space, edit: Edit, alice: User) -> None:
    alice.is_active = False

    with raises_error(Refused, "edit.not_the_host"):
        edit(space, alice)


@pytest.mark.parametrize("edit", EDITS)
def test_after_the_deadline_nothing_is_edited(space: Space, edit: Edit, alice: User) -> None:
    make_due(space)

    with raises_error(TooLate, "edit.too_late"):
        edit(space, alice)

    assert begin(space.pk)
    with raises_error(TooLate, "edit.too_late"):
        edit(space, alice)
    assert is_unchanged(space)


@pytest.mark.parametrize("edit", EDITS)
def test_a_rejected_or_unfinished_recording_is_not_edited(space: Space, edit: Edit, alice: User) -> None:
    Space.objects.filter(pk=space.pk).update(state="processing")
    with raises_error(Conflict, "edit.not_available", state="processing"):
        edit(space, alice)

    Space.objects.filter(pk=space.pk).update(state="rejected", problem=make_problem("work.gave_up"))
    with raises_error(Conflict, "edit.rejected"):
        edit(space, alice)
    assert is_unchanged(space)


@pytest.mark.parametrize("edit", EDITS)
def test_a_flagged_space_on_hold_is_edited_and_the_evidence_stays(
    space: Space, edit: Edit, alice: User, admin: User
) -> None:
    violation = flag(space.pk, "spam", "Beans for sale.", admin, Lines(1, (1, 2)))
    holds.place(space.pk, "A court asks.", admin)

    edit(space, alice)

    violation.refresh_from_db()
    assert [(line["line"], line["speaker"], line["text"]) for line in violation.evidence] == [
        (1, "Nora", "Broad beens."),
        (2, "Tom", "And peas."),
    ]
    assert violation.evidence_transcript_number == 1
    cited = space.transcripts.get(number=1)
    assert [cue["text"] for cue in cited.cues[:2]] == ["Broad beens.", "And peas."]


def test_an_admin_cites_lines_of_a_version_that_was_edited_meanwhile(space: Space, alice: User, admin: User) -> None:
    correct(space, alice)

    violation = flag(space.pk, "spam", "Beans for sale.", admin, Lines(1, (1,)))

    assert violation.evidence[0]["text"] == "Broad beens."


def test_an_admin_edits_their_own_space(admin: User) -> None:
    own = make_talk(admin)

    correct(own, admin)

    assert own.transcripts.count() == 2


def test_the_deletion_removes_every_version(space: Space, alice: User) -> None:
    correct(space, alice)
    rename_speakers(space.pk, 2, {"Tom": "Thomas"}, alice)
    assert len(store().listing(keys.prefix(space.pk)).versions) == 2
    make_due(space)

    assert purge(space.pk)

    assert not store().listing(keys.prefix(space.pk)).versions
    assert space.transcripts.count() == 0
