"""The lifetime of sessions, and how they end.

A session ends after some time without use (sooner for privileged users), and at the latest some days after the sign-in.
The times are stored in the session; `seen_at` is written at most once a minute.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from allauth.usersessions.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse

from archive.models import User
from portal.http import is_background
from portal.sign_in.events import log_event

SIGNED_IN, SEEN = "signed_in_at", "seen_at"  # keys in the session, in seconds since 1970
WRITE_SECONDS = 60


class SessionLimitsMiddleware:
    """End sessions that are too old, or were idle for too long. The request continues without a user."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user if settings.SESSION_COOKIE_NAME in request.COOKIES else None
        if isinstance(user, User):
            now = time.time()
            if reason := _why_over(request.session, user, now):
                log_event("session_expired", request, user, reason=reason)
                UserSession.objects.filter(session_key=request.session.session_key).delete()
                logout(request)
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        """Record that the session is in use, except for background requests: an open page that nobody uses must not
        keep its session alive."""
        by_itself = is_background(request) or getattr(view, "is_background", False)
        user = request.user if settings.SESSION_COOKIE_NAME in request.COOKIES and not by_itself else None
        now = time.time()
        if isinstance(user, User) and now - request.session.get(SEEN, 0) > WRITE_SECONDS:
            _note_use(request, now)


def end_sessions(user: User, *, keep: str | None = None) -> int:
    """End all sessions of a user except the one with the key `keep`. Returns how many."""
    sessions = list(UserSession.objects.filter(user=user).exclude(session_key=keep))
    get_adapter().end_sessions(sessions)
    return len(sessions)


def _why_over(session: Any, user: User, now: float) -> str:
    """Return `absolute` or `idle` if the session is over, else "". A new session has no times yet."""
    if now - session.get(SIGNED_IN, now) > settings.SESSION_COOKIE_AGE:
        return "absolute"
    idle = now - session.get(SEEN, now)
    if idle <= min(settings.SESSION_IDLE_SECONDS, settings.SESSION_IDLE_SECONDS_HOSTS):  # for all roles
        return ""
    longest = settings.SESSION_IDLE_SECONDS if user.has_role else settings.SESSION_IDLE_SECONDS_HOSTS
    return "idle" if idle > longest else ""


def _note_use(request: HttpRequest, now: float) -> None:
    request.session.setdefault(SIGNED_IN, now)
    request.session[SEEN] = now
    seen_at = datetime.fromtimestamp(now, UTC)
    UserSession.objects.filter(session_key=request.session.session_key).update(last_seen_at=seen_at)
