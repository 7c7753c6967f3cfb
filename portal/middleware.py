"""Answers for what views raise."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers

from archive import formatting
from archive.models import User
from portal.access import Gone
from portal.views import errors


class TimeZoneMiddleware:
    """Remembers the time zone of a reader's browser, which a script puts into a cookie (static/portal/site.js), for the
    times in their mail."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        zone = request.COOKIES.get("zone", "")
        user = request.user if zone else None
        if isinstance(user, User) and user.time_zone != zone and zone in formatting.known_time_zones():
            User.objects.filter(pk=user.pk).update(time_zone=zone)
        return self.get_response(request)


class ErrorPagesMiddleware:
    """410 for a Space whose deadline has passed; words for an engine that is down."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, Gone):
            response = render(request, "gone.html", error.context, status=410)
            add_never_cache_headers(response)  # browsers may keep a 410 for ever, and "being deleted" becomes "deleted"
            return response
        return errors.answer(error)
