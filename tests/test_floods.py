"""During floods of idle connections and five kinds of requests, health checks are answered and a due Space is deleted.

`make floods` runs it for a minute (FLOOD_SECONDS) with 200 idle connections; `make test` for a few seconds.
"""

import http.client
import itertools
import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from archive.models import Space, User
from tests.support.behind_nginx import Proxied, portal_behind_nginx
from tests.support.factory import make_space
from tests.support.http_clients import session_cookie
from tests.support.idle_clients import idle_clients
from tests.support.processes import Services
from tests.support.search_urls import search_url

SECONDS = float(os.environ.get("FLOOD_SECONDS", "5"))
IS_LONG = SECONDS >= 60
IDLE = 200 if IS_LONG else 60
WORST = 1.0  # seconds for a health check, on an idle machine
DELETED_WITHIN = 15 * 60
CSRF = "a" * 32
BOMB = b"{" + b",".join(b'"%d":[]' % number for number in range(70_000)) + b"}"

Send = Callable[[http.client.HTTPConnection, int], None]


def sign_in(_: str) -> Send:
    def send(connection: http.client.HTTPConnection, number: int) -> None:
        form = f"csrfmiddlewaretoken={CSRF}&login=name{number}&password=wrong"
        headers = {"Cookie": f"csrftoken={CSRF}", "Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/accounts/login/", form, headers)

    return send


def inspect(cookie: str) -> Send:
    part = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="%d.json"\r\n\r\n' % number + BOMB + b"\r\n"
        for number in range(4)
    )
    headers = {"Cookie": f"{cookie}; csrftoken={CSRF}", "X-CSRFToken": CSRF}
    headers["Content-Type"] = "multipart/form-data; boundary=x"
    return lambda connection, number: connection.request("POST", "/upload/inspect", part + b"--x--\r\n", headers)


def search(cookie: str) -> Send:
    """Return the URL of Alice's search results, which contains the words encrypted for her."""
    address = search_url(User.objects.get(username="alice"), "beans")
    return lambda connection, number: connection.request("GET", address, headers={"Cookie": cookie})


def announce(cookie: str) -> Send:
    ended_at = (timezone.now() - timedelta(hours=2)).isoformat()
    headers = {"Cookie": f"{cookie}; csrftoken={CSRF}", "X-CSRFToken": CSRF, "Content-Type": "application/json"}
    body = json.dumps({"title": "Flood", "ended_at": ended_at})
    return lambda connection, number: connection.request("POST", "/api/v1/spaces", body, headers)


def load_pages(cookie: str) -> Send:
    return lambda connection, number: connection.request("GET", "/", headers={"Cookie": cookie})


KINDS = (sign_in, inspect, search, announce, load_pages)


class Flood:
    """Threads that send requests of one kind, one after the other, from their own client address."""

    def __init__(self, proxied: Proxied, make: Callable[[str], Send], cookie: str, address: str) -> None:
        self.name, self.statuses = make.__name__, Counter[int]()
        self._port, self._send, self._address = proxied.port, make(cookie), address
        self._is_over = threading.Event()
        self._numbers = itertools.count()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(3)]  # a killed run ends
        for thread in self._threads:
            thread.start()

    def _run(self) -> None:
        while not self._is_over.is_set():
            connection = http.client.HTTPConnection(
                "127.0.0.1", self._port, timeout=120, source_address=(self._address, 0)
            )
            with closing(connection), suppress(OSError, http.client.HTTPException):
                while not self._is_over.is_set():
                    self._send(connection, next(self._numbers))
                    answer = connection.getresponse()
                    answer.read()
                    self.statuses[answer.status] += 1

    def end(self) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()


@pytest.mark.long
def test_health_checks_and_deletion_under_floods(services: Services, tmp_path: Path, alice: User, bob: User) -> None:
    due = make_space(bob, title="Due")
    cookie = session_cookie(alice)
    services.worker(fresh=True)
    services.beat()
    with (
        portal_behind_nginx(services, tmp_path, BEHIND_PROXY="1") as proxied,
        idle_clients(proxied.port, IDLE, [f"127.0.0.{number}" for number in range(2, 10)]) as idle,
    ):
        floods = [Flood(proxied, make, cookie, f"127.0.0.{20 + n}") for n, make in enumerate(KINDS)]
        try:
            begun = time.monotonic()
            Space.objects.filter(pk=due.pk).update(
                ended_at=timezone.now() - timedelta(days=31), expires_at=timezone.now() - timedelta(days=1)
            )
            times, deleted_after = [], 0.0
            while time.monotonic() - begun < SECONDS or not deleted_after:
                times.append(check_health(proxied))
                idle.fill()
                if not deleted_after and Space.objects.get(pk=due.pk).state == "deleted":
                    deleted_after = time.monotonic() - begun
                assert time.monotonic() - begun < DELETED_WITHIN
                time.sleep(0.1)
        finally:
            for flood in floods:
                flood.end()
    report = {flood.name: dict(flood.statuses) for flood in floods}
    worst = max(times)
    sys.stdout.write(
        f"\n{IDLE} idle connections and 5 floods for {time.monotonic() - begun:.0f} s: {report}\n"
        f"/healthz: {len(times)} answers, the slowest after {worst:.3f} s; the due Space was deleted after "
        f"{deleted_after:.1f} s\n"
    )
    assert all(flood.statuses for flood in floods), report
    assert not IS_LONG or worst < WORST


def check_health(proxied: Proxied) -> float:
    """Return the seconds until the response."""
    begun = time.monotonic()
    with closing(http.client.HTTPConnection("127.0.0.1", proxied.port, timeout=120)) as connection:
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 200
    return time.monotonic() - begun
