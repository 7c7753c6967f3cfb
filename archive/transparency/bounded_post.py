"""POST to a server that may be slow, broken or hostile: bounded in time and size, without redirects."""

import http.client
import ssl
import threading
from contextlib import closing, suppress
from socket import SHUT_RDWR
from urllib.parse import urlsplit


class PostFailed(Exception):
    """There is no usable answer; the message says why in a few words."""


def post(url: str, body: bytes, content_type: str, *, seconds: float, most: int) -> bytes:
    """Return the body of a 200 answer, at most `most` bytes, within `seconds` from the connection to the last byte.
    Raises PostFailed. Follows no redirect, because the operator has named only this address."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    if parts.scheme == "https":
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, port, timeout=seconds, context=ssl.create_default_context()
        )
    else:
        connection = http.client.HTTPConnection(host, port, timeout=seconds)
    # A socket's timeout restarts at each byte. The timer also ends an answer that comes a byte at a time.
    is_over = threading.Event()
    timer = threading.Timer(seconds, _cut, [connection, is_over])
    timer.daemon = True
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    with closing(connection):
        timer.start()
        try:
            connection.request("POST", path, body, {"Content-Type": content_type, "User-Agent": "Spacekeep"})
            response = connection.getresponse()
            answer = response.read(most + 1)
        except (OSError, http.client.HTTPException) as error:
            reason = "it took too long" if is_over.is_set() else type(error).__name__
            raise PostFailed(reason) from error
        finally:
            timer.cancel()
    if is_over.is_set():
        raise PostFailed("it took too long")
    if response.status != 200:
        raise PostFailed(f"status {response.status}")
    if len(answer) > most:
        raise PostFailed(f"more than {most} bytes")
    return answer


def _cut(connection: http.client.HTTPConnection, is_over: threading.Event) -> None:
    is_over.set()  # first, so that the reader knows why the connection ended
    if connection.sock is not None:
        with suppress(OSError):
            connection.sock.shutdown(SHUT_RDWR)
