"""Who needs a second factor, and whether this session has given one."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from archive.models import User
from portal.sign_in.sessions import end_sessions

MAIN_TYPES = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
# Pages that users can see before: those that set up a factor or ask for it.
OPEN = ("account_reauthenticate", "account_logout")


class SecondFactorMiddleware:
    """Redirect users whose role requires a second factor until they have set it up and given it.

    The API asks `lacks_second_factor` itself (portal/api/callers.py): it answers with a problem. Recorders' tokens
    have no second factor.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        name = (request.resolver_match and request.resolver_match.url_name) or ""
        is_public = not getattr(view, "login_required", True)
        if is_public or name in OPEN or name.startswith("mfa_") or not lacks_second_factor(request):
            return None
        url = _next_page(request)
        return HttpResponseClientRedirect(url) if getattr(request, "htmx", False) else HttpResponseRedirect(url)


def lacks_second_factor(request: HttpRequest) -> bool:
    """Whether the user's role requires a second factor, and this session was opened without one."""
    user = request.user
    if not settings.REQUIRE_SECOND_FACTOR or not isinstance(user, User):
        return False
    if any(record["method"] == "mfa" for record in get_authentication_records(request, user)):
        return False
    return user.has_role


def _next_page(request: HttpRequest) -> str:
    """Return the page where the user gives their second factor, or sets up the first one."""
    if is_mfa_enabled(request.user, [Authenticator.Type.TOTP]):
        url = reverse("mfa_reauthenticate")
    elif is_mfa_enabled(request.user, [Authenticator.Type.WEBAUTHN]):
        url = reverse("mfa_reauthenticate_webauthn")
    else:
        messages.warning(request, _("Your role requires a second factor. Set one up to continue."))
        return reverse("mfa_index")
    back = request.get_full_path() if request.method in ("GET", "HEAD") else "/"
    return f"{url}?{urlencode({REDIRECT_FIELD_NAME: back})}"


@receiver(authenticator_added)
def accept_new_factor(request: HttpRequest, user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    """The session that sets up a second factor has proven it; the user's other sessions have not."""
    if authenticator.type in MAIN_TYPES:
        record_authentication(request, user, method="mfa", id=authenticator.pk, type=authenticator.type)


@receiver(authenticator_removed)
def end_other_sessions(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """End the sessions that the removed factor opened. The current session continues without a factor if none is
    left."""
    end_sessions(user, keep=request.session.session_key)
    if not is_mfa_enabled(user, MAIN_TYPES):
        records = request.session.get("account_authentication_methods", [])
        request.session["account_authentication_methods"] = [r for r in records if r["method"] != "mfa"]
