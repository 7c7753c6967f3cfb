"""Evidence quotes transcript lines by number, and stores their text."""

import json
from datetime import timedelta

import pytest

from archive.errors import Refused
from archive.models import Space, Transcript, User
from archive.moderation.evidence import Lines, context_lines, parse
from archive.moderation.violations import flag
from tests.support.errors import raises_error
from tests.support.factory import make_row
from tests.support.log_entries import event_detail
from tests.support.transcripts import make_transcript

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def space(alice: User) -> Space:
    """A Space whose transcript has a line every 20 seconds."""
    space = make_row(alice, ended_ago=timedelta(days=10))
    spoken = make_transcript(space, ["Beans.", "Peas.", "Watches!", "Cheap watches!", "Kale.", "Leek.", "Chard."])
    for number, cue in enumerate(spoken.cues):
        cue |= {"start_ms": number * 20_000, "end_ms": number * 20_000 + 5000, "speaker": "Ida"}
    spoken.save()
    return space


def test_an_admin_cites_no_transcript_of_their_own(space: Space, admin: User, second_admin: User) -> None:
    space.transcripts.update(uploaded_by=admin)

    with raises_error(Refused, "evidence.own_transcript"):
        flag(space.pk, "spam", "They sold watches.", admin, Lines(1, (3,)))

    assert flag(space.pk, "spam", "They sold watches.", second_admin, Lines(1, (3,))).evidence[0]["text"] == "Watches!"
    assert flag(space.pk, "spam", "They sold watches.", admin).evidence == []


@pytest.mark.parametrize(
    ("typed", "numbers"),
    [
        ("", ()),
        ("3", (3,)),
        (" 12, 14-16 ", (12, 14, 15, 16)),
        ("16\u201317;2\n2", (2, 16, 17)),
        ("4-4", (4,)),
    ],
)
def test_line_numbers_as_people_write_them(typed: str, numbers: tuple[int, ...]) -> None:
    assert parse(typed) == numbers


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("x", "evidence.not_a_line"),
        ("-1", "evidence.not_a_line"),
        ("1.5", "evidence.not_a_line"),
        ("9-3", "evidence.bad_range"),
        ("1-999999", "evidence.bad_range"),
        ("1-150, 201-300", "evidence.too_many_lines"),
    ],
)
def test_invalid_ranges_are_refused(typed: str, code: str) -> None:
    with raises_error(Refused, code):
        parse(typed)


def test_the_lines_are_stored_with_the_flag(space: Space, admin: User) -> None:
    violation = flag(space.pk, "spam", "It sold watches.", admin, Lines(1, (3, 4)))
    Transcript.objects.update(cues=[])

    violation.refresh_from_db()
    assert violation.evidence == [
        {"line": 3, "start_ms": 40_000, "end_ms": 45_000, "speaker": "Ida", "text": "Watches!"},
        {"line": 4, "start_ms": 60_000, "end_ms": 65_000, "speaker": "Ida", "text": "Cheap watches!"},
    ]
    assert violation.evidence_transcript_number == 1
    logged = event_detail(space, "violation.flagged")
    assert logged["lines"] == 2
    assert "atches" not in json.dumps(logged)


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (Lines(1, (3, 8)), "evidence.no_such_line"),
        (Lines(1, (0,)), "evidence.no_such_line"),
        (Lines(2, (3,)), "evidence.no_transcript"),
    ],
)
def test_unknown_lines_are_refused(space: Space, admin: User, lines: Lines, code: str) -> None:
    with raises_error(Refused, code):
        flag(space.pk, "spam", "It sold watches.", admin, lines)

    assert not space.violations.exists()


def test_too_long_evidence_is_refused(space: Space, admin: User) -> None:
    transcript = space.transcripts.get()
    transcript.cues[0]["text"] = "x" * 50_001
    transcript.save()

    with raises_error(Refused, "evidence.too_long", limit=50_000):
        flag(space.pk, "spam", "It sold watches.", admin, Lines(1, (1,)))


def test_evidence_is_shown_with_30_seconds_of_context(space: Space, admin: User) -> None:
    violation = flag(space.pk, "spam", "It sold watches.", admin, Lines(1, (3, 4)))

    near = context_lines([violation])[violation.pk]

    assert [(line.number, line.cited, line.cue.text) for line in near] == [
        (2, False, "Peas."),
        (3, True, "Watches!"),
        (4, True, "Cheap watches!"),
        (5, False, "Kale."),
    ]


def test_evidence_outlives_its_transcript(space: Space, admin: User) -> None:
    violation = flag(space.pk, "spam", "It sold watches.", admin, Lines(1, (3,)))
    Transcript.objects.update(number=2)

    near = context_lines([violation])[violation.pk]

    assert [(line.number, line.cited, line.cue.text) for line in near] == [(3, True, "Watches!")]
    assert context_lines([flag(space.pk, "spam", "No lines.", admin)]) == {}
