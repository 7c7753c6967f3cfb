"""What tests of pages share: browsers that are signed in, and plain requests to a real web process."""

import time
import urllib.error
import urllib.request
from email.message import Message
from functools import cache
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.test import Client

from archive.models import Space, User


@cache
def collect_static_files() -> None:
    """Once is enough: templates look up the names of styles and scripts there."""
    call_command("collectstatic", interactive=False, verbosity=0)


def browser(user: User | None = None, **options: Any) -> Client:
    """Django's test client, with `user` signed in."""
    collect_static_files()
    client = Client(**options)
    if user is not None:
        client.force_login(user)
    return client


def session_cookie(user: User) -> str:
    """The Cookie header of a browser in which `user` is signed in."""
    return f"{settings.SESSION_COOKIE_NAME}={browser(user).cookies[settings.SESSION_COOKIE_NAME].value}"


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        return None


def fetch(url: str, cookie: str = "", form: bytes | None = None, **headers: str) -> tuple[int, Message, bytes]:
    """Status, headers and body of a GET (with `form`, a POST) that follows no redirect and raises for no status."""
    request = urllib.request.Request(
        url, form, headers={"Cookie": cookie, **{name.replace("_", "-"): value for name, value in headers.items()}}
    )
    try:
        with urllib.request.build_opener(_Stay).open(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def ask_for_bundle(site: str, space: Space, cookie: str) -> tuple[int, float]:
    """As the button on the Space's page does. Returns the status and how many seconds the answer took."""
    page = f"{site}/spaces/{space.id}/"
    _, headers, body = fetch(page, cookie)
    token = body.decode().split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    csrf = headers["Set-Cookie"].split(";")[0]
    begun = time.monotonic()
    status = fetch(f"{page}bundle", f"{cookie}; {csrf}", f"csrfmiddlewaretoken={token}".encode(), Origin=site)[0]
    return status, time.monotonic() - begun
