"""Send generated requests of every kind of caller to the whole API: no response is a server error, and each conforms to
/api/v1/openapi.json. All checks of schemathesis are on, except for those listed below.

`make test` sends one request per operation and kind of caller. `make fuzz` also tries the limits of every schema, other
methods, missing headers, and chains of operations that use what another operation created. `SCHEMA_EXAMPLES` sets how
many requests each operation gets, and how many chains there are.
"""

import logging
import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from archive import rate_limits
from archive.rate_limits import Caller
from portal.api.app import api
from tests.support.access_world import CALLERS
from tests.support.api_fuzz import EVERY_CALLER, FuzzWorld, send_generated
from tests.support.database import empty_database

EXAMPLES = int(os.environ.get("SCHEMA_EXAMPLES", "0"))
PHASES = ("examples", "coverage", "fuzzing", "stateful") if EXAMPLES else ("fuzzing",)
SAMPLE = {"anon", "owner", "other", "admin", "audit", "tHost", "tBun", "tRev"}
MAY_NOTHING = {"anon", "inact", "tRev", *set(EVERY_CALLER).difference(CALLERS)}
REFUSED_WITH = {"unproven": 403, "limited": 429}
EXCEPTIONS = [
    # An aborted upload can still be read; its state says that it was aborted.
    {"include-path": "/api/v1/uploads/{upload_id}", "checks": {"use_after_free": {"enabled": False}}},
    # A Space has no bundle and cannot be edited before it has content.
    {
        "include-path-regex": r"^/api/v1/spaces/\{space_id\}/(bundle|facts|transcript.*)$",
        "checks": {"ensure_resource_availability": {"enabled": False}},
    },
]
OPTIONS: dict[str, Any] = {
    "seed": 1,
    "continue-on-failure": True,
    # tests/support/api_fuzz.py has a stricter check instead.
    "checks": {"positive_data_acceptance": {"enabled": False}},
    "operations": EXCEPTIONS,
    "generation": {
        "max-examples": EXAMPLES or 1,
        "deterministic": True,
        "database": "none",
        "with-security-parameters": False,  # the caller has credentials
    },
    "phases": {name: {"enabled": name in PHASES} for name in ("examples", "coverage", "fuzzing", "stateful")},
}


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[FuzzWorld]:
    with django_db_blocker.unblock():
        yield FuzzWorld()
        empty_database()


@pytest.fixture(autouse=True)
def no_limits(settings: Any) -> Iterator[None]:
    settings.ALLOWED_HOSTS = ["localhost", "testserver"]
    settings.RATE_LIMITS = {name: (10**6, period) for name, (_, period) in settings.RATE_LIMITS.items()}
    logging.disable(logging.WARNING)  # each refusal is logged as a security event
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize(
    "caller", [pytest.param(name, marks=[] if name in SAMPLE else pytest.mark.long) for name in EVERY_CALLER]
)
def test_generated_requests_cause_no_server_error(caller: str, world: FuzzWorld, settings: Settings) -> None:
    settings.REQUIRE_SECOND_FACTOR = caller == "unproven"
    if caller == "limited":
        settings.RATE_LIMITS = dict.fromkeys(settings.RATE_LIMITS, (1, 10**6))
        rate_limits.count("api", Caller("user", str(world.users[caller].pk)))

    outcome = send_generated(world, caller, OPTIONS)

    sys.stdout.write(f"\n{caller}: {outcome.total.total()} requests, {dict(sorted(outcome.total.items()))}\n")
    if outcome.failures:
        pytest.fail("\n\n".join(f"{what}\n{why}" for what, why in outcome.failures.items()), pytrace=False)
    paths = api.get_openapi_schema()["paths"]
    assert set(outcome.statuses) == {
        f"{method.upper()} {path}" for path, methods in paths.items() for method in methods
    }
    if caller in MAY_NOTHING:
        assert {status for status in outcome.total if status < 400} == set()
    if caller in REFUSED_WITH:
        assert all(statuses[REFUSED_WITH[caller]] for statuses in outcome.statuses.values())
