"""Every error below /api/v1 is a JSON problem (RFC 9457), never an HTML page."""

import json
from typing import Any

import pytest
from django.test import override_settings

from archive.intake.uploads import sessions
from archive.models import User
from tests.support.api_client import ApiClient, make_recorder
from tests.support.object_stores import UNREACHABLE, override_store

pytestmark = pytest.mark.django_db


@pytest.fixture
def caller(db: None, alice: User) -> ApiClient:
    return ApiClient(user=alice)


@pytest.mark.parametrize("path", ["", "/", "/nothing", "/spaces/not-an-id", "/spaces/", "/docs", "/uploads/1/parts"])
def test_an_unknown_address_is_404(path: str) -> None:
    refused = ApiClient().get(path)

    assert (refused.status, refused.json["title"]) == (404, "Not Found")
    assert refused.code == "api.not_found"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/spaces", "POST"),
        ("GET", "/spaces", "POST"),
        ("OPTIONS", "/uploads", "GET"),
        ("PUT", "/uploads/00000000-0000-0000-0000-000000000000", "GET, DELETE"),
    ],
)
def test_a_wrong_method_is_405(method: str, path: str, allowed: str, caller: ApiClient) -> None:
    refused = caller.ask(method, path)

    assert (refused.status, refused.code) == (405, "api.method_not_allowed")
    assert sorted(refused.headers["Allow"].split(", ")) == sorted(allowed.split(", "))


@pytest.mark.parametrize("body", ["{", "nonsense", '{"a": ' * 100_000])
def test_a_body_that_is_not_json(body: str, caller: ApiClient) -> None:
    refused = caller.ask("POST", "/spaces", body)

    assert (refused.status, refused.code) == (400, "api.bad_request")


@pytest.mark.parametrize("body", ["[]", "1", "null", '{"ended_at": NaN}', '{"title": ' + "[" * 100 + "]" * 100 + "}"])
def test_a_body_that_does_not_match_the_schema(body: str, caller: ApiClient) -> None:
    refused = caller.ask("POST", "/spaces", body)

    assert refused.status == 422
    assert refused.code == "api.invalid"
    assert refused.json["errors"][0]["loc"][0] == "body"


@pytest.mark.parametrize("type", ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "text/plain"])
def test_a_body_without_the_json_content_type(type: str, caller: ApiClient) -> None:
    refused = caller.ask("POST", "/spaces", '{"a": 1}', type)

    assert (refused.status, "application/json" in refused.words) == (415, True)


def test_a_body_that_is_too_big(caller: ApiClient) -> None:
    refused = caller.ask("POST", "/spaces", json.dumps({"title": "x" * 2_700_000}))

    assert (refused.status, "parts to the store" in refused.words) == (413, True)


def test_a_session_without_its_csrf_token(caller: ApiClient) -> None:
    caller.headers = {}

    refused = caller.announce()

    assert (refused.status, "CSRF token is missing or old" in refused.words) == (403, True)
    assert caller.get("/uploads").status == 200


def test_a_token_needs_no_csrf_token(alice: User, admin: User) -> None:
    assert make_recorder(admin)[0].announce(host="alice").status == 201


def test_the_store_is_down(caller: ApiClient) -> None:
    space = caller.announce().json["id"]

    with override_store(**UNREACHABLE):
        refused = caller.begin(space, b"RIFF")

    assert (refused.status, "object store does not work" in refused.words) == (503, True)
    assert refused.headers["Retry-After"] == "30"
    assert caller.begin(space, b"RIFF").status == 201


def test_an_unexpected_exception(caller: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "part_size", lambda size: 1 // 0)
    caller.client.raise_request_exception = False
    space = caller.announce().json["id"]

    refused = caller.begin(space, b"RIFF")

    assert (refused.status, "Nothing was lost" in refused.words) == (500, True)
    assert b"ZeroDivision" not in refused.body


def test_an_unknown_host_header(caller: ApiClient) -> None:
    refused = caller.ask("GET", "/uploads", Host="evil.example")

    assert (refused.status, refused.words) == (400, "The request is not valid.")


@override_settings(DEBUG=True)
@pytest.mark.parametrize(("method", "path"), [("GET", "/nothing"), ("DELETE", "/spaces")])
def test_debug_mode_answers_with_problems_too(method: str, path: str, caller: ApiClient) -> None:
    assert caller.ask(method, path).type == "application/problem+json"


@pytest.mark.parametrize("path", ["/uploads", "/nothing", "/openapi.json"])
def test_responses_are_not_cached(path: str, caller: ApiClient) -> None:
    assert caller.get(path).headers["Cache-Control"] == "no-store"


def test_pages_keep_their_own_errors(caller: ApiClient) -> None:
    assert caller.client.get("/nothing").headers["Content-Type"].startswith("text/html")


def test_problems_follow_rfc_9457(caller: ApiClient) -> None:
    answer = caller.get("/nothing")
    problem: dict[str, Any] = answer.json

    assert problem == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "There is nothing at this address, or it is not yours to see.",
        "code": "api.not_found",
        "request_id": answer.headers["X-Request-ID"],
    }
