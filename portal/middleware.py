"""Answers for the exceptions that views raise, headers that every page has, and the reader's time zone."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers

from archive import formatting
from archive.models import User
from portal.access import Gone, LinkEnded
from portal.views import errors

GetResponse = Callable[[HttpRequest], HttpResponse]


class NeverCacheMiddleware:
    """Forbid caching of every answer that does not set its own Cache-Control.

    Pages are personal, and what they show ends at a deadline. It matters for errors too: browsers may cache a 410 for
    ever, and "being deleted" becomes "deleted".
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if "Cache-Control" not in response:
            add_never_cache_headers(response)
        return response


class TimeZoneMiddleware:
    """Store the time zone of the user's browser, which a script puts into a cookie (core/site.js), for the
    times in their mail."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        zone = request.COOKIES.get("zone", "")
        user = request.user if zone in formatting.known_time_zones() else None
        if isinstance(user, User) and not user.time_zone_chosen and user.time_zone != zone:
            User.objects.filter(pk=user.pk, time_zone_chosen=False).update(time_zone=zone)
        return self.get_response(request)


class ErrorPagesMiddleware:
    """Render 410 for a Space whose deadline has passed and for a download link that has ended; 503 for an engine that
    is down."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, Gone):
            return render(request, "gone.html", error.context, status=410)
        if isinstance(error, LinkEnded):
            return render(request, "link_ended.html", status=410)
        return errors.answer(error)
