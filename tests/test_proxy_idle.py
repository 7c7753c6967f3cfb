"""Clients that keep connections open without a complete request occupy no thread of the portal."""

import time
from pathlib import Path

import pytest

from archive.models import User
from tests.support.behind_nginx import Proxied, portal_behind_nginx
from tests.support.http_clients import fetch
from tests.support.idle_clients import idle_clients
from tests.support.processes import Services

SECONDS = 1.0  # seconds that a response may take, in the long run on an idle machine


def test_the_portal_answers_while_others_are_idle(services: Services, tmp_path: Path) -> None:
    """Sixty idle connections, and eight threads."""
    with portal_behind_nginx(services, tmp_path) as proxied, idle_clients(proxied.port, 60) as clients:
        for path in ("/healthz", "/accounts/login/"):
            clients.fill()
            assert clients.count_open() == 60
            assert fetch(f"{proxied.url}{path}")[0] == 200


@pytest.mark.long
def test_two_hundred_idle_connections_for_a_minute(services: Services, tmp_path: Path) -> None:
    addresses = [f"127.0.0.{number}" for number in range(2, 10)]
    worst = dict.fromkeys(("/healthz", "/accounts/login/"), 0.0)
    with (
        portal_behind_nginx(services, tmp_path) as proxied,
        idle_clients(proxied.port, 200, addresses) as clients,
    ):
        until = time.monotonic() + 60
        while time.monotonic() < until:
            clients.fill()
            for path in worst:
                worst[path] = max(worst[path], measure(proxied, path))
            assert clients.count_open() > 150
            time.sleep(0.2)
    print(f"worst of a minute with 200 idle connections: {worst}")  # noqa: T201  (make floods shows it)
    assert max(worst.values()) < SECONDS, worst


def measure(proxied: Proxied, path: str) -> float:
    begun = time.monotonic()
    assert fetch(f"{proxied.url}{path}")[0] == 200
    return time.monotonic() - begun


@pytest.mark.long
def test_a_forged_address_gives_no_more_guesses(services: Services, tmp_path: Path, alice: User) -> None:
    """Each failed sign-in claims another client address, and names another account."""
    with portal_behind_nginx(services, tmp_path, BEHIND_PROXY="1") as proxied:
        refused = [is_refused(*guess(proxied, number)) for number in range(24)]

    assert (refused[:20], refused[-1]) == ([False] * 20, True)  # the limit is 20 a minute per address


def is_refused(status: int, page: str) -> bool:
    return "Too many failed" in page or status == 429


def guess(proxied: Proxied, number: int) -> tuple[int, str]:
    page = f"{proxied.url}/accounts/login/"
    _, headers, body = fetch(page)
    token = body.decode().split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    form = f"csrfmiddlewaretoken={token}&login=name{number}&password=wrong-{number}".encode()
    forged = {"X-Forwarded-For": f"203.0.113.{number}, 198.51.100.{number}"}
    status, _, body = fetch(page, headers["Set-Cookie"].split(";")[0], form, **forged)
    return status, body.decode()
