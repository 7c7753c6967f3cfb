"""API operations with which a host edits a Space."""

from typing import Any

import pytest

from archive import recorders
from archive.models import Space, User
from tests.support.api_client import ApiClient, ApiResponse
from tests.support.deadlines import make_due
from tests.support.editing import make_talk, person_id, read_lines, read_people
from tests.support.factory import make_row
from tests.support.rows import reload_space

pytestmark = pytest.mark.usefixtures("db")

BODIES: dict[tuple[str, str], Any] = {
    ("GET", "facts"): None,
    ("PATCH", "facts"): {"edition": "x", "title": "Beans"},
    ("GET", "transcript"): None,
    ("POST", "transcript/corrections"): {"base": 1, "corrections": [{"line": 1, "text": "Broad beans."}]},
    ("POST", "transcript/speakers"): {"base": 1, "names": {"Tom": "Thomas"}},
}


@pytest.fixture
def space(alice: User, bob: User) -> Space:
    return make_talk(alice, tom=bob)


@pytest.fixture
def host(alice: User) -> ApiClient:
    return ApiClient(user=alice)


def call(client: ApiClient, space: Space, method: str, part: str, body: Any = None) -> ApiResponse:
    path = f"/spaces/{space.pk}/{part}"
    return client.get(path) if method == "GET" else client.send_json(method, path, body)


@pytest.mark.parametrize(("method", "part"), BODIES)
def test_only_the_host_edits_with_a_session(
    space: Space, method: str, part: str, alice: User, bob: User, admin: User, auditor: User
) -> None:
    body = BODIES[method, part]
    for stranger in (bob, admin, auditor):
        assert call(ApiClient(user=stranger), space, method, part, body).status == 404
    token = recorders.create_token("studio", 30, admin, for_anybody=True)[1]
    refused = call(ApiClient(token=token), space, method, part, body)
    assert (refused.status, refused.code) == (403, "api.host_session_needed")
    assert space.transcripts.count() == 1

    make_due(space)
    assert call(ApiClient(user=alice), space, method, part, body).status == 410


@pytest.mark.parametrize(("method", "part"), BODIES)
def test_there_is_nothing_to_edit_before_the_space_is_available(
    method: str, part: str, alice: User, host: ApiClient
) -> None:
    receiving = make_row(alice, state="receiving")

    assert call(host, receiving, method, part, BODIES[method, part]).status == 404


def test_facts_are_read_and_edited(space: Space, host: ApiClient) -> None:
    before = call(host, space, "GET", "facts").json
    assert [(p["role"], p["name"], p["account"]) for p in before["participants"]] == [
        ("host", "Nora", "alice"),
        ("cohost", "Tom", "bob"),
        ("speaker", "Ida", ""),
    ]
    assert (before["title"], before["language"], before["started_at"]) == ("Seeds", "en", None)
    start = f"{(space.ended_at).date()}T00:00:00Z"

    after = call(host, space, "PATCH", "facts", {"edition": before["edition"], "title": "Beans", "started_at": start})

    assert (after.status, after.json["title"], after.json["participants"]) == (200, "Beans", before["participants"])
    assert reload_space(space).started_at is not None
    again = call(host, space, "PATCH", "facts", {"edition": before["edition"], "title": "Peas"})
    assert (again.status, again.code) == (409, "edit.changed_meanwhile")
    assert reload_space(space).title == "Beans"


def test_participants_are_replaced(space: Space, host: ApiClient) -> None:
    edition = call(host, space, "GET", "facts").json["edition"]
    people = [
        {"id": person_id(space, "Nora"), "role": "host", "name": "Nora"},
        {"id": person_id(space, "Tom"), "role": "speaker", "name": "Tom Baker", "account": "bob"},
        {"role": "speaker", "name": "Eve"},
    ]

    assert call(host, space, "PATCH", "facts", {"edition": edition, "participants": people}).status == 200

    assert read_people(space) == [
        ("host", 1, "Nora", "alice"),
        ("speaker", 1, "Tom Baker", "bob"),
        ("speaker", 2, "Eve", ""),
    ]
    assert [speaker for speaker, _ in read_lines(space.transcripts.last())] == ["Nora", "Tom Baker", "Nora", "Ida"]


def test_lines_and_speakers_are_read_and_corrected(space: Space, host: ApiClient) -> None:
    before = call(host, space, "GET", "transcript").json
    assert before["lines"][1] == {"line": 2, "start_ms": 1000, "end_ms": 1900, "speaker": "Tom", "text": "And peas."}
    assert before["speakers"] == [{"name": n, "lines": c} for n, c in (("Nora", 2), ("Tom", 1), ("Ida", 1))]

    corrections = [{"line": 1, "text": "Broad beans."}, {"line": 4, "speaker": "Ines"}]
    made = call(host, space, "POST", "transcript/corrections", {"base": 1, "corrections": corrections})
    assert (made.status, made.json["number"], made.json["edited_from"]) == (200, 2, 1)
    renamed = call(host, space, "POST", "transcript/speakers", {"base": 2, "names": {"Tom": "Thomas"}})
    assert (renamed.status, renamed.json["number"], renamed.json["line_count"]) == (200, 3, 4)
    assert read_lines(space.transcripts.last()) == [
        ("Nora", "Broad beans."), ("Thomas", "And peas."), ("Nora", "Sow them early."), ("Ines", "Why?"),
    ]  # fmt: skip

    late = call(host, space, "POST", "transcript/corrections", {"base": 1, "corrections": [{"line": 3, "text": "So."}]})
    assert (late.status, late.code) == (409, "edit.transcript_changed")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"base": 1, "names": {"Ida": "Tom"}}, 409, "edit.merges_speakers"),
        ({"base": 1, "names": {"Ida": "Tom"}, "merge": True}, 422, "edit.gives_lines"),
        ({"base": 1, "names": {"Ida": "Tom"}, "merge": True, "give_lines": True}, 200, ""),
        ({"base": 1, "names": {}}, 422, "api.invalid"),
        ({"base": "1", "names": {"Ida": "Ines"}}, 422, "api.invalid"),
        ({"base": 7, "names": {"Ida": "Ines"}}, 422, "edit.no_such_version"),
    ],
)
def test_merges_need_consent(space: Space, host: ApiClient, body: Any, status: int, code: str) -> None:
    answer = call(host, space, "POST", "transcript/speakers", body)

    assert (answer.status, answer.code if status != 200 else "") == (status, code)


def test_the_end_is_no_field(space: Space, host: ApiClient) -> None:
    edition = call(host, space, "GET", "facts").json["edition"]

    answer = call(host, space, "PATCH", "facts", {"edition": edition, "ended_at": "2026-01-01T00:00:00Z"})

    assert (answer.status, answer.code) == (422, "api.invalid")


def test_edits_are_limited(space: Space, host: ApiClient, settings: Any) -> None:
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"edit": (1, 3600)}

    statuses = [
        call(host, space, "POST", "transcript/speakers", {"base": 1, "names": {"Tom": "Tom"}}).status for _ in range(2)
    ]

    assert statuses == [200, 429]
