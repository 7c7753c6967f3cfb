"""No log contains search words, queries or download links: neither the web process's, Django's, nor the store
client's."""

import json
import logging
import socket
import urllib.parse
from io import StringIO

import pytest
from structlog.stdlib import ProcessorFormatter

from embedded.place import ROOT
from embedded.services import services as portal_processes
from portal.downloads import download_path
from portal.log_redaction import redact_event, redact_text
from tests.support.factory import make_contents, make_row, make_user
from tests.support.http_clients import fetch, session_cookie
from tests.support.processes import Services
from tests.support.search_urls import search_url
from tests.support.transcripts import make_transcript


@pytest.mark.parametrize(
    ("text", "logged"),
    [
        ("GET /search/?words=gAAAA-b_c%3D%3D HTTP/1.1", "GET /search/?... HTTP/1.1"),
        ("Internal Server Error: /download/eyJh:1x:sig/bundle.zip", "Internal Server Error: /download/.../bundle.zip"),
        ("GET /feeds/WyJh:1x:sig/podcast.xml", "GET /feeds/.../podcast.xml"),
        ("Not Found: /invitation/aBc-1/", "Not Found: /invitation/.../"),
        ("/accounts/password/reset/key/1-set-password/", "/accounts/password/reset/key/.../"),
        ("/accounts/password/reset/key/done/", "/accounts/password/reset/key/done/"),
        ("/accounts/confirm-email/MQ:1x:sig/", "/accounts/confirm-email/.../"),
        ("http://store/spacekeep/spaces/1/a.m4a?X-Amz-Signature=ab&x=1", "http://store/spacekeep/spaces/1/a.m4a?..."),
        ('The endpoint URL: "http://store/b?delete"', 'The endpoint URL: "http://store/b?..."'),
        ("Is it there? Yes.", "Is it there? Yes."),
    ],
)
def test_queries_and_links_are_redacted(text: str, logged: str) -> None:
    assert redact_text(text) == logged


def test_every_value_of_an_event_is_redacted() -> None:
    class Request:
        def __repr__(self) -> str:
            return "<WSGIRequest: GET '/search/?words=okapi'>"

    event = {"event": "/a?b=okapi", "urls": ["/a?b=okapi", {"deep": ("/download/okapi/x.zip",)}], "request": Request()}

    redacted = redact_event(None, "info", event | {"size": 3, "at": None})

    assert "okapi" not in str(redacted)
    assert (redacted["size"], redacted["at"]) == (3, None)


def formatter_of(logger: str) -> logging.Formatter:
    """Return the formatter that settings.LOGGING gives the first handler of this logger."""
    formatter = logging.getLogger(logger).handlers[0].formatter
    assert isinstance(formatter, ProcessorFormatter)
    return formatter


def test_lines_and_exceptions_are_redacted() -> None:
    """gunicorn and Django's server would use handlers of their own with other formatters."""
    for name in ("gunicorn.error", "django.server"):
        stream = StringIO()
        handler = logging.StreamHandler(stream)
        handler.setFormatter(formatter_of(name))
        logger = logging.Logger(name)
        logger.addHandler(handler)
        try:
            raise ValueError("http://store/a?X-Amz-Signature=okapi")
        except ValueError:
            logger.exception("Error handling request %s", "/download/okapi/bundle.zip?a=okapi")

        line = json.loads(stream.getvalue())
        assert line["event"] == "Error handling request /download/.../bundle.zip?..."
        assert "ValueError: http://store/a?..." in line["exception"]
        assert "okapi" not in stream.getvalue()


def test_there_is_no_access_log() -> None:
    logger = logging.getLogger("gunicorn.access")

    assert not [handler for handler in logger.handlers if isinstance(handler.formatter, ProcessorFormatter)]
    assert not logger.propagate
    assert "--access-logfile" not in str(portal_processes()) + (ROOT / "Dockerfile").read_text()


def send_raw(url: str, request: bytes) -> bytes:
    """Send bytes that no HTTP client would send, and return the response."""
    parts = urllib.parse.urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=60) as connection:
        connection.sendall(request)
        return connection.recv(65536)


@pytest.mark.usefixtures("committed")
def test_the_web_process_logs_no_words_and_no_links(services: Services) -> None:
    alice = make_user("alice")
    space = make_row(alice)
    link = download_path(make_contents(space), alice)
    make_transcript(space, ["An okapi."], number=2)
    web, cookie = services.web(), session_cookie(alice)

    found = fetch(f"{services.url}{search_url(alice, 'okapi')}", cookie)
    assert (found[0], b"okapi" in found[2]) == (200, True)
    assert fetch(f"{services.url}{link}")[0] == 302
    assert fetch(f"{services.url}/nowhere/?words=okapi", cookie)[0] == 404
    assert fetch(f"{services.url}/search/?words=okapi", cookie, b"q=okapi")[0] == 403  # no CSRF token
    assert b" 400 " in send_raw(services.url, b"GET /search/?words=okapi HTTP/9.9\r\n\r\n")
    assert b" 400 " in send_raw(services.url, f"GET {link} HTTP/1.1\r\nBad Header: okapi\r\n\r\n".encode())
    assert b" 400 " in send_raw(services.url, b"GET /search/?words=okapi HTTP/1.1\r\nHost: elsewhere\r\n\r\n")
    host = urllib.parse.urlsplit(services.url).netloc
    head = send_raw(services.url, f"HEAD /help/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    assert (head.split()[1], head.partition(b"\r\n\r\n")[2]) == (b"200", b"")
    assert int(head.lower().partition(b"content-length: ")[2].split()[0]) > 1000
    log = web.log.read_text()

    assert "no-body response" not in log
    assert [line for line in log.splitlines() if not line.startswith("{")] == []  # from gunicorn's first line on
    assert "Starting gunicorn" in json.loads(log.splitlines()[0])["event"]
    for secret in ("okapi", link.split("/")[2], "words="):
        assert secret not in log, secret
    assert "Server" not in found[1]
    assert "gunicorn" not in str(found[1])
