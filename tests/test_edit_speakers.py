"""A host renames and merges speakers. Linked participants keep their lines, and get more lines only with consent."""

import pytest

from archive.editing.consent import Consent
from archive.editing.speakers import rename_speakers
from archive.errors import Conflict, Refused
from archive.models import Participant, Space, User
from archive.own_lines import own_cues
from tests.support.editing import make_talk, read_lines, read_people
from tests.support.errors import raises_error
from tests.support.log_entries import entries, events

pytestmark = pytest.mark.usefixtures("db")

MERGE, GIVE, BOTH = Consent(merge=True), Consent(give_lines=True), Consent(merge=True, give_lines=True)


@pytest.fixture
def space(alice: User, bob: User) -> Space:
    """A Space whose participant Tom is linked to the account bob."""
    return make_talk(alice, tom=bob)


def own(user: User, space: Space) -> list[str]:
    transcript = space.transcripts.last()
    assert transcript is not None
    return [cue.text for cue in own_cues(user, space.participants.all(), transcript)]


def test_a_renamed_speaker_keeps_their_lines_and_their_account(space: Space, alice: User, bob: User) -> None:
    made = rename_speakers(space.pk, 1, {"Tom": "Tom Baker"}, alice)

    assert (made.number, made.edited_from) == (2, 1)
    assert [speaker for speaker, _ in read_lines(made)] == ["Nora", "Tom Baker", "Nora", "Ida"]
    assert read_people(space)[1] == ("cohost", 1, "Tom Baker", "bob")
    assert own(bob, space) == ["And peas."]


def test_the_log_has_ids_and_commitments(space: Space, alice: User) -> None:
    tom = space.participants.get(name="Tom").pk

    made = rename_speakers(space.pk, 1, {"Tom": "Tom Baker"}, alice)

    # printf '"Tom Baker"' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0b0b...
    name = "d4d8942428b568ed8e8a526bb03fcf2c15a9b46c784db933ddff537827fa5a10"
    assert entries(space) == [
        ("participant.renamed", {"participant": tom, "name": name}),
        (
            "transcript.edited",
            {
                "number": 2, "edited_from": 1, "lines": 1, "speakers": 1, "language": "en", "source": "given",
                "size": made.size, "sha256": made.sha256,
            },
        ),
    ]  # fmt: skip


def test_two_speakers_swap_their_names(space: Space, alice: User, bob: User) -> None:
    made = rename_speakers(space.pk, 1, {"Tom": "Ida", "Ida": "Tom"}, alice)

    assert [speaker for speaker, _ in read_lines(made)] == ["Nora", "Ida", "Nora", "Tom"]
    assert [name for _, _, name, _ in read_people(space)] == ["Nora", "Ida", "Tom"]
    assert own(bob, space) == ["And peas."]  # the same line as before: the participant was renamed along


def test_a_merge_needs_consent(space: Space, alice: User) -> None:
    with raises_error(Conflict, "edit.merges_speakers", names=["Nora"]):
        rename_speakers(space.pk, 1, {"Ida": " NORA "}, alice)

    assert (space.transcripts.count(), events(space)) == (1, [])

    made = rename_speakers(space.pk, 1, {"Ida": " NORA "}, alice, MERGE)
    assert [speaker for speaker, _ in read_lines(made)] == ["Nora", "Tom", "Nora", "Nora"]  # as the others have it
    assert [name for _, _, name, _ in read_people(space)] == ["Nora", "Tom", "Ida"]


def test_a_merge_gives_a_linked_account_lines_only_with_consent(space: Space, alice: User, bob: User) -> None:
    gain = {"code": "edit.gain", "params": {"name": "Tom", "account": "bob", "lines": 1}}
    with raises_error(Refused, "edit.gives_lines", people=[gain]):
        rename_speakers(space.pk, 1, {"Ida": "Tom"}, alice, MERGE)

    assert own(bob, space) == ["And peas."]

    rename_speakers(space.pk, 1, {"Ida": "Tom"}, alice, BOTH)
    assert own(bob, space) == ["And peas.", "Why?"]


