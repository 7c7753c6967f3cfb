"""Clients that open connections and then do almost nothing."""

import random
import selectors
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

HALF_HEADER = b"POST /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Le"
HALF_BODY = (  # with a CSRF cookie: Django looks for its token in the body, and waits for the rest
    b"POST /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Cookie: csrftoken=abcdefghijklmnopqrstuvwxyzABCDEF\r\nContent-Length: 1000\r\n\r\nlogin="
)
# The response is larger than the buffers of a connection, and is never read.
SLOW_READER = b"GET /static/uppy/uppy.min.mjs HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
KINDS = (HALF_HEADER, HALF_BODY, SLOW_READER)


class IdleClients:
    """Connections of all `KINDS` in turn, from addresses of this machine (127.0.0.2 and up)."""

    def __init__(self, port: int, count: int, addresses: Sequence[str] = ("127.0.0.2",)) -> None:
        self._port, self._count, self._addresses = port, count, addresses
        self._sockets: list[tuple[socket.socket, bytes]] = []

    def fill(self) -> None:
        """Open missing connections, and those that the server has closed."""
        gone = [end for end, sent in self._sockets if not _is_open(end, sent)]
        self._sockets = [(end, sent) for end, sent in self._sockets if end not in gone]
        for end in gone:
            end.close()
        kinds = [sent for _, sent in self._sockets]
        while len(self._sockets) < self._count:
            sent = min(KINDS, key=kinds.count)
            kinds.append(sent)
            end = socket.socket()
            self._sockets.append((end, sent))
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            end.bind((random.choice(self._addresses), 0))
            end.connect(("127.0.0.1", self._port))
            end.sendall(sent)

    def count_open(self) -> int:
        return sum(_is_open(end, sent) for end, sent in self._sockets)

    def close(self) -> None:
        for end, _ in self._sockets:
            with suppress(OSError):
                end.close()


def _is_open(end: socket.socket, sent: bytes) -> bool:
    """Return whether the server keeps the connection: it has sent nothing, or, to a slow reader, not everything."""
    with selectors.DefaultSelector() as selector:
        selector.register(end, selectors.EVENT_READ)
        if not selector.select(0):
            return True
        if sent != SLOW_READER:
            return False  # a response, or the end of the connection
        with suppress(OSError):
            return bool(end.recv(1, socket.MSG_PEEK))
        return False


@contextmanager
def idle_clients(port: int, count: int, addresses: Sequence[str] = ("127.0.0.2",)) -> Iterator[IdleClients]:
    clients = IdleClients(port, count, addresses)
    try:
        clients.fill()
        yield clients
    finally:
        clients.close()
