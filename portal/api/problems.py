"""Every error of the API is application/problem+json (RFC 9457): what happened, and what to do."""

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
from ninja.errors import HttpError, ValidationError

from archive import formatting
from archive.errors import Conflict, Refused, SpacekeepError, StorageError, TooLate
from portal.access import Gone

PREFIX = "/api/v1"
CONTENT_TYPE = "application/problem+json"
RETRY_SECONDS = 30
NOT_SIGNED_IN = "Send the token of a recorder (Authorization: Bearer skr_...), or sign in to the portal."
NOT_FOUND = "There is nothing at this address, or it is not yours to see."

logger = structlog.get_logger()


class FieldError(Schema):
    """One thing that is wrong with a request: where, and what."""

    loc: list[str | int]
    msg: str


class Problem(Schema):
    type: str
    title: str
    status: int
    detail: str
    code: str | None = Field(None, description="What was refused, for programs: it does not change with the wording.")
    errors: list[FieldError] | None = None


STATUSES = (400, 401, 403, 404, 409, 410, 413, 415, 422, 500, 503)
PROBLEMS: dict[Any, Any] = {STATUSES: Problem}  # what any operation may answer


def problem(
    status: int, detail: str, errors: list[dict[str, Any]] | None = None, code: str | None = None
) -> HttpResponse:
    title = HTTPStatus(status).phrase
    body: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    if code is not None:
        body["code"] = code
    if errors is not None:
        body["errors"] = errors
    response = HttpResponse(json.dumps(body), status=status, content_type=CONTENT_TYPE)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = str(RETRY_SECONDS)
    if status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = 'Bearer realm="spacekeep"'
    return response


def answer(error: Exception) -> HttpResponse:
    """The problem that `error` is. What nobody foresaw is raised again: it is an incident, and Django logs it."""
    match error:
        case HttpError():
            detail = NOT_SIGNED_IN if error.status_code == HTTPStatus.UNAUTHORIZED else str(error)
            return problem(error.status_code, detail)
        case ValidationError():
            wrong = [{"loc": [*one["loc"]], "msg": one["msg"]} for one in error.errors]
            return problem(422, "The request is not as it should be; `errors` names each place.", wrong)
        case Http404():
            return problem(404, NOT_FOUND)
        case Gone():
            return problem(410, _gone(error))
        case TooLate():
            return problem(410, str(error), code=error.code)
        case Conflict():
            return problem(409, str(error), code=error.code)
        case Refused():
            return problem(422, str(error), code=error.code)
        case RequestDataTooBig():
            return problem(413, "The request is too big. Files do not come here: their parts go to the store.")
        case StorageError():
            return _unavailable("store", error, "The object store does not answer as it should.")
        case OperationalError() | InterfaceError():
            return _unavailable("database", error, "The database does not answer.")
        case _:
            raise error


def _gone(gone: Gone) -> str:
    if deleted_at := gone.context["deleted_at"]:
        day = formatting.format_time(deleted_at)
        return f"This Space was deleted on {day}, as the rule says. Nothing of it is left here."
    return "The deadline of this Space has come, and it is being deleted, as the rule says."


def _unavailable(what: str, error: Exception, detail: str) -> HttpResponse:
    logger.error("unavailable", what=what, error=str(error).strip())
    return problem(503, f"{detail} Try again in {RETRY_SECONDS} seconds: what has arrived is not lost.")


def register(api: NinjaAPI) -> None:
    def handle(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
        assert isinstance(error, Exception)
        return answer(error)

    for kind in (Exception, HttpError, ValidationError, Http404, SpacekeepError):
        api.add_exception_handler(kind, handle)


class ProblemJsonMiddleware:
    """The outermost middleware: whatever answers below /api/v1, errors are problems, and nothing is kept by caches."""

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
    """What Django itself says in HTML: a wrong host, a method that is not there, what nobody foresaw."""
    details = {
        404: NOT_FOUND,
        405: "This address does not know this method.",
        500: "Something went wrong that should not have. Nothing was lost; it was logged.",
    }
    status = other.status_code
    response = problem(status, details.get(status, "The request can't be answered as it is."))
    if "Allow" in other:
        response["Allow"] = other["Allow"]
    return response


@login_not_required
def not_found(request: HttpRequest, rest: str = "") -> HttpResponse:
    """The view of every address below /api/v1 that is none."""
    return problem(404, NOT_FOUND)
