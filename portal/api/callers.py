"""Authentication of API callers, and lookups that check what the caller may see."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest
from ninja.errors import AuthenticationError
from ninja.security import APIKeyCookie, HttpBearer
from ninja.utils import check_csrf

from archive import dbtime, rate_limits, recorders
from archive.intake.uploads.sessions import Uploader
from archive.models import RecorderToken as Token
from archive.models import Space, UploadSession, User
from portal.access import Gone, find_for_token, find_space, find_space_to_change
from portal.api.errors import Forbidden, UnsupportedMediaType
from portal.sign_in.second_factor import lacks_second_factor

SAFE = ("GET", "HEAD", "OPTIONS")


class RecorderToken(HttpBearer):
    """Authenticate by a token in the Authorization header. A request with a token is never authenticated by its
    cookies."""

    def __call__(self, request: HttpRequest) -> Any:
        require_json(request)
        if "Authorization" not in request.headers:
            return None
        caller = super().__call__(request)
        if caller is None:
            raise AuthenticationError
        return caller

    def authenticate(self, request: HttpRequest, token: str) -> Uploader | None:
        recorder = recorders.authenticate(token.strip())
        return _counted(Uploader(recorder=recorder)) if recorder else None


class Session(APIKeyCookie):
    """Authenticate by the session of the portal's pages. Requests that change something need the page's CSRF token."""

    param_name = settings.SESSION_COOKIE_NAME

    def __init__(self) -> None:
        super().__init__(csrf=False)  # checked below, with an error that says what to do

    def authenticate(self, request: HttpRequest, key: str | None) -> Uploader | None:
        if not isinstance(request.user, User):
            return None
        if request.method not in SAFE and check_csrf(request):
            raise Forbidden("api.csrf")
        if lacks_second_factor(request):
            raise Forbidden("api.second_factor")
        return _counted(Uploader(user=request.user))


def _counted(by: Uploader) -> Uploader:
    """Count a request of the caller, and return the caller. Raises TooManyRequests at the limit."""
    rate_limits.count("api", by.caller)
    return by


def require_json(request: HttpRequest) -> None:
    """Raise UnsupportedMediaType if the Content-Type is not JSON."""
    has_body = request.META.get("CONTENT_LENGTH") not in (None, "", "0") or "HTTP_TRANSFER_ENCODING" in request.META
    if has_body and request.method not in SAFE and request.content_type != "application/json":
        raise UnsupportedMediaType("api.not_json")


def caller(request: HttpRequest, scope: str = Token.Scope.INTAKE) -> Uploader:
    """Return the caller of this request. Raises Forbidden for a token without this scope."""
    by = request.auth  # type: ignore[attr-defined]  # set by ninja, from one of the classes above
    assert isinstance(by, Uploader)
    if by.recorder and scope not in by.recorder.scopes:
        raise Forbidden("api.scope_missing", scope=scope)
    return by


def find_content(request: HttpRequest, space_id: UUID) -> Space:
    """Return the Space if the caller may have all of its content. Raises Http404, Gone, Forbidden."""
    by = caller(request, Token.Scope.BUNDLES)
    if by.recorder is not None:
        return find_for_token(by.recorder, space_id)
    assert by.user is not None
    return find_space(by.user, space_id, content=True).space


def find_own_space(request: HttpRequest, space_id: UUID) -> Space:
    """Return the Space if it belongs to the caller: the user's own Spaces, for admins all, for a token those it
    registered. Raises Http404, Gone."""
    by = caller(request)
    if by.user is not None:
        return find_space_to_change(by.user, space_id)
    space = Space.objects.filter(pk=space_id, recorder=by.recorder).first()
    if space is None:
        raise Http404
    if space.is_gone(dbtime.now()):
        raise Gone(space, None)
    return space


def find_own_upload(request: HttpRequest, upload_id: UUID) -> UploadSession:
    """Return the upload session if its Space belongs to the caller. Raises Http404, Gone."""
    by = caller(request)
    session = UploadSession.objects.filter(pk=upload_id).first()
    if session is None or (by.recorder and session.recorder_id != by.recorder.pk):
        raise Http404
    session.space = find_own_space(request, session.space_id)
    return session
