"""The id of a request: in each of its log lines, in the response's X-Request-ID, on error pages, and in log lines of
the work that it caused (archive/tasks.py).

A trusted proxy may have set the id. Without a well-formed id, the middleware creates one.
"""

import re
import secrets
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.signals import request_finished
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars

from portal.log_lines import current_request

HEADER = "X-Request-ID"
WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestIdMiddleware:
    """Set the id before other middleware runs, so that their log lines have it too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = find_id(request)
        clear_contextvars()
        bind_contextvars(request_id=request_id)
        current_request.set(request)
        response = self.get_response(request)
        response.headers[HEADER] = request_id
        return response


def find_id(request: HttpRequest) -> str:
    sent = request.headers.get(HEADER, "") if settings.BEHIND_PROXY else ""
    return sent if WELL_FORMED.fullmatch(sent) else secrets.token_hex(16)


def current_id() -> str:
    """Return the id of the request that this thread answers, or that caused its current work; "" if there is none."""
    return str(get_contextvars().get("request_id", ""))


@receiver(request_finished)
def forget(**kwargs: Any) -> None:
    """Clear the id after the last byte of the response: log lines of a streamed body have the id, those of the thread's
    next request don't."""
    clear_contextvars()
    current_request.set(None)
