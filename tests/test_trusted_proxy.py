"""Headers about client, scheme and request are trusted only if the peer is the proxy."""

import socket
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from pytest_django import Settings

from portal.trusted_proxy import HEADERS, Proxies, TrustedProxyMiddleware

CLAIMS = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https", "X-Request-ID": "req-12345678"}


def believed(peer: str) -> set[str]:
    """Return the claims that reach the portal."""
    seen: list[HttpRequest] = []

    def portal(request: HttpRequest) -> HttpResponse:
        seen.append(request)
        return HttpResponse()

    TrustedProxyMiddleware(portal)(RequestFactory().get("/", headers=CLAIMS, REMOTE_ADDR=peer))
    return {name for name in CLAIMS if name in seen[0].headers}


@pytest.mark.parametrize("peer", ["10.1.2.3", "::ffff:10.1.2.3", "fd00::8", "127.0.0.1", ""])
def test_the_proxy_is_believed(settings: Settings, peer: str) -> None:
    """The proxy is known by its network, address or name, or because it connects to a Unix socket, which nobody else
    can open."""
    settings.PROXY_ADDRESSES = ["10.1.0.0/16", "fd00::8", "localhost"]

    assert believed(peer) == set(CLAIMS)


@pytest.mark.parametrize("peer", ["10.2.0.1", "::ffff:10.2.0.1", "fd00::9", "203.0.113.7"])
def test_nobody_else_is_believed(settings: Settings, peer: str) -> None:
    settings.PROXY_ADDRESSES = ["10.1.0.0/16", "fd00::8", "localhost"]

    assert believed(peer) == set()


def test_without_addresses_every_peer_is_the_proxy(settings: Settings) -> None:
    settings.PROXY_ADDRESSES = []

    assert believed("10.2.0.1") == set(CLAIMS)


def test_every_header_that_the_portal_takes_from_a_proxy_is_covered(settings: Settings) -> None:
    assert {f"HTTP_{name.upper().replace('-', '_')}" for name in CLAIMS} == set(HEADERS)
    assert settings.MIDDLEWARE[0] == "portal.trusted_proxy.TrustedProxyMiddleware"


@pytest.mark.parametrize(("peer", "is_taken"), [("127.0.0.1", True), ("127.0.0.2", False)])
def test_nothing_reads_the_headers_before(settings: Settings, db: None, peer: str, is_taken: bool) -> None:
    settings.BEHIND_PROXY, settings.PROXY_ADDRESSES = True, ["127.0.0.1"]

    answer = Client().get("/help/", headers=CLAIMS, REMOTE_ADDR=peer)

    assert (answer["X-Request-ID"] == "req-12345678") is is_taken


def test_a_proxy_that_restarted_at_another_address_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    where, now = ["10.9.0.2"], [1000.0]

    def lookup(name: str, port: None, **options: Any) -> list[Any]:
        if not where:
            raise socket.gaierror(-2, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in where]

    monkeypatch.setattr("portal.trusted_proxy.socket.getaddrinfo", lookup)
    monkeypatch.setattr("portal.trusted_proxy.time.monotonic", lambda: now[0])
    proxies = Proxies(["proxy"])
    assert (proxies.include("10.9.0.2"), proxies.include("10.9.0.3")) == (True, False)

    where[:] = ["10.9.0.3"]
    assert (proxies.include("10.9.0.2"), proxies.include("10.9.0.3")) == (True, False)  # not asked within a second
    now[0] += 1.1
    assert (proxies.include("10.9.0.3"), proxies.include("10.9.0.2")) == (True, False)

    where.clear()
    now[0] += 31
    assert proxies.include("10.9.0.3") is False  # the name does not resolve, so nobody is trusted
