"""Responses of nginx itself are a page of ours, or a JSON problem for the API, with the portal's security headers."""

import base64
import hashlib
import http.client
import json
import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pytest

from embedded.state import has_ipv6
from portal.middleware import PERMISSIONS
from tests.support.behind_nginx import Proxied, nginx_before
from tests.support.processes import ROOT

HOST = b"Connection: close\r\nHost: 127.0.0.1\r\n"
BAD_REQUESTS = {
    400: b"GET /search/?q=secret HTTP/1.1\r\nHost: \x00\r\n\r\n",
    405: b"TRACE /search/?q=secret HTTP/1.1\r\n" + HOST + b"\r\n",
    413: b"POST /search/?q=secret HTTP/1.1\r\n" + HOST + b"Content-Length: 99999999\r\n\r\n",
    414: b"GET /search/?q=secret" + b"x" * 10_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    421: b"GET /search/?q=secret HTTP/1.1\r\nConnection: close\r\nHost: evil.example\r\n\r\n",
    431: b"GET /search/?q=secret HTTP/1.1\r\n" + HOST + b"Cookie: a=" + b"x" * 10_000 + b"\r\n\r\n",
    501: b"POST /search/?q=secret HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: secret\r\n\r\n",
}


class _Received(socket.socket):
    """A socket with a received response, for http.client."""

    def __init__(self, received: bytes) -> None:
        super().__init__()
        self._received = received

    def makefile(self, *arguments: object, **options: object) -> BytesIO:  # type: ignore[override]
        return BytesIO(self._received)


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    folder = tmp_path_factory.mktemp("nginx")
    with nginx_before(folder, "unix:no.sock", "unix:no.sock", "http://localhost:8123") as proxied:
        yield proxied


def send(proxied: Proxied, request: bytes, host: str = "127.0.0.1") -> tuple[int, http.client.HTTPMessage, str]:
    """Send these bytes, and return status, headers and body of the response."""
    received = b""
    with socket.create_connection((host, proxied.port), timeout=20) as client:
        client.sendall(request)
        with suppress(ConnectionResetError):  # after this nginx stops waiting for a body that it refused
            while piece := client.recv(65536):
                received += piece
    with _Received(received) as end, http.client.HTTPResponse(end) as answer:
        answer.begin()
        return answer.status, answer.headers, answer.read().decode()


@pytest.mark.parametrize("status", BAD_REQUESTS)
def test_a_page_of_ours_with_all_headers(proxied: Proxied, status: int) -> None:
    answered, headers, page = send(proxied, BAD_REQUESTS[status])

    assert (answered, headers["Content-Type"]) == (status, "text/html")
    assert "Nothing was changed." in page
    assert "<!--#" not in page
    assert "secret" not in page
    assert re.fullmatch("[0-9a-f]{32}", headers["X-Request-ID"])
    assert f"Error id {headers['X-Request-ID']}" in page
    del headers["X-Request-ID"]
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert {name: headers[name] for name in sorted(set(headers) - {"Connection", "Date", "Transfer-Encoding"})} == {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none';"
        f" style-src 'sha256-{digest}'; frame-ancestors 'none'",
        "Content-Type": "text/html",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": PERMISSIONS,
        "Referrer-Policy": "same-origin",
        "Server": "nginx",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }


def test_a_request_that_can_not_be_read_gets_the_words_of_the_portal(proxied: Proxied) -> None:
    _, _, page = send(proxied, b"GET / HTTP/1.1\r\nHost: \x00\r\n\r\n")
    ours = re.findall(r'{% translate "(.*?)" %}', (ROOT / "templates/400.html").read_text())

    title, sentence, advice = ours[1:4]
    assert f"<h1>{title}</h1>" in page
    assert f"<p>{sentence} {advice}</p>" in page


def test_the_api_gets_a_problem(proxied: Proxied) -> None:
    request = b"GET /api/v1/uploads HTTP/1.1\r\n" + HOST + b"Cookie: a=" + b"x" * 10_000 + b"\r\n\r\n"

    status, headers, body = send(proxied, request)

    assert (status, headers["Content-Type"], json.loads(body)["code"]) == (
        431,
        "application/problem+json",
        "proxy.headers_too_large",
    )


@pytest.mark.parametrize("host", ["127.0.0.1", *(["::1"] if has_ipv6() else [])])
def test_it_listens_at_both_addresses_of_localhost(proxied: Proxied, host: str) -> None:
    status, headers, _ = send(proxied, BAD_REQUESTS[405], host)

    assert (status, headers["Server"]) == (405, "nginx")


@pytest.mark.parametrize(
    ("site", "scheme", "hsts", "sent"),
    [
        ("https://localhost", b"https", "", "max-age=31536000"),
        ("https://localhost", b"https", "1", "max-age=31536000; includeSubDomains; preload"),
        ("https://localhost", b"http", "1", None),
        ("http://localhost", b"https", "1", None),
    ],
)
def test_hsts_is_what_the_portal_sends(tmp_path: Path, site: str, scheme: bytes, hsts: str, sent: str | None) -> None:
    """Like Django, nginx sends it over HTTPS only."""
    request = b"TRACE / HTTP/1.1\r\n" + HOST + b"X-Forwarded-Proto: " + scheme + b"\r\n\r\n"

    with nginx_before(tmp_path, "unix:no.sock", "unix:no.sock", site, front="127.0.0.1", hsts=hsts) as proxied:
        status, headers, _ = send(proxied, request)

    assert (status, headers["Strict-Transport-Security"]) == (405, sent)
