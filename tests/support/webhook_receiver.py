"""Receivers of webhooks: real HTTP and HTTPS servers on loopback, with certificates of a test authority."""

import ipaddress
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from django.db import transaction
from standardwebhooks import Webhook

from archive import webhooks
from archive.models import Space, User, WebhookDelivery, WebhookEndpoint, WebhookEvent
from archive.models.webhook import SUBSCRIBABLE
from archive.webhooks import endpoints

HOST = "hooks.example.org"
ALLOWED = [ipaddress.ip_network("127.0.0.0/8")]


@dataclass
class Received:
    """One request. `peer`: the address that it was sent to."""

    headers: dict[str, str]
    body: bytes
    peer: str

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def payload(self) -> dict[str, Any]:
        return dict(json.loads(self.body))

    def verify(self, secret: str) -> dict[str, Any]:
        """Return the payload after the reference library has verified it and its time. Raises if it is not valid."""
        return dict(Webhook(secret).verify(self.body, self.headers))


@dataclass
class Receiver:
    """A running server. `answers` has a status for each of the next requests; after these it answers `status`. Its
    threads call `before_answer` for each request."""

    url: str
    port: int
    received: list[Received] = field(default_factory=list)
    status: int = 204
    answers: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    before_answer: Callable[[], object] | None = None
    raw: Callable[[Any], object] | None = None  # writes the entire response itself

    @property
    def ids(self) -> list[str]:
        return [one.id for one in self.received]


class _Handler(BaseHTTPRequestHandler):
    receiver: Receiver

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.receiver.received.append(Received(headers, body, self.connection.getsockname()[0]))
        if self.receiver.before_answer:
            self.receiver.before_answer()
        if self.receiver.raw:
            self.receiver.raw(self.wfile)
            return
        self.send_response(self.receiver.answers.pop(0) if self.receiver.answers else self.receiver.status)
        for name, value in {**self.receiver.headers, "Content-Length": "0"}.items():
            self.send_header(name, value)
        self.end_headers()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore senders that break off: some tests do this on purpose."""


@contextmanager
def receive(tls: ssl.SSLContext | None = None, address: str = "127.0.0.1", port: int = 0) -> Iterator[Receiver]:
    """Listen on a free port of `address`; with `tls`, over HTTPS."""
    server = _Server((address, port), type("Handler", (_Handler,), {}))
    scheme = "https" if tls else "http"
    receiver = Receiver(f"{scheme}://{address}:{server.server_port}/events", server.server_port)
    server.RequestHandlerClass.receiver = receiver  # type: ignore[attr-defined]
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def allow_loopback(settings: Any) -> None:
    """Allow receivers on loopback, also without TLS."""
    settings.WEBHOOK_ALLOWED_NETWORKS = ALLOWED
    settings.WEBHOOK_ALLOW_HTTP = True


ENV = {"WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8", "WEBHOOK_ALLOW_HTTP": "1"}  # the same, for other processes


def subscribe(url: str, by: User, types: Any = SUBSCRIBABLE, name: str = "Desk") -> tuple[WebhookEndpoint, str]:
    """Create an endpoint for these types. Return it and its secret."""
    return endpoints.create(name, url, types, by)


def announce(space: Space, number: int = 1) -> WebhookDelivery:
    """Create a pending event of `space` for the only endpoint: the lift of its flag with this number."""
    (row,) = announce_to_all(space, number)
    return row


def announce_to_all(space: Space, number: int) -> list[WebhookDelivery]:
    """Like `announce`, for every endpoint."""
    with transaction.atomic():
        webhooks.announce(WebhookEvent.FLAG_LIFTED, space, number, violation=number, rule="spam")
    return list(WebhookDelivery.objects.filter(space=space, subject_id=str(number)))


def reload(delivery: WebhookDelivery) -> WebhookDelivery:
    return WebhookDelivery.objects.get(pk=delivery.pk)
