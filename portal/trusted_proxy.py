"""Trust only the proxy: other peers may share a network with the web process, as workers do in compose.

Headers of other peers about client and scheme are removed before anything reads them.
"""

import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

# Every header that the portal takes from a proxy.
HEADERS = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_REQUEST_ID")
KNOWN_SECONDS = 30  # how long the addresses of a name are cached
UNKNOWN_SECONDS = 1  # a restarted proxy has a new address

logger = structlog.get_logger()


class TrustedProxyMiddleware:
    """Must be the first middleware. PROXY_ADDRESSES names the proxy; if it is empty, every peer is trusted."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.proxies = Proxies(settings.PROXY_ADDRESSES)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not self.proxies.include(request.META.get("REMOTE_ADDR", "")):
            for header in HEADERS:
                request.META.pop(header, None)
        return self.get_response(request)


class Proxies:
    """The addresses of the proxies: networks, and the addresses of host names, which may change at runtime."""

    def __init__(self, entries: Iterable[str]) -> None:
        self._networks, self._names = [], []
        for entry in entries:
            try:
                self._networks.append(ipaddress.ip_network(entry))
            except ValueError:
                self._names.append(entry)
        self._resolved: frozenset[str] = frozenset()
        self._resolved_at = float("-inf")
        self._lock = threading.Lock()

    def include(self, peer: str) -> bool:
        """Whether the peer at this address is a proxy. "" is a Unix socket: the permissions of its folder control
        access."""
        if not peer or not (self._networks or self._names):
            return True
        address = ipaddress.ip_address(peer)
        address = getattr(address, "ipv4_mapped", None) or address
        if any(address in network for network in self._networks):
            return True
        return bool(self._names) and self._is_resolved(str(address))

    def _is_resolved(self, address: str) -> bool:
        with self._lock:
            age = time.monotonic() - self._resolved_at
            if age > (KNOWN_SECONDS if address in self._resolved else UNKNOWN_SECONDS):
                self._resolved = frozenset().union(*map(_resolve, self._names))
                self._resolved_at = time.monotonic()
            return address in self._resolved


def _resolve(name: str) -> set[str]:
    try:
        return {str(found[4][0]) for found in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)}
    except OSError as error:
        logger.warning("proxy_unresolved", name=name, error=error.strerror)
        return set()
