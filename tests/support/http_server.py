"""Run an HTTP server in a thread of the tests."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that break off or do not speak TLS: some tests do this on purpose."""


@contextmanager
def serve(handler: type[BaseHTTPRequestHandler], tls: ssl.SSLContext | None = None, **shared: object) -> Iterator[str]:
    """Serve on a free port; yield the URL. `tls`: over HTTPS. `shared` become attributes of the handler's class.

    Headers and body of a response are two writes: without TCP_NODELAY the second waits 40 ms for the client's ACK.
    """
    server = _Server(("127.0.0.1", 0), type("Handler", (handler,), {"disable_nagle_algorithm": True, **shared}))
    server.daemon_threads = True
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
