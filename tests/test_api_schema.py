"""The whole API with generated requests: no server error, and every response matches /api/v1/openapi.json.

`SCHEMA_EXAMPLES` sets how many requests each operation gets in each way; `make fuzz` takes many.
"""

import os
from functools import cache
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance, unsupported_method

from archive.models import Export, Space, User
from portal.api.app import api
from tests.support.api_client import ALL_SCOPES, ApiClient, make_recorder
from tests.support.factory import make_contents

EXAMPLES = int(os.environ.get("SCHEMA_EXAMPLES", "3"))
OPERATIONS = [
    "create_space",
    "get_space",
    "create_upload",
    "list_uploads",
    "get_upload",
    "sign_parts",
    "complete_upload",
    "accept_partial",
    "delete_upload",
    "create_bundle",
    "get_bundle",
    "create_export",
    "get_export",
]
# Values that fit the schema may be refused all the same (an end in the future, a Space that is not there).
# Each of our addresses answers 405 where it should; test_api_problems.py shows it without a hundred requests.
LEFT_OUT = [positive_data_acceptance, unsupported_method]


@pytest.fixture
def schema(committed: None, settings: Any) -> Any:
    settings.ALLOWED_HOSTS = ["localhost", "testserver"]
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application())


@cache
def application() -> WSGIHandler:
    return get_wsgi_application()


def test_every_operation_is_tested() -> None:
    paths = api.get_openapi_schema()["paths"]

    assert sorted(o["operationId"] for methods in paths.values() for o in methods.values()) == sorted(OPERATIONS)


@pytest.mark.parametrize("way", ["token", "session"])
@pytest.mark.parametrize("id", OPERATIONS)
def test_generated_requests_cause_no_server_error(id: str, way: str, schema: Any, alice: User, admin: User) -> None:
    caller = ApiClient(user=alice) if way == "session" else make_recorder(admin, hosts=(alice,), scopes=ALL_SCOPES)[0]
    space = caller.announce(host="alice").json["id"]
    upload = caller.begin(space, b"x" * 1000, kind="transcript").json["id"]
    if id.endswith(("_bundle", "_export")):
        Space.objects.update(state="available")
        make_contents(Space.objects.get())
    export = Export.objects.create(host=alice, max_part_size=2 * 10**9).pk
    operation = schema.find_operation_by_id(id)
    given_path = [{}, {"space_id": space, "upload_id": upload, "export_id": str(export)}]
    # Invented credentials are tested with tokens; with a session, the check would take the valid one for invented.
    excluded = [*LEFT_OUT, ignored_auth] if way == "session" else LEFT_OUT
    headers, cookies = caller.headers, {c.key: c.value for c in caller.client.cookies.values()}

    @examples(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def call(data: st.DataObject) -> None:
        mode = data.draw(st.sampled_from(list(GenerationMode)))
        path = data.draw(st.sampled_from(given_path))
        named = {name: value for name, value in path.items() if f"{{{name}}}" in operation.path}
        case = data.draw(operation.as_strategy(mode, path_parameters=named or None))
        case.cookies = dict(cookies)  # it makes up a session and a token of its own, as the schema names them
        case.headers.pop("Authorization", None)
        response = case.call(headers=headers)
        assert response.status_code != 401
        case.validate_response(response, excluded_checks=excluded, headers=headers)

    call()
