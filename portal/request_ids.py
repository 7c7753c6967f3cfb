"""The id of a request: in each line that is logged about it, in the answer's X-Request-ID, on error pages, and in the
lines of the work that it caused (archive/tasks.py).

A proxy that we trust may have given the request an id already. Otherwise, or if that is not well-formed, one is made.
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
    """The outermost middleware, so that what the others log has the id as well."""

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
    """Of the request that this thread answers, or that caused the work in hand; "" if there is none."""
    return str(get_contextvars().get("request_id", ""))


@receiver(request_finished)
def forget(**kwargs: Any) -> None:
    """After the last byte: the lines of a body that is streamed have the id, those of the thread's next request not."""
    clear_contextvars()
    current_request.set(None)
