"""Security events, each a line of the log: successful and failed sign-ins, and refused requests.

They contain user ids, addresses and kinds, but no passwords, and no names that strangers typed. docs/operations.md
lists them.
"""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

import structlog
from allauth.account import signals as account
from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa import signals as mfa
from allauth.socialaccount import signals as social
from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from allauth.usersessions.models import UserSession
from django.contrib.auth import signals as auth
from django.core.exceptions import PermissionDenied
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse

from archive.models import User
from portal.sign_in.logins import find_account, login_of

logger = structlog.get_logger("spacekeep.security")

WARNINGS = {"sign_in_failed", "sign_in_limited", "second_factor_failed", "access_refused", "rate_limited"}


def log_event(kind: str, request: HttpRequest | None, user: Any = None, **facts: Any) -> None:
    """Write one event. `user` is the affected account; None if it is unknown."""
    write = logger.warning if kind in WARNINGS else logger.info
    write(kind, user_id=user.pk if isinstance(user, User) else None, address=_address(request), **facts)


class RefusalsMiddleware:
    """Log refused requests: 401, 403 and 429 for everybody; 404 for signed-in users and recorders, because other
    people's objects look missing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code in (401, 403, 404, 429) and request.resolver_match:
            self.log(request, response.status_code)
        return response

    def log(self, request: HttpRequest, status: int) -> None:
        match, user = request.resolver_match, request.user
        recorder = getattr(getattr(request, "auth", None), "recorder", None)
        if match is None or (status == 404 and not isinstance(user, User) and recorder is None):
            return
        ids = {name: str(value) for name, value in match.kwargs.items() if isinstance(value, UUID | int)}
        if "user_id" in ids:  # of the page; the event's own is who was refused
            ids["page_user_id"] = ids.pop("user_id")
        facts = {"status": status, "method": request.method, "page": match.view_name or match.route, **ids}
        if recorder is not None:
            facts["recorder_id"] = str(recorder.pk)
        log_event("rate_limited" if status == 429 else "access_refused", request, user, **facts)


class UserSessionsAdapter(DefaultUserSessionsAdapter):  # type: ignore[misc]  # allauth has no types
    def end_sessions(self, sessions: Iterable[UserSession]) -> None:
        sessions = list(sessions)
        super().end_sessions(sessions)
        for session in sessions:
            log_event("session_ended", self.request, session.user, session_address=session.ip)


@receiver(auth.user_logged_in)
def log_sign_in(request: HttpRequest | None, user: User, **kwargs: Any) -> None:
    records = get_authentication_records(request, user) if request else []
    log_event("sign_in", request, user, methods=[record["method"] for record in records])


@receiver(auth.user_logged_out)
def log_sign_out(request: HttpRequest | None, user: User | None, **kwargs: Any) -> None:
    if user is not None:
        log_event("sign_out", request, user)


@receiver(auth.user_login_failed)
def log_failure(credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any) -> None:
    log_event("sign_in_failed", request, find_account(login_of(credentials)))


@receiver([account.password_changed, account.password_set, account.password_reset])
def log_password(request: HttpRequest, user: User, **kwargs: Any) -> None:
    log_event("password_changed", request, user)


@receiver(account.authentication_step_completed)
def log_confirmation(request: HttpRequest, user: User, method: str, **kwargs: Any) -> None:
    if kwargs.get("reauthenticated"):
        log_event("identity_confirmed", request, user, method=kwargs.get("type", method))


@receiver(mfa.authenticator_added)
def log_factor_added(request: HttpRequest, user: User, authenticator: Any, **kwargs: Any) -> None:
    log_event("second_factor_added", request, user, type=str(authenticator.type))


@receiver(mfa.authenticator_removed)
def log_factor_removed(request: HttpRequest, user: User, authenticator: Any, **kwargs: Any) -> None:
    log_event("second_factor_removed", request, user, type=str(authenticator.type))


@receiver(mfa.authenticator_reset)
def log_recovery_codes(request: HttpRequest, user: User, **kwargs: Any) -> None:
    log_event("recovery_codes_replaced", request, user)


@receiver(mfa.authentication_failed)
def log_factor_failed(request: HttpRequest, user: User, authenticator: Any, **kwargs: Any) -> None:
    log_event("second_factor_failed", request, user, type=str(authenticator.type))


@receiver(social.social_account_added)
def log_account_linked(request: HttpRequest, sociallogin: Any, **kwargs: Any) -> None:
    log_event("account_linked", request, sociallogin.user, provider=sociallogin.account.provider)


@receiver(social.social_account_removed)
def log_account_unlinked(request: HttpRequest, socialaccount: Any, **kwargs: Any) -> None:
    log_event("account_unlinked", request, socialaccount.user, provider=socialaccount.provider)


def _address(request: HttpRequest | None) -> str | None:
    try:
        return str(get_account_adapter().get_client_ip(request)) if request is not None else None
    except PermissionDenied:  # a proxy gave none
        return None
