"""A server for tests of a proxy, which shows what the proxy passes on."""

import socket
import threading


class Echo:
    """A server that answers each request with the request, and closes the connection."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.requests: list[bytes] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                end, _ = self.listener.accept()
            except OSError:
                return
            with end:
                request = end.recv(65536)
                self.requests.append(request)
                end.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + request)
