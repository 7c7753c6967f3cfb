"""Refusals that only the API has, each with its HTTP status. All others are in archive/errors.py."""

from http import HTTPStatus

from archive.errors import Refused


class ApiRefusal(Refused):
    """A request that is refused before the archive sees it."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class BadRequest(ApiRefusal):
    status = HTTPStatus.BAD_REQUEST


class Unauthorized(ApiRefusal):
    """The request does not prove who sent it."""

    status = HTTPStatus.UNAUTHORIZED


class NotFound(ApiRefusal):
    status = HTTPStatus.NOT_FOUND


class TooLarge(ApiRefusal):
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class Forbidden(ApiRefusal):
    """The caller may not do this, signed in or not."""

    status = HTTPStatus.FORBIDDEN


class UnsupportedMediaType(ApiRefusal):
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
