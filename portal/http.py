"""Types of requests after the middleware, and responses that several views share."""

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django_htmx.middleware import HtmxDetails

from archive.models import User

BACKGROUND = "X-Background"  # a header of requests that a script sends without any action of the user


V = TypeVar("V", bound=Callable[..., Any])


def background(view: V) -> V:
    """Decorate a view that only background scripts of open pages request, so that its requests don't keep a session
    alive. Must be the outermost decorator."""
    view.is_background = True  # type: ignore[attr-defined]
    return view


def is_background(request: HttpRequest) -> bool:
    """Whether a script of an open page sent this request in the background. Such requests don't keep a session alive
    (portal/sign_in/sessions.py)."""
    return BACKGROUND in request.headers


class HtmxHttpRequest(HttpRequest):
    """A request with the `htmx` that django-htmx's middleware adds."""

    htmx: HtmxDetails


class SignedInRequest(HtmxHttpRequest):
    """A request of a signed-in user: SignInMiddleware has sent everybody else to the sign-in page."""

    user: User


def attachment(content: bytes, content_type: str, name: str) -> HttpResponse:
    """A file to save. `name` is ASCII without quotes."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(content, content_type=content_type, headers=headers)


def find_page_of_form(request: HttpRequest) -> str:
    """Return the page that contains the form of this POST, if it is on this site; otherwise the home page."""
    page = urlsplit(request.headers.get("Referer", ""))
    if page.netloc != request.get_host():
        return "/"
    return f"{page.path}?{page.query}" if page.query else page.path or "/"
