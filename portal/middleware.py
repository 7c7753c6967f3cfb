"""Answers for what views raise, and a page for when an engine is down."""

from collections.abc import Callable

import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.cache import add_never_cache_headers

from archive.errors import StorageError
from portal.access import Gone

logger = structlog.get_logger()
Handler = Callable[[HttpRequest], HttpResponse]


class Outage:
    """503 with words when PostgreSQL or the object store can't be reached. Nothing is lost: work goes on by itself."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            return self.get_response(request)
        except (OperationalError, InterfaceError) as error:  # from a middleware: views end in process_exception
            return unavailable("database", error)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, OperationalError | InterfaceError):
            return unavailable("database", error)
        if isinstance(error, StorageError):
            return unavailable("store", error)
        return None


class Answers:
    """410 for a Space whose deadline has passed."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, Gone):
            response = render(request, "gone.html", error.context, status=410)
            add_never_cache_headers(response)  # browsers may keep a 410 for ever, and "being deleted" becomes "deleted"
            return response
        return None


def unavailable(what: str, error: Exception) -> HttpResponse:
    logger.error("unavailable", what=what, error=str(error).strip())
    response = HttpResponse(render_to_string("unavailable.html", {"what": what}), status=503)
    response["Retry-After"] = "30"
    return response
