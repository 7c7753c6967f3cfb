"""A proxy in front of a real object store that answers some requests itself, slowly, or not at all.

It passes requests on byte by byte with their own Host header, so that their signatures stay valid. A Fault defines
which requests fail, how, and how often.
"""

import http.client
import re
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from tests.support.http_server import serve

ERROR = "<?xml version='1.0'?><Error><Code>{}</Code><Message>A bad day.</Message></Error>"
HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


@dataclass
class Fault:
    """A failure of requests whose first line matches `request`: `PUT /bucket/key?partNumber=1&... copy`, where ` copy`
    stands for the header of a copy. `times`: how often; None for always.

    `status` and `code`: answer with them, without the store. `after_seconds`: wait before the request. `lost`: the
    store does it, and the connection breaks before the answer. `changed`: a function that changes the store's answer.
    """

    request: str
    times: int | None = None
    status: int = 0
    code: str = ""
    after_seconds: float = 0
    lost: bool = False
    changed: Callable[[bytes], bytes] | None = None
    seen: int = field(default=0, init=False)

    def takes(self, line: str) -> bool:
        if not re.search(self.request, line) or (self.times is not None and self.seen >= self.times):
            return False
        self.seen += 1
        return True


@dataclass
class Asked:
    """A request. `query` has "" for parameters without a value. Header names are lower case. A profile may change the
    headers before the store sees them."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    target: str  # path and query, as sent to the store


Answer = tuple[int, list[tuple[str, str]], bytes]


class Proxy:
    """A context in which `url` is the store at `target`, with `faults`. `tls`: over HTTPS."""

    tls: ssl.SSLContext | None = None

    def __init__(self, target: str, *faults: Fault) -> None:
        self.target = urlsplit(target).netloc
        self.faults = list(faults)
        self.lines: list[str] = []
        self.lock = threading.Lock()

    def __enter__(self) -> Self:
        self._served = serve(_Handler, self.tls, proxy=self)
        self.url = self._served.__enter__()
        return self

    def __exit__(self, *args: object) -> None:
        self._served.__exit__(None, None, None)

    def refuse(self, asked: Asked) -> Answer | None:
        """Return the answer if the proxy answers itself. Profiles of stores (tests/support/store_profiles.py) do."""
        return None

    def change(self, asked: Asked, answer: Answer) -> Answer:
        """Return the store's answer, changed as the profile wants it."""
        return answer

    def fault(self, line: str) -> Fault | None:
        with self.lock:
            self.lines.append(line)
            return next((fault for fault in self.faults if fault.takes(line)), None)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: Proxy

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: the tests say what they saw."""

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        copy = " copy" if "x-amz-copy-source" in self.headers else ""
        fault = self.proxy.fault(f"{self.command} {self.path}{copy}")
        if fault and fault.after_seconds:
            time.sleep(fault.after_seconds)
        if fault and fault.status:
            self._answer(fault.status, [("Content-Type", "application/xml")], ERROR.format(fault.code).encode())
            return
        where = urlsplit(self.path)
        asked = Asked(
            self.command,
            where.path,
            dict(parse_qsl(where.query, keep_blank_values=True)),
            {name.lower(): value for name, value in self.headers.items()},
            body,
            self.path,
        )
        refused = self.proxy.refuse(asked)
        status, headers, content = self.proxy.change(asked, refused or self._ask(asked))
        if fault and fault.lost:
            self.close_connection = True
            self.connection.close()
            return
        self._answer(status, headers, fault.changed(content) if fault and fault.changed else content)

    do_PUT = do_POST = do_DELETE = do_HEAD = do_OPTIONS = do_GET  # noqa: N815

    def _ask(self, asked: Asked) -> Answer:
        store = http.client.HTTPConnection(self.proxy.target, timeout=60)
        try:
            store.putrequest(self.command, asked.target, skip_host=True, skip_accept_encoding=True)
            for name, value in asked.headers.items():
                if name != "expect":
                    store.putheader(name, value)
            store.endheaders(asked.body)
            answer = store.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            store.close()

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        length = next((value for name, value in headers if name.lower() == "content-length"), "0")
        for name, value in headers:
            if name.lower() not in HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", length if self.command == "HEAD" else str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
