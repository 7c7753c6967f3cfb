"""Send requests to the API that schemathesis generates, as each kind of caller, and collect statuses and failures.

No operation is named here. Path parameters get ids of a world with every kind of row (access_world.py), ids of the
caller's own rows, and invented ones.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from http.cookies import SimpleCookie
from itertools import chain
from typing import Any

import pytest
import schemathesis
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application
from django.db import connections
from schemathesis import Case, CheckContext, Response
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.transport.wsgi import WSGI_TRANSPORT

from archive import dbtime
from archive.accounts.closing import close_account
from archive.bundles import exports
from archive.errors import make_problem
from archive.models import RecorderToken, UploadSession, User
from tests.support.access_world import CALLERS, AccessWorld
from tests.support.factory import make_contents, make_row, make_user
from tests.support.http_clients import session_cookie

NETWORK_ONLY = ("max_redirects", "verify", "cert", "proxies")

EVERY_CALLER = (*CALLERS, "expired", "closed", "ended", "link", "invented", "unproven", "limited")


class FuzzWorld(AccessWorld):
    """More callers. "expired": an expired token; "closed": the session of a closed account; "ended": a session that was
    ended; "link": the token of a download link; "invented": a token that never existed; "unproven": an admin without
    the required second factor; "limited": a host who has reached all limits."""

    def __init__(self) -> None:
        super().__init__()
        for name in ("closed", "ended", "limited", "unproven"):
            self.users[name] = make_user(name, "admins" if name == "unproven" else "")
            self.cookies[name] = session_cookie(self.users[name])
        close_account(self.users["closed"].pk, None)
        User.objects.filter(username="ended").update(password="!")  # a new password ends all sessions
        link = self.addresses["/download/{token}/{name}.zip"].split("/")[2]
        self.bearers = {name: text for name, (_, text) in self.tokens.items()} | {"link": link, "invented": "skr_0_0"}

    def headers(self, caller: str) -> dict[str, str]:
        """Return the caller's credentials, as a browser or a recorder sends them."""
        if caller in self.bearers:
            return {"Authorization": f"Bearer {self.bearers[caller]}"}
        cookies = [f"{settings.CSRF_COOKIE_NAME}={self.csrf}", self.cookies.get(caller, "")]
        return {"Cookie": "; ".join(filter(None, cookies)), "X-CSRFToken": self.csrf}

    def ids(self, caller: str) -> dict[str, list[str]]:
        """Return {path parameter: ids that exist}: those of the world, and of new rows of the caller."""
        ids = {name: [str(value)] for name, value in self.values.items()}
        token = self.tokens[caller][0] if caller in self.tokens else None
        host = self.users["owner"] if token else self.users.get(caller)
        for name, value in _own_rows(host, token) if host else []:
            ids[name].append(str(value))
        return ids


def _own_rows(host: User, token: RecorderToken | None) -> list[tuple[str, Any]]:
    """Create a Space with content, one that waits for its recording, an open and a rejected upload, and an export."""
    space, receiving = make_row(host, recorder=token), make_row(host, state="receiving", recorder=token)
    make_contents(space)
    by: dict[str, Any] = {"recorder": token} if token else {"created_by": host}
    file = {"size": 10, "part_size": 5, "name": "a.vtt", "upload_id": "u", **by}
    upload = UploadSession.objects.create(space=receiving, kind="recording", key=f"open {space.pk}", **file)
    rejected = UploadSession.objects.create(
        space=space,
        kind="transcript",
        key=f"rejected {space.pk}",
        state="rejected",
        etag="e",
        problem=make_problem("api.other"),
        **file,
    )
    export = exports.request(host, 2 * 10**9)
    return [
        *(("space_id", space.pk), ("space_id", receiving.pk)),
        *(("upload_id", upload.pk), ("upload_id", rejected.pk), ("export_id", export.pk)),
    ]


