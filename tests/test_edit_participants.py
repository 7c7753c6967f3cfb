"""The host adds, renames, links and removes participants, and changes their roles."""

from collections.abc import Sequence

import pytest

from archive.editing.consent import Consent
from archive.editing.facts import SpaceEdit, edit_space, read_editable
from archive.editing.participants import ParticipantEdit
from archive.errors import Conflict, Refused
from archive.models import Space, User
from archive.own_lines import own_cues
from tests.support.editing import make_talk, person_id, read_lines, read_people
from tests.support.errors import raises_error
from tests.support.log_entries import entries, events

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def space(alice: User, bob: User) -> Space:
    """A Space whose participant Tom is linked to the account bob."""
    return make_talk(alice, tom=bob)


def people_of(space: Space, **renamed: str) -> list[ParticipantEdit]:
    """Return all participants unchanged, except for new names: `tom="Thomas"`."""
    rows = space.participants.order_by("id")
    return [ParticipantEdit(p.role, renamed.get(p.name.lower(), p.name), p.account, p.pk) for p in rows]


def save(
    space: Space, by: User, people: Sequence[ParticipantEdit], consent: Consent | None = None, rename: bool = True
) -> bool:
    now = read_editable(Space.objects.get(pk=space.pk))
    return edit_space(space.pk, now.edition, SpaceEdit(now.facts, people, None, rename, consent or Consent()), by)


def own(user: User, space: Space) -> list[str]:
    transcript = space.transcripts.last()
    assert transcript is not None
    return [cue.text for cue in own_cues(user, space.participants.all(), transcript)]


def test_a_participant_is_added_and_linked(space: Space, alice: User, admin: User) -> None:
    assert save(space, alice, [*people_of(space), ParticipantEdit("speaker", " Eve ", "ada")])

    assert read_people(space)[-1] == ("speaker", 2, "Eve", "ada")
    eve = space.participants.get(name="Eve")
    assert eve.user == admin
    assert [(event, sorted(detail)) for event, detail in entries(space)] == [
        ("participant.added", ["name", "participant", "role"]),
        ("participant.linked", ["account", "participant"]),
    ]


def test_a_name_of_no_account_looks_like_a_linked_one(space: Space, alice: User) -> None:
    save(space, alice, [*people_of(space), ParticipantEdit("speaker", "Eve", "nobody")])

    assert read_people(space)[-1] == ("speaker", 2, "Eve", "nobody")
    assert space.participants.get(name="Eve").user is None


def test_a_renamed_participant_takes_their_lines_along(space: Space, alice: User, bob: User) -> None:
    save(space, alice, people_of(space, tom="Tom Baker"))

    transcript = space.transcripts.last()
    assert [speaker for speaker, _ in read_lines(transcript)] == ["Nora", "Tom Baker", "Nora", "Ida"]
    assert own(bob, space) == ["And peas."]
    assert events(space) == ["participant.renamed", "transcript.edited"]


def test_the_transcript_can_be_left_as_it_is(space: Space, alice: User, bob: User) -> None:
    save(space, alice, people_of(space, tom="Tom Baker"), rename=False)

    assert space.transcripts.count() == 1
    assert own(bob, space) == []


def test_a_participant_gets_the_lines_of_another_only_with_consent(space: Space, alice: User, bob: User) -> None:
    without_ida = [person._replace(name="Ida") if person.name == "Tom" else person for person in people_of(space)][:2]

    with raises_error(Conflict, "edit.merges_speakers", names=["Ida"]):
        save(space, alice, without_ida)
    with raises_error(Refused, "edit.gives_lines"):
        save(space, alice, without_ida, Consent(merge=True))
    assert (own(bob, space), events(space)) == (["And peas."], [])

    save(space, alice, without_ida, Consent(merge=True, give_lines=True))
    assert own(bob, space) == ["And peas.", "Why?"]


