"""Keep the ports and secrets of a data folder between starts, in one file that only its owner can read."""

import contextlib
import json
import os
import random
import secrets
import socket
from functools import cache
from pathlib import Path

HOST = "127.0.0.1"
HOST_6 = "::1"
HOST_NAME = "localhost"  # HOST or HOST_6. For browsers, which allow passkeys only where the host has a name
# Below Linux's ephemeral ports (32768 and up), so no outgoing connection takes one while its engine is down.
PORTS = range(12_000, 22_000)
# SeaweedFS expects each gRPC port at its HTTP port + 10,000, so every port is taken together with this twin.
TWIN = 10_000


def write_private(path: Path, text: str) -> None:
    """Replace a file atomically. Only its owner can read it (mode 0600)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)


def is_free(port: int) -> bool:
    """Return whether the port is free on both addresses of HOST_NAME: another program on HOST_6 would get the requests
    of browsers. Closed connections in TIME_WAIT do not count."""
    for family, host in ((socket.AF_INET, HOST), (socket.AF_INET6, HOST_6)):
        if family == socket.AF_INET6 and not has_ipv6():
            continue
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                return False
    return True


@cache
def has_ipv6() -> bool:
    """Return whether this machine has HOST_6."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind((HOST_6, 0))
    except OSError:
        return False
    return True


def occupy_ipv6(port: int) -> socket.socket | None:
    """Occupy HOST_6:`port` until the socket is closed, for a server that listens only on HOST: browsers are refused
    there and try HOST. Returns None without IPv6. Raises OSError if the port is taken."""
    if not has_ipv6():
        return None
    occupied = socket.socket(socket.AF_INET6)
    try:
        occupied.bind((HOST_6, port))
    except OSError:
        occupied.close()
        raise
    return occupied


def claim(port: int) -> socket.socket | None:
    """Reserve a port for a later server by binding its twin until the socket is closed. Return None if it is taken."""
    with contextlib.suppress(OSError):
        return socket.create_server((HOST, port + TWIN)) if is_free(port) else None
    return None


class State:
    """Names with their values, saved at every change. A value stays as long as the data folder."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._values: dict[str, str | int] = json.loads(path.read_text()) if path.exists() else {}

    def _save(self, name: str, value: str | int) -> None:
        self._values[name] = value
        write_private(self._path, json.dumps(self._values, indent=1))

    def secret(self, name: str) -> str:
        """Return 256 random bits as hex digits, created at the first call."""
        if name not in self._values:
            self._save(name, secrets.token_hex(32))
        return str(self._values[name])

    def text(self, name: str) -> str | None:
        value = self._values.get(name)
        return None if value is None else str(value)

    def remember(self, name: str, value: str) -> None:
        self._save(name, value)

    def port(self, name: str) -> int:
        """Return the port that `settle_port` chose last."""
        return int(self._values[f"port:{name}"])

    def settle_port(self, name: str) -> int:
        """Return the port of the last start if it is free now, otherwise choose and save another."""
        key = f"port:{name}"
        saved = self._values.get(key)
        if isinstance(saved, int) and is_free(saved) and is_free(saved + TWIN):
            return saved
        taken = {value for name, value in self._values.items() if name.startswith("port:")}
        for port in random.SystemRandom().sample(PORTS, 200):
            if port not in taken and is_free(port) and is_free(port + TWIN):
                self._save(key, port)
                return port
        raise OSError(f"no free port between {PORTS.start} and {PORTS.stop}")
