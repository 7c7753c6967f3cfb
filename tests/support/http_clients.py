"""Signed-in Django test clients, and plain HTTP requests to a real web process."""

import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from functools import cache
from typing import Any
from unittest.mock import patch

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.test.client import ClientHandler

from archive.models import Space, User


@cache
def _handler(enforce_csrf_checks: bool) -> ClientHandler:
    """Return a handler that all clients share, as in a web process: WhiteNoise scans all static files for each."""
    handler = ClientHandler(enforce_csrf_checks)
    handler.load_middleware()
    return handler


class SignedInClient(Client):
    """A client whose sessions look as if the user had just entered the password."""

    def force_login(self, user: Any, backend: str | None = None) -> None:
        super().force_login(user, backend)
        session = self.session
        session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
        session["account_authentication_methods_user"] = str(user.pk)
        session["signed_in_at"] = session["seen_at"] = time.time()
        session.save()


def make_client(user: User | None = None, *, enforce_csrf_checks: bool = False, **options: Any) -> Client:
    """Make a Django test client, with `user` signed in."""
    client = SignedInClient(**options)
    client.handler = _handler(enforce_csrf_checks)
    if user is not None:
        client.force_login(user)
    return client


@contextmanager
def plain_404_pages() -> Iterator[None]:
    """Return an empty body instead of the 404 page, which takes longer than the request itself. For tests that need
    only the status or the pages that exist."""
    with patch("portal.urls.handler404", _answer_404, create=True):
        yield


def _answer_404(request: HttpRequest, exception: Exception) -> HttpResponse:
    return HttpResponse(status=404)


def age_sign_in(client: Client, seconds: float) -> None:
    """Pretend that the user entered the password `seconds` ago."""
    session = client.session
    records = session["account_authentication_methods"]
    session["account_authentication_methods"] = [{**record, "at": record["at"] - seconds} for record in records]
    session.save()


def session_cookie(user: User) -> str:
    """Return the Cookie header of a new session of `user`."""
    return f"{settings.SESSION_COOKIE_NAME}={make_client(user).cookies[settings.SESSION_COOKIE_NAME].value}"


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        return None


def fetch(url: str, cookie: str = "", form: bytes | None = None, **headers: str) -> tuple[int, Message, bytes]:
    """Send a GET (with `form`, a POST) and return status, headers and body. Redirects are not followed."""
    request = urllib.request.Request(
        url, form, headers={"Cookie": cookie, **{name.replace("_", "-"): value for name, value in headers.items()}}
    )
    try:
        with urllib.request.build_opener(_Stay).open(request, timeout=120) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def request_bundle(site: str, space: Space, cookie: str) -> tuple[int, float]:
    """Request a bundle with the form on the Space's page. Returns the status and the response time in seconds."""
    page = f"{site}/spaces/{space.id}/"
    _, headers, body = fetch(page, cookie)
    token = body.decode().split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    csrf = headers["Set-Cookie"].split(";")[0]
    begun = time.monotonic()
    status = fetch(f"{page}bundle", f"{cookie}; {csrf}", f"csrfmiddlewaretoken={token}".encode(), Origin=site)[0]
    return status, time.monotonic() - begun
