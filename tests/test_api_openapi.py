"""The OpenAPI schema: public, complete, without secrets."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings

from archive.models import User
from tests.support.api_client import ApiClient
from tests.support.editing import make_talk
from tests.support.factory import make_user
from tests.support.rows import reload_space

pytestmark = pytest.mark.django_db

BLANK = ("\t", "\n", "\v", "\r", "\x1c", "\x1f", " ", "\x85", "\xa0", "\u1680", "\u2007", "\u2029", "\u202f", "\u3000")


@pytest.fixture
def schema() -> dict[str, Any]:
    answer = ApiClient().get("/openapi.json")
    assert (answer.status, answer.type) == (200, "application/json")
    document: dict[str, Any] = answer.json
    return document


def test_the_schema_is_public_and_names_no_secret(schema: dict[str, Any]) -> None:
    text = json.dumps(schema)

    hidden = (settings.SECRET_KEY, settings.S3["secret_key"], settings.S3["access_key"], settings.S3_ENDPOINT_URL)
    assert [secret for secret in hidden if str(secret) in text] == []
    assert schema["info"]["title"] == "Spacekeep"


def test_the_schema_names_both_authentication_methods(schema: dict[str, Any]) -> None:
    assert schema["components"]["securitySchemes"] == {
        "RecorderToken": {"type": "http", "scheme": "bearer"},
        "Session": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
    }


def test_every_error_is_a_problem(schema: dict[str, Any]) -> None:
    errors = [
        response["content"]
        for methods in schema["paths"].values()
        for operation in methods.values()
        for status, response in operation["responses"].items()
        if int(status) >= 400
    ]

    assert len(errors) > 50
    assert {tuple(content) for content in errors} == {("application/problem+json",)}


def test_every_operation_has_a_description(schema: dict[str, Any]) -> None:
    operations = [operation for methods in schema["paths"].values() for operation in methods.values()]

    assert [o["operationId"] for o in operations if not o.get("summary") or not o.get("tags")] == []


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_the_schema_is_only_read(method: str, alice: User) -> None:
    answer = ApiClient(user=alice).ask(method, "/openapi.json")

    assert (answer.status, answer.headers["Allow"], answer.code) == (405, "GET, HEAD", "api.method_not_allowed")


def test_headers_have_the_names_that_are_sent(schema: dict[str, Any]) -> None:
    operations = [operation for methods in schema["paths"].values() for operation in methods.values()]
    headers = {p["name"] for o in operations for p in o.get("parameters", []) if p["in"] == "header"}

    assert headers == {"Idempotency-Key"}


def test_a_number_without_a_fraction_is_an_integer(alice: User) -> None:
    client, space = ApiClient(user=alice), make_talk(alice)
    facts = client.get(f"/spaces/{space.pk}/facts").json
    people = [{"id": float(p["id"]), "role": p["role"], "name": p["name"]} for p in facts["participants"]]
    receiving = client.announce(listeners_peak=3.0, listeners_total=1e2).json["id"]

    def upload(size: float) -> int:
        return client.post(f"/spaces/{receiving}/uploads", {"kind": "recording", "name": "a.m4a", "size": size}).status

    def correct(base: float, line: float) -> int:
        body = {"base": base, "corrections": [{"line": line, "text": "Broad beans."}]}
        return client.post(f"/spaces/{space.pk}/transcript/corrections", body).status

    def rename(base: float) -> int:
        return client.post(f"/spaces/{space.pk}/transcript/speakers", {"base": base, "names": {"Ida": "Ines"}}).status

    edited = {"edition": facts["edition"], "participants": people, "listeners_total": 12.0}
    assert client.send_json("PATCH", f"/spaces/{space.pk}/facts", edited).status == 200
    assert [correct(1.5, 1), correct(1, 1.5), correct(1.0, 1.0)] == [422, 422, 200]
    assert [rename(2.5), rename(2.0)] == [422, 200]
    assert [upload(10.5), upload(10.0)] == [422, 201]
    assert client.post("/exports", {"max_part_size": 2e9}).code == "export.nothing"
    assert reload_space(space).listeners_total == 12


def test_a_pattern_means_the_same_in_every_language(schema: dict[str, Any]) -> None:
    """What \\s, \\d and \\w match differs between Python, JavaScript and Rust."""
    patterns = set(find_patterns(schema))

    assert len(patterns) > 5
    assert [pattern for pattern in patterns if re.search(r"\\[sSdDwWbB]", pattern)] == []


def test_keys_without_their_pattern_are_refused_by_the_schema_too(schema: dict[str, Any], alice: User) -> None:
    dicts = [node for node in walk(schema) if "patternProperties" in node]
    names = schema["components"]["schemas"]["SpeakersIn"]["properties"]["names"]
    space = make_talk(alice)

    answer = ApiClient(user=alice).post(
        f"/spaces/{space.pk}/transcript/speakers", {"base": 1, "names": {"Ida\x00": "Ines"}}
    )

    assert (answer.status, answer.code) == (422, "api.invalid")
    assert names in dicts
    assert [node for node in dicts if node.get("additionalProperties") is not False] == []
    assert list(names["patternProperties"]) == [r"^[^\x00]*$"]


def walk(node: Any) -> Iterator[dict[str, Any]]:
    """Each object of a JSON document."""
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from walk(child)


def find_patterns(node: Any) -> Iterator[str]:
    for one in walk(node):
        if isinstance(one.get("pattern"), str):
            yield one["pattern"]
        yield from one.get("patternProperties", ())


@pytest.mark.parametrize(
    ("name", "is_name"), [*((blank, False) for blank in BLANK), ("\ufeff", True), (" a\x85", True)]
)
def test_the_pattern_of_a_name_allows_what_the_api_accepts(schema: dict[str, Any], name: str, is_name: bool) -> None:
    written = schema["components"]["schemas"]["Person"]["properties"]["name"]["pattern"]

    accepted = ApiClient(user=make_user("eve")).announce(host_name=name)

    assert bool(re.search(written, name)) == is_name
    assert accepted.status == (201 if is_name else 422)