@dataclass
class Outcome:
    """`statuses`: {operation: {status: count}}. `failures`: {problem: an example}."""

    statuses: dict[str, Counter[int]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def total(self) -> Counter[int]:
        return sum(self.statuses.values(), Counter())


def send_generated(world: FuzzWorld, caller: str, options: dict[str, Any]) -> Outcome:
    """Run schemathesis as this caller. `options`: its configuration."""
    ended_at = (dbtime.now() - timedelta(days=1)).isoformat()
    values: dict[str, list[Any]] = {f"path.{name}": ids for name, ids in world.ids(caller).items()}
    # A generated body names a host who exists, a recent end, and parts of the upload.
    values |= {"body.host": ["owner"], "body.ended_at": [ended_at], "body.parts[*].number": [1, 2]}
    config = SchemathesisConfig.from_dict(
        {
            "headers": world.headers(caller),
            "dictionaries": {name: {"values": known} for name, known in values.items()},
            "parameters": {name: {"dictionary": name, "probability": 0.7} for name in values},
            **options,
        }
    )
    schema = schemathesis.openapi.from_wsgi(
        "/api/v1/openapi.json", SharedConnection(), config=config, headers=world.headers("owner")
    )
    outcome = Outcome()
    with _in_process():
        for event in from_schema(schema).execute():
            _note(outcome, event)
    return outcome


@contextmanager
def _in_process() -> Iterator[None]:
    """Share the test's connection with the threads of schemathesis, and repair its WSGI client: that loses the Cookie
    header, does not decompress responses, and fails on network settings when a check sends a second request."""
    send, connection = WSGI_TRANSPORT.send, connections["default"]

    def send_in_process(case: Case[Any], **options: Any) -> Response:
        options = {name: value for name, value in options.items() if name not in NETWORK_ONLY}
        options["headers"] = dict(options.get("headers") or {}) | {"Accept-Encoding": "identity"}
        cookies = SimpleCookie(options["headers"].pop("Cookie", ""))
        options["cookies"] = (options.get("cookies") or {}) | {name: one.value for name, one in cookies.items()}
        return send(case, **options)

    connection.inc_thread_sharing()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(WSGI_TRANSPORT, "send", send_in_process)
            yield
    finally:
        connection.dec_thread_sharing()


def _note(outcome: Outcome, event: events.EngineEvent) -> None:
    match event:
        case events.ScenarioFinished():
            _note_scenario(outcome, event.recorder)
        case events.NonFatalError():
            outcome.failures[f"{event.label}: {event.info.title}"] = event.info.format()
        case events.FatalError():
            raise event.exception


def _note_scenario(outcome: Outcome, recorder: ScenarioRecorder) -> None:
    for case_id, interaction in recorder.interactions.items():
        operation = recorder.cases[case_id].value.operation.label
        if interaction.response is not None:
            outcome.statuses.setdefault(operation, Counter())[interaction.response.status_code] += 1
    for check in chain.from_iterable(recorder.checks.values()):
        if check.failure_info is not None:
            failure = check.failure_info.failure
            label = f"{failure.operation}: {check.name}: {failure.title}"
            outcome.failures.setdefault(label, f"{failure.message}\n{check.failure_info.code_sample}")


@schemathesis.check
def accepts_what_its_schema_allows(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """Replace `positive_data_acceptance`. A request that fits the schema may be refused for its meaning, such as an end
    in the future, but not for its form."""
    if case.meta and case.meta.generation.mode.is_positive and response.status_code in (400, 422):
        problem = response.json()
        assert problem["code"] not in ("api.invalid", "api.bad_request"), problem


class SharedConnection:
    """The site as a WSGI application that uses the test's connection in every thread. Connections of the threads of
    schemathesis would stay open."""

    def __init__(self) -> None:
        self.connection = connections["default"]

    def __call__(self, *request: Any) -> Any:
        connections["default"] = self.connection
        return application()(*request)


@cache
def application() -> WSGIHandler:
    return get_wsgi_application()
