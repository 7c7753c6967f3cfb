"""A running store: its processes, its URL and its key."""

import random
import signal
import time
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

from embedded.process import Process, last_lines
from embedded.state import HOST, PORTS, is_free
from tests.stores._software import Unavailable

ACCESS_KEY = "spacekeepaccesskey00"
SECRET_KEY = "only-for-tests-of-stores-0123456789abcdef"
READY_SECONDS = 120.0


class Server(ABC):
    """`folder` has its data and logs. `start` downloads what it needs, and returns once it responds."""

    label: ClassVar[str]  # the name in docs/stores.md
    region: ClassVar[str] = "us-east-1"
    ca: Path | None = None  # the authority that signed its certificate
    files: tuple[str, ...] = ()  # folders inside `folder` with the stored data; none if it is in memory

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[Process] = []
        self.version = ""

    @abstractmethod
    def start(self) -> None:
        """Raises Unavailable."""

    @property
    @abstractmethod
    def url(self) -> str: ...

    access_key = ACCESS_KEY
    secret_key = SECRET_KEY

    @property
    def env(self) -> dict[str, str]:
        """Return the settings for this store."""
        ours = {
            "S3_ENDPOINT_URL": self.url,
            "S3_PUBLIC_ENDPOINT_URL": self.url,
            "S3_BUCKET": "recordings",
            "S3_REGION": self.region,
            "S3_ACCESS_KEY_ID": self.access_key,
            "S3_SECRET_ACCESS_KEY": self.secret_key,
        }
        return ours | ({"S3_CA_BUNDLE": str(self.ca)} if self.ca else {})

    def spawn(self, name: str, *command: str, env: Mapping[str, str] | None = None) -> Process:
        process = Process(name, self.folder / f"{name}.log")
        process.spawn(command, cwd=self.folder, env=env, death_signal=signal.SIGKILL)
        self.processes.append(process)
        return process

    def wait(self, answers: Callable[[], bool], what: str) -> None:
        """Wait until it `answers`. Raises Unavailable if one of its processes ends first, or after two minutes."""
        deadline = time.monotonic() + READY_SECONDS
        while not answers():
            for process in self.processes:
                if not process.running:
                    raise Unavailable(f"{process.name} ended:{last_lines(process.log)}")
            if time.monotonic() > deadline:
                raise Unavailable(f"{what} did not answer in {READY_SECONDS:.0f} s; logs: {self.folder}")
            time.sleep(0.1)

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.stop(signal.SIGTERM, 5)


def free_ports(count: int) -> list[int]:
    """Return ports on which nobody listens, below those of outgoing connections."""
    free = (port for port in random.SystemRandom().sample(PORTS, len(PORTS)) if is_free(port))
    return [next(free) for _ in range(count)]


def answers_http(port: int) -> bool:
    """Return whether a server speaks HTTP there; a refusal counts, too."""
    try:
        urllib.request.urlopen(f"http://{HOST}:{port}/", timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def accepts(port: int) -> bool:
    """Return whether a server accepts connections there."""
    return not is_free(port)
