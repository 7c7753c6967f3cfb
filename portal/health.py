"""Health checks for load balancers and orchestrators, and metrics, as a WSGI application of its own.

`gunicorn portal.health` runs it in a process of its own, so that it answers even if clients occupy all threads of the
portal.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import django
from django.apps import apps

if not apps.ready:
    django.setup()

from django.db import connection

from portal import metrics_access, readiness, status_metrics
from portal.checks import stop_if_wrong
from portal.processes import HEALTH

stop_if_wrong(serves_as=[HEALTH], asks_database=False)  # what the database lacks is what /readyz says

Environ = dict[str, Any]
Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Answer:
    status: HTTPStatus
    body: bytes
    content_type: str = "application/json"
    headers: Headers = ()

    @classmethod
    def of(cls, status: HTTPStatus, facts: readiness.Facts, headers: Headers = ()) -> "Answer":
        return cls(status, json.dumps(facts).encode(), headers=headers)


def renew_connection() -> None:
    """Close an old or broken connection, as Django does before each request; it is opened again when needed."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()


def live(environ: Environ) -> Answer:
    return Answer.of(*readiness.live())


def ready(environ: Environ) -> Answer:
    renew_connection()
    return Answer.of(*readiness.ready())


def check(environ: Environ) -> Answer:
    renew_connection()
    return Answer.of(*readiness.check())


def metrics(environ: Environ) -> Answer:
    """Serve the metrics of PostgreSQL and the broker (portal/status_metrics.py) to callers with METRICS_TOKEN."""
    status = metrics_access.refusal(environ.get("HTTP_AUTHORIZATION", ""))
    if status is not None:
        headers = (metrics_access.CHALLENGE,) if status == HTTPStatus.UNAUTHORIZED else ()
        return Answer.of(status, {"ok": False}, headers)
    renew_connection()
    text = status_metrics.scrape()
    if text is None:
        return Answer.of(HTTPStatus.SERVICE_UNAVAILABLE, {"ok": False})
    return Answer(HTTPStatus.OK, text, metrics_access.CONTENT_TYPE)


def not_found(environ: Environ) -> Answer:
    return Answer.of(HTTPStatus.NOT_FOUND, {"ok": False})


ANSWERS = {"/livez": live, "/readyz": ready, "/healthz": check, "/metrics": metrics}


def application(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
    answer = ANSWERS.get(environ["PATH_INFO"], not_found)(environ)
    headers = [
        ("Content-Type", answer.content_type),
        ("Content-Length", str(len(answer.body))),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
        *answer.headers,
    ]
    start_response(f"{answer.status.value} {answer.status.phrase}", headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]
