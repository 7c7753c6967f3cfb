"""Ask for the password or a second factor again before actions that grant power or can't be undone.

Signing in counts as well, for REAUTHENTICATION_SECONDS. A POST that comes too late is stored in the session and run
once the user has confirmed who they are, so that nothing typed is lost. allauth can replay a POST too, but not one
whose address has a query string, and it would store the request's cookies.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode

from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.flows.reauthentication import (
    STATE_SESSION_KEY,
    is_reauthentication_required,
    stash_and_reauthenticate,
)
from allauth.account.utils import get_next_redirect_url
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import resolve, reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_htmx.http import HttpResponseClientRedirect

from portal.http import find_page_of_form

P = ParamSpec("P")
View = Callable[Concatenate[Any, P], HttpResponse]

SAFE = ("GET", "HEAD", "OPTIONS")
REPLAY = f"{__name__}.replay"
REPLAY_SECONDS = 15 * 60  # a stored POST that is older than this is dropped
STEPS = {  # the sentence about the stored POST on the confirmation page, by the name of its URL
    "decide": gettext_lazy("Your decision about the appeal is not saved yet."),
    "hold": gettext_lazy("Your legal hold is not placed yet."),
    "hold-several": gettext_lazy("Your legal holds are not placed yet."),
    "release": gettext_lazy("The hold is not released yet."),
    "lift": gettext_lazy("The flags are not lifted yet."),
    "lift-several": gettext_lazy("The flags are not lifted yet."),
    "calendar-create": gettext_lazy("Your calendar address is not created yet. It lets others read your deadlines."),
    "podcast-create": gettext_lazy("Your podcast address is not created yet. It lets others download the Space."),
    "calendar-revoke": gettext_lazy("Your calendar address is not revoked yet."),
    "podcast-revoke": gettext_lazy("Your podcast address is not revoked yet."),
    "invitations": gettext_lazy("Your invitation is not sent yet."),
    "webhooks": gettext_lazy("Your webhook is not created yet."),
    "webhook-remove": gettext_lazy("The webhook is not removed yet."),
    "webhook-replace-secret": gettext_lazy("The secret is not replaced yet."),
    "person-roles": gettext_lazy("The roles are not changed yet."),
    "person-close": gettext_lazy("The account is not closed yet."),
    "account-close": gettext_lazy("Your account is not closed yet."),
}

WRITTEN = {  # labels of the text fields of such forms, by the name of the field
    "reason": gettext_lazy("Reason"),
    "case_number": gettext_lazy("Case number"),
    "review_on": gettext_lazy("Review date"),
    "email": gettext_lazy("E-mail address"),
    "name": gettext_lazy("Name"),
    "text": gettext_lazy("Text"),
    "url": gettext_lazy("Address"),
}


def require_reauthentication(view: View[P]) -> View[P]:
    """Decorate a view whose POST requires that the user has recently confirmed who they are."""
    return _require(view, reading=False)


def require_reauthentication_to_read(view: View[P]) -> View[P]:
    """Like `require_reauthentication`, for GET too."""
    return _require(view, reading=True)


def has_authenticated_recently(request: HttpRequest) -> bool:
    """Whether this session gave a password or a second factor within REAUTHENTICATION_SECONDS.

    Signing in at another provider does not count, because the provider asks for nothing while its own session lasts.
    """
    records = [r for r in get_authentication_records(request, request.user) if r["method"] in ("password", "mfa")]
    return bool(records) and time.time() - records[-1]["at"] < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT


def describe_stored_post(request: HttpRequest) -> str:
    """Return the sentence about the action that waits for the confirmation; "" for other pages."""
    state = request.session.get(STATE_SESSION_KEY, {}).get("state", {})
    name = resolve(state["path_info"]).url_name if "path_info" in state else None
    return str(STEPS.get(name or "", ""))


def list_stored_texts(request: HttpRequest) -> list[tuple[str, str]]:
    """Return (label, text) of each text field of the waiting form. The confirmation page shows them, so that nobody who
    leaves it has to write the texts again, with or without JavaScript."""
    state = request.session.get(STATE_SESSION_KEY, {}).get("state", {})
    return _list_texts(QueryDict(state.get("post", "")))


def _list_texts(post: QueryDict) -> list[tuple[str, str]]:
    return [(str(label), str(post[name])) for name, label in WRITTEN.items() if post.get(name, "").strip()]


def replay(request: HttpRequest, state: dict[str, Any]) -> HttpResponse:
    """Run the stored POST. allauth calls this when the user has confirmed who they are."""
    url = get_next_redirect_url(request) or "/"
    if url != state["next"]:  # the user has left that page, and confirms another action
        return HttpResponseRedirect(url)
    if time.time() - state["at"] > REPLAY_SECONDS:
        _explain_late(request, QueryDict(state["post"]))
        return HttpResponseRedirect(url)
    request.path, request.path_info, query = state["path"], state["path_info"], state["query"]
    request.META.update(PATH_INFO=request.path_info, QUERY_STRING=query)
    request.GET, request.POST = QueryDict(query), QueryDict(state["post"])
    request.resolver_match = match = resolve(request.path_info)
    response: HttpResponse = match.func(request, *match.args, **match.kwargs)
    return response


def _explain_late(request: HttpRequest, post: QueryDict) -> None:
    """Show the texts of a form that is too old to be sent."""
    late = _("You took longer than {minutes} minutes to confirm, so the form was not sent. Send it again.")
    rows = format_html_join("", "<br>{}: <bdi>{}</bdi>", _list_texts(post))
    messages.warning(request, format_html("{}{}", late.format(minutes=REPLAY_SECONDS // 60), rows))


def _require(view: View[P], *, reading: bool) -> View[P]:
    @wraps(view)
    def checked(request: Any, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        asks = reading or request.method not in SAFE
        if asks and is_reauthentication_required(request, app="portal"):
            return _suspend(request)
        return view(request, *args, **kwargs)

    return checked


def _suspend(request: Any) -> HttpResponse:
    """Redirect to the confirmation page. Stores a POST for `replay` in place of an older one."""
    request.session.pop(STATE_SESSION_KEY, None)
    if request.method in SAFE:
        back = request.get_full_path()
    else:
        back = find_page_of_form(request)
        post = request.POST.copy()
        post.pop("csrfmiddlewaretoken", None)
        state = {
            "path": request.path,
            "path_info": request.path_info,
            "query": request.META.get("QUERY_STRING", ""),
            "post": post.urlencode(),
            "next": back,
            "at": time.time(),
        }
        stash_and_reauthenticate(request, state, REPLAY)
    url = f"{reverse('account_reauthenticate')}?{urlencode({REDIRECT_FIELD_NAME: back})}"
    if getattr(request, "htmx", False):
        return HttpResponseClientRedirect(url)
    return HttpResponseRedirect(url)