def test_a_removed_participant_loses_their_lines(space: Space, alice: User, bob: User) -> None:
    tom = person_id(space, "Tom")

    save(space, alice, [person for person in people_of(space) if person.name != "Tom"])

    assert [name for _, _, name, _ in read_people(space)] == ["Nora", "Ida"]
    assert entries(space) == [
        ("participant.unlinked", {"participant": tom, "account": bob.pk}),
        ("participant.removed", {"participant": tom, "role": "cohost"}),
    ]


def test_two_participants_swap_their_roles(space: Space, alice: User) -> None:
    swapped = {"Tom": "speaker", "Ida": "cohost"}

    save(space, alice, [person._replace(role=swapped.get(person.name, person.role)) for person in people_of(space)])

    assert [(role, seat, name) for role, seat, name, _ in read_people(space)] == [
        ("host", 1, "Nora"),
        ("speaker", 1, "Tom"),
        ("cohost", 1, "Ida"),
    ]
    assert [event for event, _ in entries(space)] == ["participant.role_changed", "participant.role_changed"]


def test_an_unlinked_account_can_download_nothing(space: Space, alice: User, bob: User) -> None:
    save(space, alice, [p._replace(account="") if p.name == "Tom" else p for p in people_of(space)])

    assert own(bob, space) == []
    assert events(space) == ["participant.unlinked"]


def test_the_hosts_account_stays(space: Space, alice: User) -> None:
    save(space, alice, [p._replace(account="") if p.role == "host" else p for p in people_of(space)])

    assert read_people(space)[0] == ("host", 1, "Nora", "alice")


def test_the_seats_are_limited(space: Space, alice: User) -> None:
    speakers = [ParticipantEdit("speaker", f"Speaker {n}") for n in range(9)]
    assert save(space, alice, [*people_of(space), *speakers])
    assert save(space, alice, [*people_of(space), ParticipantEdit("cohost", "Felix")])
    assert [role for role, _, _, _ in read_people(space)].count("speaker") == 10

    for role in ("speaker", "cohost"):
        with raises_error(Refused, "intake.too_many_participants"):
            save(space, alice, [*people_of(space), ParticipantEdit(role, "Eve")])


def test_a_form_of_another_tab_does_not_bring_a_removed_participant_back(space: Space, alice: User) -> None:
    opened, old = read_editable(space), people_of(space)
    save(space, alice, [person for person in old if person.name != "Ida"])

    with raises_error(Conflict, "edit.changed_meanwhile"):
        edit_space(space.pk, opened.edition, SpaceEdit(opened.facts, old), alice)


def test_a_new_participant_who_is_sent_twice_is_added_once(space: Space, alice: User) -> None:
    opened, people = read_editable(space), [*people_of(space), ParticipantEdit("speaker", "Eve")]

    assert edit_space(space.pk, opened.edition, SpaceEdit(opened.facts, people), alice)
    assert not edit_space(space.pk, opened.edition, SpaceEdit(opened.facts, people), alice)

    assert [name for _, _, name, _ in read_people(space)] == ["Nora", "Tom", "Ida", "Eve"]


@pytest.mark.parametrize(
    ("person", "code"),
    [
        (ParticipantEdit("host", "Eve"), "edit.one_host"),
        (ParticipantEdit("speaker", " "), "intake.name_invalid"),
        (ParticipantEdit("speaker", "x" * 101), "intake.name_invalid"),
        (ParticipantEdit("speaker", "Eve", "x" * 151), "participant.account_too_long"),
        (ParticipantEdit("speaker", "Eve", "bob"), "edit.account_twice"),
        (ParticipantEdit("speaker", "Eve", "", 2**40), "edit.changed_meanwhile"),
    ],
)
def test_who_can_not_be_saved_is_refused(space: Space, alice: User, person: ParticipantEdit, code: str) -> None:
    with raises_error(Refused, code):
        save(space, alice, [*people_of(space), person])

    assert (len(read_people(space)), events(space)) == (3, [])


def test_a_space_keeps_its_host(space: Space, alice: User) -> None:
    with raises_error(Refused, "edit.one_host"):
        save(space, alice, people_of(space)[1:])
