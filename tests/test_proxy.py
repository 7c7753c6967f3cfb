"""The proxy in front of the portal: which headers it sets for gunicorn, what it refuses, and its pages while gunicorn
is down."""

import http.client
import json
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.behind_nginx import Proxied, nginx_before
from tests.support.echo import Echo
from tests.support.http_clients import fetch
from tests.support.processes import ROOT

FORGED = {
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "443",
    "X-Forwarded-Ssl": "on",
    "X-Forwarded-Protocol": "ssl",
    "X-Real-IP": "203.0.113.7",
    "Forwarded": "for=203.0.113.7;proto=https",
    "Proxy": "http://evil.example",
}


@pytest.fixture(scope="module")
def echo() -> Iterator[Echo]:
    echo = Echo()
    yield echo
    echo.listener.close()


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory, echo: Echo) -> Iterator[Proxied]:
    """A proxy in front of a server that echoes requests; nothing answers health checks."""
    with nginx_before(tmp_path_factory.mktemp("nginx"), echo.address, "127.0.0.1:1") as proxied:
        yield proxied


def headers_of(request: bytes) -> dict[str, str]:
    lines = request.decode().split("\r\n\r\n")[0].split("\r\n")[1:]
    return dict(line.split(": ", 1) for line in lines if ": " in line)


def test_what_a_client_claims_about_itself_is_replaced(proxied: Proxied) -> None:
    _, _, body = fetch(f"{proxied.url}/search/?q=beans", "", None, **FORGED)

    assert body.startswith(b"GET /search/?q=beans HTTP/1.1\r\n")
    headers = headers_of(body)
    assert (headers["X-Forwarded-For"], headers["X-Forwarded-Proto"]) == ("127.0.0.1", "http")
    assert headers["Host"] == f"127.0.0.1:{proxied.port}"
    assert not set(headers) & (set(FORGED) - {"X-Forwarded-For", "X-Forwarded-Proto"})


def test_a_request_reaches_the_portal_whole_or_not_at_all(proxied: Proxied, echo: Echo) -> None:
    before = len(echo.requests)
    with socket.create_connection(("127.0.0.1", proxied.port)) as client:
        client.sendall(b"POST /half HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 6\r\n\r\nbea")
        # When a later request was answered, the first one would have been passed on, too.
        assert fetch(f"{proxied.url}/whole")[0] == 200
        assert [request.split()[1] for request in echo.requests[before:]] == [b"/whole"]

        client.sendall(b"ns\n")

        assert client.recv(65536).startswith(b"HTTP/1.1 200 OK")
    assert echo.requests[-1].startswith(b"POST /half HTTP/1.1\r\n")
    assert echo.requests[-1].endswith(b"\r\n\r\nbeans\n")


@pytest.mark.parametrize(
    ("method", "host", "path", "status"),
    [
        ("TRACE", "127.0.0.1", "/", 405),
        ("GET", "evil.example", "/", 421),
        ("GET", "127.0.0.1.evil.example", "/", 421),
        ("GET", "localhost", "/", 200),
        ("GET", "10.0.0.7", "/healthz", 502),  # passed on, but nothing answers
        ("GET", "10.0.0.7", "/livez", 502),
        ("GET", "10.0.0.7", "/readyz", 502),
        ("GET", "10.0.0.7", "/metrics", 421),
        ("GET", "127.0.0.1", "/metrics", 502),
    ],
)
def test_methods_and_hosts(proxied: Proxied, method: str, host: str, path: str, status: int) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", proxied.port)) as connection:
        connection.request(method, path, headers={"Host": host})

        answer = connection.getresponse()
        answer.read()

    assert (answer.status, answer.headers["Server"]) == (status, "nginx")


def test_pages_at_the_number_of_the_machine_redirect_to_its_name(tmp_path: Path, echo: Echo) -> None:
    """Browsers allow passkeys at http://localhost, but not at http://127.0.0.1. API clients are not redirected."""
    site = "http://localhost:8123"
    asked = [
        ("GET", "127.0.0.1", "/search/?q=a%20b", 302, f"{site}/search/?q=a%20b"),
        ("HEAD", "127.0.0.1", "/", 302, f"{site}/"),
        ("GET", "127.0.0.1", "//evil.example/", 302, f"{site}//evil.example/"),
        ("POST", "127.0.0.1", "/accounts/login/", 200, None),
        ("GET", "127.0.0.1", "/api/v1/uploads", 200, None),
        ("GET", "127.0.0.1", "/static/x.css", 200, None),
        ("GET", "localhost", "/search/", 200, None),
        ("GET", "evil.example", "/search/", 421, None),
    ]
    with nginx_before(tmp_path, echo.address, "127.0.0.1:1", site) as proxied:
        answers = []
        for method, host, path, _, _ in asked:
            with closing(http.client.HTTPConnection("127.0.0.1", proxied.port)) as connection:
                connection.request(method, path, headers={"Host": host})
                answer = connection.getresponse()
            answers.append((method, host, path, answer.status, answer.headers["Location"]))

    assert answers == asked


