"""Headers of every response: for each URL, kind of caller and method, and for errors."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest
from django.test import Client

from archive.models import Space, User
from embedded.place import ROOT
from portal.downloads import download_path
from tests.support import factory
from tests.support.deadlines import make_due
from tests.support.http_clients import make_client
from tests.support.routes import each_route

pytestmark = pytest.mark.usefixtures("db")

EVERYWHERE = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
NO_STORE = re.compile(r"\bno-store\b")
CACHED = {"javascript-catalog": "max-age=3600"}  # the same for all users
NOT_STATIC = re.compile(r"frame-ancestors 'none'")


def problems_of(response: Any, name: str = "") -> list[str]:
    """Return the headers that are missing or wrong."""
    wrong = [f"{key}: {response.get(key)}" for key, value in EVERYWHERE.items() if response.get(key) != value]
    if "camera=()" not in response.get("Permissions-Policy", ""):
        wrong.append("Permissions-Policy")
    policy = response.get("Content-Security-Policy", "")
    if "default-src" not in policy or not NOT_STATIC.search(policy) or "unsafe" in policy:
        wrong.append(f"Content-Security-Policy: {policy}")
    cache = response.get("Cache-Control", "")
    if not (NO_STORE.search(cache) or (name in CACHED and response.status_code == 200 and cache == CACHED[name])):
        wrong.append(f"Cache-Control: {cache}")
    if "Server" in response or "X-Powered-By" in response:
        wrong.append("Server")
    return wrong


@pytest.fixture
def values(alice: User) -> Mapping[str, list[object]]:
    space = factory.make_row(alice)
    token = download_path(factory.make_contents(space), alice).split("/")[2]
    return {"uuid": [space.pk], "ending": ["vtt"], "token": [token]}


# Caller, method, and the statuses that must occur, to show that the walk reaches pages, redirects and refusals.
WALKS = [
    ("nobody", "get", {200, 302, 401, 404}),
    ("nobody", "trace", {405}),
    pytest.param("host", "get", {200, 302, 404, 405}, marks=pytest.mark.long),
    ("admin", "get", {200, 302, 404, 405}),
    ("admin", "post", {200, 302, 404, 405, 422}),
]


@pytest.mark.parametrize(("who", "method", "statuses"), WALKS)
def test_every_response_has_its_headers(
    values: Mapping[str, list[object]], alice: User, admin: User, who: str, method: str, statuses: set[int]
) -> None:
    user = {"nobody": None, "host": alice, "admin": admin}[who]
    client, wrong, seen = make_client(user, raise_request_exception=False), {}, set()
    for route in each_route(values, of_admin_site=who == "admin" and method == "get"):
        response = getattr(client, method)(route.path)
        seen.add(response.status_code)
        if problems := problems_of(response, route.name):
            wrong[route.path] = problems
        if user and "logout" in route.path:
            client.force_login(user)

    assert wrong == {}
    assert statuses <= seen


def test_what_is_gone_has_its_headers(alice: User) -> None:
    space = factory.make_row(alice)
    factory.make_contents(space)
    make_due(space)
    client = make_client(alice)

    answers = [client.get(f"/spaces/{space.id}/{rest}") for rest in ("", "audio", "transcript.vtt")]

    assert [(answer.status_code, problems_of(answer)) for answer in answers] == [(410, [])] * 3


def test_trace_is_refused_before_anything_else() -> None:
    response = make_client().trace("/accounts/login/")

    assert (response.status_code, response["Allow"], response.content) == (405, "GET, HEAD, POST", b"")
    assert make_client().generic("TRACK", "/").status_code == 405
    assert make_client().generic("TRACE", "/api/v1/spaces").json()["code"] == "api.method_not_allowed"


def test_errors_have_their_headers(alice: User) -> None:
    client = make_client(alice, enforce_csrf_checks=True, raise_request_exception=False)
    answers = {
        "csrf": client.post("/export/"),
        "unknown": client.get("/nowhere/"),
        "host": client.get("/", headers={"Host": "elsewhere.example"}),
        "api host": client.get("/api/v1/uploads", headers={"Host": "elsewhere.example"}),
        "too large": client.post("/api/v1/spaces", b"x" * 3_000_000, content_type="application/json"),
    }

    assert {name: problems_of(answer) for name, answer in answers.items()} == {name: [] for name in answers}
    assert [answer.status_code for answer in answers.values()] == [403, 404, 400, 400, 403]


def test_a_crash_has_its_headers(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.views.notices.render", None)

    response = make_client(alice, raise_request_exception=False).get("/notices/")

    assert (response.status_code, problems_of(response)) == (500, [])


def test_a_refused_form_is_not_cached(alice: User) -> None:
    response = make_client(alice).post("/export/", {"max_part_size": "1"})

    assert (response.status_code, problems_of(response)) == (422, [])


def test_static_files_have_headers_and_may_be_cached() -> None:
    response = make_client().get("/static/archive/favicon.svg")
    response.close()

    assert {name: response.get(name) for name in EVERYWHERE} == EVERYWHERE
    assert "no-store" not in response["Cache-Control"]


def test_a_message_is_in_the_session_and_not_in_a_cookie(space_of_alice: Space, alice: User) -> None:
    client: Client = make_client(alice)
    client.post(f"/spaces/{space_of_alice.id}/bundle/revoke-links")

    assert set(client.cookies) <= {"sessionid", "csrftoken"}
    assert "The earlier download links no longer work" in client.get("/").content.decode()


@pytest.fixture
def space_of_alice(alice: User) -> Space:
    space = factory.make_row(alice)
    factory.make_contents(space)
    return space


HTTPS_COOKIES = """
import django
django.setup()
from django.conf import settings
from portal.api.callers import Session
print(settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, Session.param_name)
print(settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE)
print(settings.SESSION_COOKIE_DOMAIN, settings.CSRF_COOKIE_DOMAIN)
print(settings.SESSION_COOKIE_PATH, settings.CSRF_COOKIE_PATH)
"""


def test_cookies_over_https_are_for_this_host_only() -> None:
    """Browsers require Secure, Path=/ and no Domain for a cookie whose name starts with __Host-."""
    done = subprocess.run(
        [sys.executable, "-c", HTTPS_COOKIES],
        env=os.environ | {"SITE_URL": "https://spaces.example.org"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.splitlines() == [
        "__Host-sessionid __Host-csrftoken __Host-sessionid",
        "True True",
        "None None",
        "/ /",
    ]