def test_a_linked_account_gets_no_lines_by_the_rename_of_a_stranger(space: Space, alice: User, bob: User) -> None:
    """Tom has no line, and "Speaker 1" is renamed to Tom: this is no merge, but would give the account new lines."""
    rename_speakers(space.pk, 1, {"Tom": "Nora"}, alice, MERGE)
    assert own(bob, space) == []

    with raises_error(Refused, "edit.gives_lines"):
        rename_speakers(space.pk, 2, {"Ida": "Tom"}, alice)

    rename_speakers(space.pk, 2, {"Ida": "Tom"}, alice, GIVE)
    assert own(bob, space) == ["Why?"]


def test_the_answer_does_not_tell_whether_the_account_exists(space: Space, alice: User) -> None:
    Participant.objects.filter(name="Tom").update(account="nobody", user=None)
    # As in test_a_merge_gives_a_linked_account_lines_only_with_consent, except for the name that the host gave.
    gain = {"code": "edit.gain", "params": {"name": "Tom", "account": "nobody", "lines": 1}}

    with raises_error(Refused, "edit.gives_lines", people=[gain]):
        rename_speakers(space.pk, 1, {"Ida": "Tom"}, alice, MERGE)


def test_a_participant_whose_speaker_was_merged_keeps_their_name(space: Space, alice: User, bob: User) -> None:
    """Two participants of the same name could not be told apart, so neither could download their lines."""
    rename_speakers(space.pk, 1, {"Tom": "Ida"}, alice, MERGE)

    assert [name for _, _, name, _ in read_people(space)] == ["Nora", "Tom", "Ida"]
    assert own(bob, space) == []


def test_lines_without_a_speaker_get_one(space: Space, alice: User) -> None:
    space.transcripts.update(cues=[{"start_ms": 0, "end_ms": 900, "speaker": "", "text": "So."}])

    made = rename_speakers(space.pk, 1, {"": "Eve"}, alice)

    assert read_lines(made) == [("Eve", "So.")]


def test_spellings_of_one_speaker_are_renamed_together(space: Space, alice: User) -> None:
    cues = [{"start_ms": n, "end_ms": n + 1, "speaker": name, "text": "So."} for n, name in enumerate(["tom", "Tom "])]
    space.transcripts.update(cues=cues)

    made = rename_speakers(space.pk, 1, {"Tom": "Thomas"}, alice)

    assert read_lines(made) == [("Thomas", "So."), ("Thomas", "So.")]


def test_the_second_of_two_tabs_is_refused(space: Space, alice: User) -> None:
    rename_speakers(space.pk, 1, {"Tom": "Thomas"}, alice)

    with raises_error(Conflict, "edit.transcript_changed", base=1, newest=2):
        rename_speakers(space.pk, 1, {"Ida": "Ines"}, alice)

    assert rename_speakers(space.pk, 1, {"Tom": "Thomas"}, alice).number == 2  # the same again
    assert [name for _, _, name, _ in read_people(space)] == ["Nora", "Thomas", "Ida"]


@pytest.mark.parametrize(
    ("names", "code"),
    [
        ({"Eve": "Ida"}, "edit.no_such_speaker"),
        ({"Tom": "Eve", "tom ": "Ada"}, "edit.speaker_named_twice"),
        ({"Tom": " "}, "intake.name_invalid"),
        ({"Tom": "x" * 101}, "edit.speaker_too_long"),
    ],
)
def test_what_can_not_be_saved_is_refused(space: Space, alice: User, names: dict[str, str], code: str) -> None:
    with raises_error(Refused, code):
        rename_speakers(space.pk, 1, names, alice)

    assert (space.transcripts.count(), events(space)) == (1, [])
