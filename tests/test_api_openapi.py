"""The OpenAPI schema: public, complete, without secrets."""

import json
from typing import Any

import pytest
from django.conf import settings

from archive.models import User
from tests.support.api_client import ApiClient

pytestmark = pytest.mark.django_db


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
    client = ApiClient(user=alice)
    space = client.announce().json["id"]

    def begin(size: float) -> int:
        return client.post(f"/spaces/{space}/uploads", {"kind": "recording", "name": "a.m4a", "size": size}).status

    assert (begin(10.5), begin(10.0)) == (422, 201)
