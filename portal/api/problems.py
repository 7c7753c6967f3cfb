"""Render every error of the API as application/problem+json (RFC 9457): what happened, and what to do."""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import structlog
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import Field, NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError

from archive import error_messages
from archive.errors import Conflict, Refused, SpacekeepError, StorageError, TooLate, TooManyRequests, make_problem
from archive.errors import Problem as ErrorProblem
from portal.access import Gone
from portal.api.errors import ApiRefusal
from portal.request_ids import current_id

PREFIX = "/api/v1"
CONTENT_TYPE = "application/problem+json"
RETRY_SECONDS = 30

logger = structlog.get_logger()


class FieldError(Schema):
    """One invalid field of a request: where it is, and what is wrong."""

    loc: list[str | int]
    msg: str


class Problem(Schema):
    type: str
    title: str
    status: int
    detail: str
    code: str = Field(description="What was refused, for programs: it does not change with the wording.")
    request_id: str = Field(description="The same as in X-Request-ID, for the operator: it is in the logs.")
    errors: list[FieldError] | None = None


STATUSES = (400, 401, 403, 404, 409, 410, 413, 415, 422, 429, 500, 503)
PROBLEMS: dict[Any, Any] = {STATUSES: Problem}  # statuses that any operation may answer


def problem(status: int, error: ErrorProblem, errors: list[dict[str, Any]] | None = None) -> HttpResponse:
    """Return the response for `error` (archive/errors.py: a code and its parameters)."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": error_messages.render(error),
        "code": error["code"],
        "request_id": current_id(),
    }
    if errors is not None:
        body["errors"] = errors
    response = HttpResponse(json.dumps(body), status=status, content_type=CONTENT_TYPE)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = str(RETRY_SECONDS)
    if status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = 'Bearer realm="spacekeep"'
    return response


def answer(error: Exception) -> HttpResponse:
    """Return the problem response for an error. Unexpected errors are raised again, so that Django logs them as
    incidents."""
    match error:
        case AuthenticationError():
            return problem(401, make_problem("api.not_signed_in"))
        case HttpError():  # of django-ninja itself
            return problem(error.status_code, make_problem("api.bad_request", reason=str(error)))
        case ValidationError():
            wrong = [{"loc": [*one["loc"]], "msg": one["msg"]} for one in error.errors]
            return problem(422, make_problem("api.invalid"), wrong)
        case Http404():
            return problem(404, make_problem("api.not_found"))
        case Gone():
            return problem(410, _gone(error))
        case TooManyRequests():
            response = problem(429, error.problem)
            response["Retry-After"] = str(error.retry_after)
            return response
        case Refused():
            return problem(_status(error), error.problem)
        case RequestDataTooBig():
            return problem(413, make_problem("api.too_large"))
        case StorageError():
            return _unavailable("store", error, make_problem("api.store_unavailable", seconds=RETRY_SECONDS))
        case OperationalError() | InterfaceError():
            return _unavailable("database", error, make_problem("api.database_unavailable", seconds=RETRY_SECONDS))
        case _:
            raise error


def _status(refused: Refused) -> int:
    if isinstance(refused, ApiRefusal):
        return refused.status
    if isinstance(refused, TooLate):
        return HTTPStatus.GONE
    return HTTPStatus.CONFLICT if isinstance(refused, Conflict) else HTTPStatus.UNPROCESSABLE_ENTITY


def _gone(gone: Gone) -> ErrorProblem:
    if deleted_at := gone.context["deleted_at"]:
        return make_problem("api.space_deleted", at=deleted_at)
    return make_problem("api.space_expiring")


def _unavailable(what: str, error: Exception, shown: ErrorProblem) -> HttpResponse:
    logger.error("unavailable", what=what, error=str(error).strip())
    return problem(503, shown)


def register(api: NinjaAPI) -> None:
    def handle(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
        assert isinstance(error, Exception)
        return answer(error)

    for kind in (Exception, HttpError, ValidationError, Http404, SpacekeepError):
        api.add_exception_handler(kind, handle)


class ProblemJsonMiddleware:
    """Turn every error below /api/v1 into a problem, and forbid caching."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path_info != PREFIX and not request.path_info.startswith(f"{PREFIX}/"):
            return response
        if response.status_code >= 400 and response.get("Content-Type") != CONTENT_TYPE:
            response = _instead_of(response)
        response["Cache-Control"] = "no-store"
        return response


def _instead_of(other: HttpResponse) -> HttpResponse:
    """Return the problem that replaces Django's own HTML error: a wrong host, an unknown method, an unexpected
    exception."""
    status = other.status_code
    match status:
        case 404:
            shown = make_problem("api.not_found")
        case 405:
            shown = make_problem("api.method_not_allowed")
        case 500:
            shown = make_problem("api.internal_error")
        case _:
            shown = make_problem("api.other")
    response = problem(status, shown)
    for name, value in other.items():  # Allow, and headers that middleware has added
        if not name.startswith("Content-"):
            response.headers.setdefault(name, value)
    return response


@login_not_required
def not_found(request: HttpRequest, rest: str = "") -> HttpResponse:
    """The view of all unknown URLs below /api/v1."""
    return problem(404, make_problem("api.not_found"))
