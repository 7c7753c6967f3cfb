"""Health check for load balancers and orchestrators, as a WSGI application of its own.

`gunicorn portal.health` runs it apart from the portal, with nothing but the database settings: however busy clients
keep the portal's threads, it answers.
"""

import json
import os
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

from django.db import OperationalError, connection


def check() -> tuple[HTTPStatus, dict[str, Any]]:
    """200 when PostgreSQL answers, else 503. The site can run for a while without the store and the broker."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except OperationalError:
        return HTTPStatus.SERVICE_UNAVAILABLE, {"ok": False, "database": "unreachable"}
    return HTTPStatus.OK, {"ok": True}


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    connection.close_if_unusable_or_obsolete()  # as Django does before a request of its own
    status, facts = check()
    body = json.dumps(facts).encode()
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
    ]
    start_response(f"{status.value} {status.phrase}", headers)
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]
