"""Start the three engines of one data folder in parallel, and stop them together."""

import fcntl
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import IO

from embedded import identity
from embedded.engine import Engine, EngineError
from embedded.postgres import Postgres
from embedded.seaweedfs import BUCKET, REGION, SeaweedFS
from embedded.state import State
from embedded.valkey import Valkey

__all__ = ["EngineError", "Engines", "Postgres", "SeaweedFS", "Valkey"]


class Engines:
    """PostgreSQL, Valkey and SeaweedFS with their data, secrets, ports and logs under `data_dir` (mode 0700).

    `fast` makes PostgreSQL quick but not safe against a power cut, for tests. `check` is called while waiting, and may
    raise to stop the wait. Start from the main thread: Linux ends the engines when the thread that started them ends.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        logs: Path | None = None,
        fast: bool = False,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self.data_dir = data_dir.absolute()
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        logs = logs or self.data_dir / "logs"
        self._state = state = State(self.data_dir / "engines.json")
        self.postgres = Postgres(self.data_dir, state, logs, check, fast=fast)
        self.valkey = Valkey(self.data_dir, state, logs, check)
        self.seaweedfs = SeaweedFS(self.data_dir, state, logs, check)
        self._lock: IO[str] | None = None

    @property
    def all(self) -> tuple[Engine, ...]:
        return (self.seaweedfs, self.valkey, self.postgres)  # the slowest to start is first

    @property
    def running(self) -> bool:
        return all(engine.running for engine in self.all)

    @property
    def env(self) -> dict[str, str]:
        """Return the settings of these engines for the portal. Call it after `start`."""
        return {
            "DATABASE_URL": self.postgres.url,
            "DATABASE_OWNER_URL": self.postgres.owner_url,
            "BROKER_URL": self.valkey.url,
            "S3_ENDPOINT_URL": self.seaweedfs.url,
            "S3_PUBLIC_ENDPOINT_URL": self.seaweedfs.url,
            "S3_BUCKET": BUCKET,
            "S3_REGION": REGION,
            "S3_ACCESS_KEY_ID": self.seaweedfs.access_key,
            "S3_SECRET_ACCESS_KEY": self.seaweedfs.secret_key,
        }

    def start(self) -> None:
        """Start all three and wait until they are ready. If one fails, all are stopped. Raises EngineError."""
        self._take_lock()
        try:
            for engine in self.all:
                engine.launch()
            for engine in self.all:
                engine.wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self, hurry: Callable[[], bool] = lambda: False) -> None:
        """Stop all three; kill those that do not stop in time, or all as soon as `hurry()` returns True."""
        for engine in self.all:
            engine.process.ask_to_stop(engine.stop_signal)
        for engine in self.all:
            engine.stop(hurry)
        if self._lock:
            self._lock.close()
            self._lock = None

    def destroy(self) -> None:
        """Stop the engines and remove `data_dir` and all other data of them. For tests."""
        self.stop(hurry=lambda: True)
        identity.remove_home(self._state)
        shutil.rmtree(self.data_dir, ignore_errors=True)

    def _take_lock(self) -> None:
        if self._lock:
            return
        lock = (self.data_dir / "engines.lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            raise EngineError(f"the engines in {self.data_dir} are already running") from error
        self._lock = lock
