"""The OpenAPI schema: public, complete, without secrets."""

import json
from typing import Any

import pytest
from django.conf import settings

from tests.support.api_client import ApiClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def said() -> dict[str, Any]:
    answer = ApiClient().get("/openapi.json")
    assert (answer.status, answer.type) == (200, "application/json")
    found: dict[str, Any] = answer.json
    return found


def test_the_schema_is_public_and_names_no_secret(said: dict[str, Any]) -> None:
    text = json.dumps(said)

    hidden = (settings.SECRET_KEY, settings.S3["secret_key"], settings.S3["access_key"], settings.S3_ENDPOINT_URL)
    assert [secret for secret in hidden if str(secret) in text] == []
    assert said["info"]["title"] == "Spacekeep"


def test_the_schema_names_both_authentication_methods(said: dict[str, Any]) -> None:
    assert said["components"]["securitySchemes"] == {
        "RecorderToken": {"type": "http", "scheme": "bearer"},
        "Session": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
    }


def test_every_error_is_a_problem(said: dict[str, Any]) -> None:
    errors = [
        response["content"]
        for methods in said["paths"].values()
        for operation in methods.values()
        for status, response in operation["responses"].items()
        if int(status) >= 400
    ]

    assert len(errors) > 50
    assert {tuple(content) for content in errors} == {("application/problem+json",)}


def test_every_operation_has_a_description(said: dict[str, Any]) -> None:
    operations = [operation for methods in said["paths"].values() for operation in methods.values()]

    assert [o["operationId"] for o in operations if not o.get("summary") or not o.get("tags")] == []