def test_no_thread_is_spent_on_bodies_that_are_too_large(proxied: Proxied, echo: Echo) -> None:
    before = len(echo.requests)
    sizes = {"/api/v1/spaces": 2 * 1024**2, "/accounts/login/": 2 * 1024**2, "/upload/sort": 11 * 1024**2}
    answers = {path: fetch(f"{proxied.url}{path}", form=bytes(size)) for path, size in sizes.items()}

    assert {path: status for path, (status, _, _) in answers.items()} == dict.fromkeys(sizes, 413)
    _, headers, body = answers["/api/v1/spaces"]
    assert headers["Content-Type"] == "application/problem+json"
    problem = json.loads(body)
    assert (problem["type"], problem["status"], problem["code"]) == ("about:blank", 413, "proxy.too_large")
    assert problem["request_id"] == headers["X-Request-ID"]
    assert answers["/accounts/login/"][1]["Content-Type"] == "text/html"
    assert len(echo.requests) == before


def test_a_flood_from_one_address_is_refused(tmp_path: Path, echo: Echo) -> None:
    """The limit is twenty pages a second with bursts of a hundred, which people never reach. It counts each address by
    itself."""
    with nginx_before(tmp_path, echo.address, "127.0.0.1:1") as proxied:
        url = f"{proxied.url}/download/secret-token/x.zip?q=secret"
        with ThreadPoolExecutor(16) as pool:  # one after the other would be too slow for a busy machine to be refused
            answers = list(pool.map(lambda _: fetch(url), range(300)))
        statuses = [status for status, _, _ in answers]
        refused = answers[statuses.index(429)]
        api = next(answer for answer in iter(lambda: fetch(f"{proxied.url}/api/v1/uploads"), None) if answer[0] == 429)
        other = http.client.HTTPConnection("127.0.0.1", proxied.port, source_address=("127.0.0.9", 0))
        with closing(other):
            other.request("GET", "/")
            status_of_other = other.getresponse().status
        log = proxied.nginx.process.log.read_text()

    assert set(statuses) == {200, 429}
    assert statuses.count(200) >= 100
    assert refused[1]["Retry-After"] == "10"
    assert "<!--#" not in refused[2].decode()
    assert "Too many requests" in refused[2].decode()
    assert (json.loads(api[2])["code"], api[1]["Retry-After"]) == ("proxy.too_many_requests", "10")
    assert status_of_other == 200
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert {(line["client"], line["method"], line["status"]) for line in lines} >= {("127.0.0.1", "GET", 429)}
    assert not re.search("secret|download", log)


def test_the_portal_is_down(tmp_path: Path) -> None:
    with nginx_before(tmp_path, "unix:no.sock", "unix:no.sock") as proxied:
        status, headers, body = fetch(f"{proxied.url}/search/?q=secret")
        api_status, api_headers, api_body = fetch(f"{proxied.url}/api/v1/uploads")
        log = proxied.nginx.process.log.read_text()

    assert (status, headers["Retry-After"], headers["Cache-Control"]) == (502, "30", "no-store")
    assert "Nothing that was stored is lost" in body.decode()
    assert (api_status, api_headers["Content-Type"]) == (502, "application/problem+json")
    assert json.loads(api_body)["code"] == "proxy.unavailable"
    assert "secret" not in log


def test_compose_fills_in_the_same_template() -> None:
    template = (ROOT / "proxy/nginx.conf.template").read_text()
    compose = (ROOT / "docker-compose.yml").read_text()
    names = {"PROXY_LISTEN", "PROXY_HOSTS", "PROXY_WEB", "PROXY_HEALTH", "PROXY_FRONT", "PROXY_ERRORS"}
    names |= {"PROXY_SITE", "PROXY_HSTS_SUBDOMAINS", "PROXY_HSTS_PRELOAD"}

    # The image's own script replaces variables with these names, and leaves nginx's variables alone.
    assert set(re.findall(r"\$\{([A-Z_]+)\}", template)) == names
    assert set(re.findall(r"^      (PROXY_\w+):", compose, re.MULTILINE)) == names
    assert 'ports: ["${WEB_PORT:-127.0.0.1:8000}:8080"]' in compose
    web = compose.split("\n  web:\n")[1].split("\n\n")[0]
    assert "ports:" not in web
