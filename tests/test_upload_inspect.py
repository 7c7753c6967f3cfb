"""Before it sends a recording, the upload page learns the names in the transcript, and whether a recording with this
end can still be accepted."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from archive import dbtime
from archive.intake.transcripts.speakers import find_speaker_names
from archive.models import Space, User
from tests.support.factory import make_row
from tests.support.http_clients import make_client

pytestmark = pytest.mark.usefixtures("db")

VTT = """WEBVTT

00:00.000 --> 00:01.000
<v nora>Beans first.

00:01.000 --> 00:02.000
<v Felix  Brandt>Peas.

00:02.000 --> 00:03.000
<v NORA>Beans again.

00:03.000 --> 00:04.000
No name.

00:04.000 --> 00:05.000
<v Priya>Sweet peas.
"""


def inspect(user: User, **files: tuple[str, str]) -> dict[str, Any]:
    uploaded = {field: SimpleUploadedFile(name, text.encode()) for field, (name, text) in files.items()}
    answer = make_client(user).post("/upload/inspect", {"recording": "space-1ab.ts", **uploaded})
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


def metadata(days_ago: float) -> tuple[str, str]:
    space = {"id": "1ab", "endedAt": (dbtime.now() - timedelta(days=days_ago)).isoformat(), "totalParticipated": "12"}
    return "spaces-metadata.js", f"window.YTD.spaces_metadata.part0 = {json.dumps([space])}"


def test_the_names_in_the_transcript_are_offered(alice: User) -> None:
    facts = inspect(alice, transcript=("talk.vtt", VTT), file=("talk.vtt", VTT[:30]))

    assert facts["transcript_speakers"] == ["nora", "Felix Brandt", "Priya"]
    assert (facts["end_problem"], facts["end_problem_code"]) == ("", "")


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (VTT.encode()[:-25], ["nora", "Felix Brandt"]),  # truncated in its last line
        (b'{"segments": [{"start": 0, "end": 1, "text": "Be', []),
        (b"\x00\xff no transcript", []),
        (b"", []),
    ],
)
def test_a_transcript_may_be_cut_off_or_unreadable(data: bytes, names: list[str]) -> None:
    assert find_speaker_names(data) == names


@pytest.mark.parametrize(
    ("days_ago", "code"), [(1, ""), (29.9, ""), (30.1, "intake.deadline_passed"), (-1, "intake.end_in_future")]
)
def test_an_end_that_cannot_be_accepted_has_its_reason(alice: User, days_ago: float, code: str) -> None:
    facts = inspect(alice, file=metadata(days_ago))

    assert facts["listeners_total"] == 12
    assert facts["end_problem_code"] == code
    assert bool(facts["end_problem"]) is bool(code)


def test_a_clock_that_is_ahead_keeps_nothing_longer(alice: User) -> None:
    """The upload page and recorders send this same request."""
    before, ahead = dbtime.now(), (dbtime.now() + timedelta(seconds=50)).isoformat()

    answer = make_client(alice).post("/api/v1/spaces", json.dumps({"ended_at": ahead}), content_type="application/json")

    assert answer.status_code == 201
    space = Space.objects.get()
    assert before <= space.ended_at <= dbtime.now()
    assert space.expires_at == space.ended_at + timedelta(days=30)


def test_the_host_can_be_matched_to_a_name_in_the_transcript(alice: User) -> None:
    body = {"ended_at": dbtime.now().isoformat(), "host_name": "nora", "speakers": ["Priya"]}

    answer = make_client(alice).post("/api/v1/spaces", json.dumps(body), content_type="application/json")

    assert answer.status_code == 201
    people = Space.objects.get().participants.values_list("role", "name", "account", "user")
    assert list(people) == [("host", "nora", "alice", alice.pk), ("speaker", "Priya", "", None)]


def test_an_empty_name_of_the_host_is_refused(alice: User) -> None:
    body = {"ended_at": dbtime.now().isoformat(), "host_name": "  "}

    answer = make_client(alice).post("/api/v1/spaces", json.dumps(body), content_type="application/json")

    assert answer.status_code == 422
    assert not Space.objects.exists()


def typed(user: User, **fields: str) -> dict[str, str] | None:
    answer = make_client(user).post("/upload/inspect", fields)
    assert answer.status_code == 200
    twin: dict[str, str] | None = answer.json()["twin"]
    return twin


def test_a_space_with_the_same_title_and_end_is_named(alice: User, bob: User, admin: User) -> None:
    ended_at = dbtime.now().replace(microsecond=0) - timedelta(days=3)
    space = make_row(alice, title="Seeds", ended_at=ended_at)
    twin = {"title": "Seeds", "url": f"/spaces/{space.pk}/"}
    fields = {"title": " seeds ", "ended_at": (ended_at + timedelta(seconds=50)).isoformat()}

    assert typed(alice, **fields) == twin
    assert typed(admin, **fields, host="alice") == twin
    assert typed(admin, **fields) is None
    assert typed(bob, **fields, host="alice") is None
    assert typed(alice, **fields | {"ended_at": (ended_at + timedelta(minutes=2)).isoformat()}) is None
    assert typed(alice, **fields | {"title": "Seed"}) is None


@pytest.mark.parametrize("fields", [{}, {"title": "Seeds"}, {"ended_at": "soon", "title": "a"}, {"title": "\x00"}])
def test_without_a_title_and_an_end_there_is_no_twin(fields: dict[str, str], alice: User) -> None:
    assert typed(alice, **fields) is None
    assert typed(alice, **{"ended_at": "9999-12-31T23:59:59Z", "title": "a"} | fields) is None


def test_facts_of_files_name_a_twin_too(alice: User) -> None:
    ended_at = dbtime.now().replace(microsecond=0) - timedelta(days=3)
    space = make_row(alice, title="Seeds", ended_at=ended_at)
    facts = [{"id": "1ab", "endedAt": ended_at.isoformat(), "title": "Seeds"}]
    file = ("spaces-metadata.js", f"window.YTD.spaces_metadata.part0 = {json.dumps(facts)}")

    assert inspect(alice, file=file)["twin"] == {"title": "Seeds", "url": f"/spaces/{space.pk}/"}
