"""What tests of pages share: browsers that are signed in, and plain requests to a real web process."""

import time
import urllib.error
import urllib.request
from email.message import Message
from functools import cache
from typing import Any

from django.conf import settings
from django.test import Client
from django.test.client import ClientHandler

from archive.models import Space, User


@cache
def _handler(enforce_csrf_checks: bool) -> ClientHandler:
    """One for all, as in a web process: with each more, WhiteNoise would look at every static file again."""
    handler = ClientHandler(enforce_csrf_checks)
    handler.load_middleware()
    return handler


def make_client(user: User | None = None, *, enforce_csrf_checks: bool = False, **options: Any) -> Client:
    """Django's test client, with `user` signed in."""
    client = Client(**options)
    client.handler = _handler(enforce_csrf_checks)
    if user is not None:
        client.force_login(user)
    return client


def session_cookie(user: User) -> str:
    """The Cookie header of a browser in which `user` is signed in."""
    return f"{settings.SESSION_COOKIE_NAME}={make_client(user).cookies[settings.SESSION_COOKIE_NAME].value}"


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        return None


def fetch(url: str, cookie: str = "", form: bytes | None = None, **headers: str) -> tuple[int, Message, bytes]:
    """Status, headers and body of a GET (with `form`, a POST) that follows no redirect and raises for no status."""
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
    """As the button on the Space's page does. Returns the status and how many seconds the answer took."""
    page = f"{site}/spaces/{space.id}/"
    _, headers, body = fetch(page, cookie)
    token = body.decode().split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    csrf = headers["Set-Cookie"].split(";")[0]
    begun = time.monotonic()
    status = fetch(f"{page}bundle", f"{cookie}; {csrf}", f"csrfmiddlewaretoken={token}".encode(), Origin=site)[0]
    return status, time.monotonic() - begun
