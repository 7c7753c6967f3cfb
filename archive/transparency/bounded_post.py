"""POST to a server that may be slow, broken or hostile: bounded in time and size, without redirects or proxies."""

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit


class PostFailed(Exception):
    """There is no usable answer; the message says why in a few words."""


@dataclass(frozen=True)
class Answer:
    """An answer with any HTTP status."""

    status: int
    body: bytes


def post(url: str, body: bytes, content_type: str, *, seconds: float, most: int) -> bytes:
    """Return the body of a 200 answer: see `exchange`. Raises PostFailed, also for another status."""
    answer = exchange(url, body, content_type, seconds=seconds, most=most)
    if answer.status != 200:
        raise PostFailed(f"status {answer.status}")
    return answer.body


def exchange(url: str, body: bytes, content_type: str, *, seconds: float, most: int) -> Answer:
    """Return the answer, with a body of at most `most` bytes, within `seconds` from the connection to the last byte;
    connecting may take as long again. Raises PostFailed. Follows no redirect and uses no proxy, because the operator
    has named only this address."""
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    is_over = threading.Event()
    try:
        with closing(_connection(url, seconds)) as connection:
            connection.connect()
            with _time_limit(connection.sock, seconds, is_over):
                connection.request("POST", path, body, {"Content-Type": content_type, "User-Agent": "Spacekeep"})
                response = connection.getresponse()
                answer = Answer(response.status, response.read(most + 1))
    except (OSError, http.client.HTTPException) as error:
        raise PostFailed("it took too long" if is_over.is_set() else type(error).__name__) from error
    if is_over.is_set():
        raise PostFailed("it took too long")
    if len(answer.body) > most:
        raise PostFailed(f"more than {most} bytes")
    return answer


def _connection(url: str, seconds: float) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    if parts.scheme == "https":
        return http.client.HTTPSConnection(host, port, timeout=seconds, context=ssl.create_default_context())
    return http.client.HTTPConnection(host, port, timeout=seconds)


@contextmanager
def _time_limit(sock: socket.socket, seconds: float, is_over: threading.Event) -> Iterator[None]:
    """Cut the connection after `seconds`. A socket's own timeout restarts at each byte.

    Takes the socket, since http.client forgets it (`connection.sock` is None) when the answer says "Connection: close".
    """
    timer = threading.Timer(seconds, _cut, [sock, is_over])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _cut(sock: socket.socket, is_over: threading.Event) -> None:
    is_over.set()  # first, so that the reader knows why the connection ended
    with suppress(OSError):
        # Not SSLSocket.shutdown, which also takes the TLS state away from a thread that is reading.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
