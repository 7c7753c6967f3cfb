"""Check where events may be sent: to public addresses, and to those in WEBHOOK_ALLOWED_NETWORKS.

An admin types the URL, and a foreign server resolves its name. So a request could reach a service that trusts its
network, such as a database or the metadata of a cloud (SSRF). Each attempt resolves the name once, checks every
address, and connects to one of those (post.py), so changing the name's address in between has no effect.
"""

import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import quote, urlsplit

import idna
from django.conf import settings

from archive.errors import DeliveryFailed, Refused

Address = IPv4Address | IPv6Address
Lookup = Callable[[str, int], list[str]]

MAX_URL = 2000  # characters
PORTS = {"https": 443, "http": 80}

# Addresses that are not public, after IANA's registries of special-purpose addresses. Listed here because Python's
# `is_global` differs between releases.
FORBIDDEN_V4 = [
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by customers of a provider; has the metadata of Alibaba Cloud
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # services of Azure for its machines: a public address that only they reach
        "169.254.0.0/16",  # link-local; has the metadata of most clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; has the metadata of Oracle Cloud
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
]
# Everything else is loopback, link-local, unique local, multicast, IPv4-mapped, NAT64 or unassigned.
PUBLIC_V6 = ipaddress.ip_network("2000::/3")
FORBIDDEN_V6 = [
    ipaddress.ip_network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: leads to the IPv4 address inside
        "3fff::/20",  # documentation
    )
]


@dataclass(frozen=True)
class Target:
    """A parsed URL. `host` is ASCII, or an IP address without brackets; `path` includes the query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def parse_url(url: str) -> Target:
    """Parse a URL. Raises Refused unless it is https (or, with WEBHOOK_ALLOW_HTTP, http), and for a forbidden IP
    address."""
    if len(url) > MAX_URL:
        raise Refused("webhook.url_too_long", length=len(url), limit=MAX_URL)
    if "\\" in url or any(character.isspace() or not character.isprintable() for character in url):
        raise Refused("webhook.bad_url")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Refused("webhook.bad_url") from None
    if parts.scheme != "https" and not (parts.scheme == "http" and settings.WEBHOOK_ALLOW_HTTP):
        raise Refused("webhook.not_https")
    if "@" in parts.netloc:
        raise Refused("webhook.url_with_password")
    if "#" in url:
        raise Refused("webhook.url_with_fragment")
    if not host or port == 0:
        raise Refused("webhook.bad_url")
    query = f"?{parts.query}" if parts.query else ""
    path = quote(f"{parts.path or '/'}{query}", safe="!#$%&'()*+,/:;=?@[]~")
    return Target(parts.scheme, _ascii_host(host), port or PORTS[parts.scheme], path)


def _ascii_host(host: str) -> str:
    literal = _parse_address(host)
    if literal is not None:
        if not is_allowed(literal):
            raise Refused("webhook.forbidden_address", host=host, address=str(literal))
        return str(literal)
    try:
        return idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        raise Refused("webhook.bad_host", host=host) from None


def _parse_address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def is_allowed(address: Address) -> bool:
    """Return whether events may be sent there."""
    return is_public(address) or any(address in network for network in settings.WEBHOOK_ALLOWED_NETWORKS)


def is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in FORBIDDEN_V4)
    return address in PUBLIC_V6 and not any(address in network for network in FORBIDDEN_V6)


def look_up(host: str, port: int) -> list[str]:
    """Return the addresses of a host, as the system resolves it. Raises OSError."""
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(answer[4][0]) for answer in answers]


def find_addresses(target: Target, lookup: Lookup = look_up) -> list[Address]:
    """Resolve the host, once. Raises DeliveryFailed without an address, and if any of them is forbidden: a name with
    allowed and forbidden addresses is an attempt to bypass the check."""
    try:
        found = [_parse_address(text) for text in lookup(target.host, target.port)]
    except (OSError, UnicodeError):  # UnicodeError: a label that the resolver's codec refuses
        found = []
    addresses = [address for address in found if address is not None]
    if not addresses:
        raise DeliveryFailed("webhook.unknown_host", host=target.host)
    for address in addresses:
        if not is_allowed(address) or (target.scheme == "http" and not address.is_loopback):
            raise DeliveryFailed("webhook.forbidden_address", host=target.host, address=str(address))
    return list(dict.fromkeys(addresses))
