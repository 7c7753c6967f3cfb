"""Error pages for engines that are down, and for objects missing from the store."""

import sys

import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.defaults import server_error as plain_server_error

from archive.errors import ObjectMissing, StorageError, TooManyRequests
from portal.sign_in.mfa_adapter import SecondFactorUnreadable

logger = structlog.get_logger()


def answer(error: BaseException | None) -> HttpResponse | None:
    """Return the page for `error`, or None if no engine caused it. These pages need no database and no session."""
    match error:
        case OperationalError() | InterfaceError():
            return _page("database", error, 503)
        case ObjectMissing():  # a row without its object raises an alert, and never says "try again later"
            return _page("missing", error, 500)
        case StorageError():
            return _page("store", error, 503)
        case SecondFactorUnreadable():  # until the operator sets the key, or resets the factors
            return _page("second_factor", error, 500)
        case _:
            return None


def too_many_requests(error: TooManyRequests) -> HttpResponse:
    response = HttpResponse(render_to_string("too_many_requests.html", {"text": str(error)}), status=429)
    response["Retry-After"] = str(error.retry_after)
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: what no view or middleware caught, such as a session that can't be read."""
    return answer(sys.exc_info()[1]) or plain_server_error(request)


def _page(what: str, error: BaseException, status: int) -> HttpResponse:
    logger.error("unavailable", what=what, error=str(error).strip())
    response = HttpResponse(render_to_string("unavailable.html", {"what": what}), status=status)
    if status == 503:
        response["Retry-After"] = "30"
    return response
