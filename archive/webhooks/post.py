"""Send one request: to a given address, without proxies and redirects, with limits of time and size.

Uses http.client because libraries above it derive the address from the name, read proxies from the environment, and
limit the time of each read but not of the whole: a receiver that sends a byte now and then would block a worker.
"""

import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings

from archive.errors import DeliveryFailed
from archive.webhooks.addresses import Address, Target

CONNECT_SECONDS = 5
SECONDS = 15  # for the whole attempt, except for resolving the name, which has the limits of the system
MAX_ANSWER = 64 * 1024  # bytes of the status and the headers; nothing else is read


@dataclass(frozen=True)
class Answer:
    status: int
    retry_after: str


def post(target: Target, addresses: Sequence[Address], headers: Mapping[str, str], body: bytes) -> Answer:
    """POST `body` to one of `addresses`, the resolved ones of `target`. Does not read the body of the answer. Raises
    DeliveryFailed."""
    deadline = time.monotonic() + SECONDS
    try:
        with _connect(addresses, target.port, deadline) as connected, _secure(connected, target, deadline) as sock:
            return _exchange(sock, deadline, target, headers, body)
    except ssl.SSLError as error:
        reason = getattr(error, "verify_message", "") or error.reason or type(error).__name__
        raise DeliveryFailed("webhook.tls_failed", error=reason) from None
    except TimeoutError:
        raise DeliveryFailed("webhook.timed_out", seconds=SECONDS) from None
    except OSError as error:
        raise DeliveryFailed("webhook.not_reachable", error=error.strerror or type(error).__name__) from None
    except http.client.HTTPException as error:  # only its class: its text repeats the receiver's data
        raise DeliveryFailed("webhook.bad_answer", error=type(error).__name__) from None


def _connect(addresses: Sequence[Address], port: int, deadline: float) -> socket.socket:
    """Connect to the first address that answers. Raises the OSError of the last one."""
    for number, address in enumerate(addresses, start=1):
        seconds = min(CONNECT_SECONDS, _remaining(deadline))
        try:
            return socket.create_connection((str(address), port), timeout=seconds)
        except OSError:
            if number == len(addresses):
                raise
    raise OSError("no address")


def _secure(sock: socket.socket, target: Target, deadline: float) -> socket.socket:
    if target.scheme == "http":
        return sock
    sock.settimeout(_remaining(deadline))  # for the whole handshake
    return tls_context(settings.WEBHOOK_CA_BUNDLE).wrap_socket(sock, server_hostname=target.host)


@lru_cache(maxsize=2)
def tls_context(ca_file: str) -> ssl.SSLContext:
    """Return a context that trusts the system's authorities and those in `ca_file`. Python's default allows TLS 1.2 and
    later."""
    context = ssl.create_default_context()
    if ca_file:
        context.load_verify_locations(ca_file)
    return context


def _exchange(sock: socket.socket, deadline: float, target: Target, headers: Mapping[str, str], body: bytes) -> Answer:
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.sock = _TimedSocket(sock, deadline)
    connection.request("POST", target.path, body, {"Host": target.host_header, **headers, "Connection": "close"})
    response = connection.getresponse()
    return Answer(response.status, response.headers.get("Retry-After", ""))


def _remaining(deadline: float) -> float:
    """Return the seconds left. Raises TimeoutError."""
    if (left := deadline - time.monotonic()) <= 0:
        raise TimeoutError
    return left


class _TimedSocket:
    """The socket methods that http.client needs, with one deadline for all of them."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock, self._deadline = sock, deadline

    def sendall(self, data: Any) -> None:
        self._sock.settimeout(_remaining(self._deadline))
        self._sock.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._sock, self._deadline))

    def close(self) -> None:
        """Do nothing: the caller closes the socket."""


class _TimedReader(io.RawIOBase):
    def __init__(self, sock: socket.socket, deadline: float) -> None:
        super().__init__()
        self._sock, self._deadline, self._left = sock, deadline, MAX_ANSWER

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._left <= 0:
            raise http.client.LineTooLong("answer")
        self._sock.settimeout(_remaining(self._deadline))
        count = self._sock.recv_into(buffer)
        self._left -= count
        return count
