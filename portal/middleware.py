"""Middleware: responses for exceptions of views, headers of every response, and the reader's time zone."""

from collections.abc import Callable
from datetime import UTC
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    StreamingHttpResponse,
)
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from archive import formatting
from archive.errors import TooManyRequests
from archive.models import User
from portal.access import Gone, LinkEnded
from portal.http import find_page_of_form
from portal.views import errors

API_PREFIX = "/api/"

# RFC 9110, 8.6: 204 has no Content-Length, and that of 304 would be the length of the content that is not sent. Django
# says 0 for both.
WITHOUT_LENGTH = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)

GetResponse = Callable[[HttpRequest], HttpResponse]

# For responses without their own policy, such as errors of outer middleware: plain text, or a redirect.
NOTHING_ALLOWED = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


# Browser features that no page uses.
PERMISSIONS = ", ".join(
    f"{feature}=()"
    for feature in (
        *("accelerometer", "browsing-topics", "camera", "display-capture", "geolocation", "gyroscope", "hid"),
        *("idle-detection", "local-fonts", "magnetometer", "microphone", "midi", "payment", "screen-wake-lock"),
        *("serial", "usb", "xr-spatial-tracking"),
    )
)


class SecurityHeadersMiddleware:
    """Set the headers of every response, including responses of the middleware inside of this one.

    No response may be cached, unless it sets its own Cache-Control and is no error. Pages are personal, and their
    content ends at a deadline. Errors must not be cached either: browsers may cache a 410 forever, but "being deleted"
    becomes "deleted". Nor may redirects to signed URLs of the store.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.headers = {
            "Content-Security-Policy": NOTHING_ALLOWED,
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": PERMISSIONS,
            "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": settings.X_FRAME_OPTIONS,
        }

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in self.headers.items():
            response.headers.setdefault(name, value)
        if response.status_code >= 400 and "no-store" not in response.get("Cache-Control", ""):
            del response["Cache-Control"]  # of a cacheable view, if it succeeds
        if "Cache-Control" not in response:
            add_never_cache_headers(response)
        return response


class BodyMiddleware:
    """Answer HEAD without a body, as WSGI requires: otherwise gunicorn reads it, drops it and logs a warning. Streamed
    files are not generated. Content-Length is the same as for GET, if GET has one; responses that never have a body
    have none."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = self.get_response(request)
        if response.status_code in WITHOUT_LENGTH:
            del response["Content-Length"]
        if request.method != "HEAD":
            return response
        if isinstance(response, StreamingHttpResponse):
            response.streaming_content = iter(())
        elif isinstance(response, HttpResponse):
            if response.status_code not in WITHOUT_LENGTH:
                response.headers.setdefault("Content-Length", str(len(response.content)))
            response.content = b""
        return response


class RefuseTraceMiddleware:
    """Refuse TRACE, and methods meant for servers and proxies, on every URL."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in ("TRACE", "TRACK", "CONNECT"):
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        return self.get_response(request)


class SignInMiddleware(LoginRequiredMiddleware):
    """Redirect visitors to the sign-in page. If the session ended before a form was sent, the visitor returns to the
    page with the form, because the URL that receives the form shows nothing.

    htmx gets 401, because it would follow a redirect and insert the sign-in page into the current page
    (core/htmx-parts.js shows that the session has ended).
    """

    def handle_no_permission(  # type: ignore[override]  # Django's type is narrower than what its middleware may answer
        self, request: HttpRequest, view_func: Any
    ) -> HttpResponseBase:
        if getattr(request, "htmx", False):
            headers = {"WWW-Authenticate": 'Session realm="spacekeep"'}  # RFC 9110, 15.5.2 requires a challenge
            return HttpResponse(status=HTTPStatus.UNAUTHORIZED, headers=headers)
        if request.method in ("GET", "HEAD"):
            return super().handle_no_permission(request, view_func)
        return redirect_to_login(find_page_of_form(request), self.get_login_url(view_func))


class TimeZoneMiddleware:
    """Activate the reader's time zone: the one of their account, else the one of their browser, which a script puts
    into a cookie (core/site.js). Without either, times are in UTC (datetime.UTC, which tells `time_element` that a
    script may replace them).

    The browser's zone is stored for times in the user's mail, unless they chose one. The API uses UTC.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(API_PREFIX):
            return self.get_response(request)
        token = formatting.shows_utc.set(request.COOKIES.get("utc") == "1")  # core/local-times.js sets the cookie
        try:
            with timezone.override(_reader_zone(request) or UTC):
                return self.get_response(request)
        finally:
            formatting.shows_utc.reset(token)


def _reader_zone(request: HttpRequest) -> str:
    """The IANA name of the reader's time zone; "" if it is not known."""
    sent = request.COOKIES.get("zone", "")
    zone = sent if sent in formatting.known_time_zones() else ""
    user = request.user
    if not isinstance(user, User):
        return zone
    if not zone or user.time_zone_chosen:
        return user.time_zone if user.time_zone in formatting.known_time_zones() else zone
    if user.time_zone != zone:
        User.objects.filter(pk=user.pk, time_zone_chosen=False).update(time_zone=zone)
    return zone


class ErrorPagesMiddleware:
    """Render 410 for a Space past its deadline and for an ended download link, and 503 if an engine is down."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, Gone):
            return render(request, "gone.html", error.context, status=410)
        if isinstance(error, LinkEnded):
            return render(request, "link_ended.html", status=410)
        if isinstance(error, TooManyRequests):
            return errors.too_many_requests(error)
        return errors.answer(error)
