"""Serve the counts of this process and its children (portal/process_metrics.py) on a separate port.

A thread of the parent answers, so it never waits behind clients or tasks. Misbehaving clients can occupy only a few
threads for a few seconds.
"""

import os
import socket
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import structlog
from django.conf import settings

from portal import metrics_access, process_metrics

MAX_CONNECTIONS = 4  # at once; Prometheus needs one
MAX_SECONDS = 10.0  # that a connection may last, even if it sends or reads slowly
TIDY_SECONDS = 60.0

logger = structlog.get_logger()


def serve() -> None:
    """Answer GET /metrics on METRICS_PORT, in a thread. If the port is taken, the process runs without metrics."""
    if not (process_metrics.is_on() and settings.METRICS_PORT):
        return
    if not settings.METRICS_TOKEN:
        logger.warning("metrics_without_token", port=settings.METRICS_PORT)
        return
    try:
        server = Server(("", settings.METRICS_PORT), Handler)
    except OSError as error:
        logger.error("metrics_port_taken", port=settings.METRICS_PORT, error=error.strerror)
        return
    os.register_at_fork(after_in_child=server.socket.close)  # children would keep the port after their parent's death
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()


class Server(ThreadingHTTPServer):
    """Close connections if there are too many, or if they take too long.

    Where there are too many, the oldest of those that have not shown the token makes room. So clients that send nothing
    keep nobody out: a scrape shows its token as soon as it is connected.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._open: dict[Any, float] = {}  # {connection: when to close it}, the oldest first
        self._allowed: set[Any] = set()  # of these: the ones with the token
        self._tidied_at = time.monotonic()
        super().__init__(*args, **kwargs)

    def process_request(self, request: Any, client_address: Any) -> None:
        if len(self._open) >= MAX_CONNECTIONS and not self._make_room():
            self.shutdown_request(request)
            return
        self._open[request] = time.monotonic() + MAX_SECONDS
        super().process_request(request, client_address)

    def _make_room(self) -> bool:
        """Close a connection. Returns False if all of them are being answered."""
        for connection in self._open.copy():
            if connection not in self._allowed:
                self._open.pop(connection, None)
                _break(connection)
                return True
        return False

    def allow(self, connection: Any) -> None:
        """It has shown the token, and is answered."""
        self._allowed.add(connection)

    def shutdown_request(self, request: Any) -> None:
        self._open.pop(request, None)
        self._allowed.discard(request)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Close late connections. Called twice a second, in the thread that accepts connections."""
        now = time.monotonic()
        for connection, until in self._open.copy().items():
            if now >= until:
                _break(connection)
        if now - self._tidied_at >= TIDY_SECONDS:
            self._tidied_at = now
            process_metrics.tidy()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log the error as a line; the default is a plain traceback."""
        logger.warning("metrics_failed", exc_info=True)


class Handler(BaseHTTPRequestHandler):
    server_version, sys_version = "Spacekeep", ""
    timeout = MAX_SECONDS

    def do_GET(self) -> None:
        status = metrics_access.refusal(self.headers.get("Authorization", ""))
        if status is None:
            cast(Server, self.server).allow(self.connection)
        if self.path != "/metrics":
            status = HTTPStatus.NOT_FOUND
        body = b""
        try:
            body = b"" if status else process_metrics.collect()
        except process_metrics.UNREADABLE as error:
            logger.warning("metrics_unreadable", error=repr(error))
            status = HTTPStatus.SERVICE_UNAVAILABLE
        self.send_response(status or HTTPStatus.OK)
        self.send_header("Content-Type", metrics_access.CONTENT_TYPE)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        if status == HTTPStatus.UNAUTHORIZED:
            self.send_header(*metrics_access.CHALLENGE)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815  (the name that the base class looks for)

    def handle(self) -> None:
        try:
            super().handle()
        except (ConnectionError, TimeoutError):
            self.close_connection = True  # the client went away

    def log_message(self, format: str, *args: object) -> None:
        """Don't log scrapes."""


def _break(connection: socket.socket) -> None:
    """Shut the connection down: the thread that reads or writes gets an error and closes it."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:  # the client closed it, or the thread has just done so
        return
