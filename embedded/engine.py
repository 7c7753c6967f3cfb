"""The base class of engines and nginx: a data folder, ports that stay the same, and a start that waits until ready."""

import signal
import sysconfig
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from embedded.process import Process, ProcessError, family, kill_all, last_lines, send
from embedded.state import State

READY_SECONDS = 180.0


class EngineError(ProcessError):
    """An engine failed to start. The message ends with the last lines of its log."""


class Engine(ABC):
    """One server process. `check` is called while waiting, and may raise to stop the wait."""

    name: str
    stop_signal = signal.SIGTERM
    stop_seconds = 10.0

    def __init__(self, data_dir: Path, state: State, logs: Path, check: Callable[[], None]) -> None:
        self.folder = data_dir / self.name
        self.process = Process(self.name, logs / f"{self.name}.log")
        self._state = state
        self._check = check
        self._pid_file = data_dir / f"{self.name}.pid"
        self._settled = False

    @property
    def running(self) -> bool:
        return self.process.running

    def start(self) -> None:
        """Start the engine and wait until it is ready. Raises EngineError."""
        self.launch()
        self.wait_until_ready()

    def launch(self) -> None:
        """Start without waiting. The first launch chooses the ports; later launches keep them."""
        if self.running:
            return
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise EngineError(f"{self.name} cannot have its folder: {error}") from error
        self._end_leftover()
        if not self._settled:
            for port in self.ports:
                self._state.settle_port(port)
            self._settled = True
        self._spawn()
        self._pid_file.write_text(str(self.process.pid))

    def wait_until_ready(self) -> None:
        """Wait until the engine is ready. Raises EngineError if it ends before, or is not ready after three minutes."""
        deadline = time.monotonic() + READY_SECONDS
        while not self._answers():
            self._check()
            if not self.running:
                raise EngineError(f"{self.name} ended while it started:{last_lines(self.process.log)}")
            if time.monotonic() > deadline:
                raise EngineError(f"{self.name} did not answer:{last_lines(self.process.log)}")
            time.sleep(0.02)

    def stop(self, hurry: Callable[[], bool] = lambda: False) -> None:
        """Stop gracefully; kill the process after `stop_seconds`, or as soon as `hurry()` returns True."""
        self.process.stop(self.stop_signal, self.stop_seconds, hurry)
        self._pid_file.unlink(missing_ok=True)

    def kill(self) -> None:
        """Kill the process (SIGKILL), as a crash would."""
        self.process.kill()

    def port(self, name: str) -> int:
        return self._state.port(name)

    def _end_leftover(self) -> None:
        """Wait up to 5 seconds until the process of an earlier start has ended, then kill it. After a SIGKILL of
        `make run` it may still be stopping."""
        try:
            pid = int(self._pid_file.read_text())
        except (OSError, ValueError):
            return
        deadline = time.monotonic() + 5
        while self._is_ours(pid) and time.monotonic() < deadline:
            time.sleep(0.02)
        if self._is_ours(pid):
            below = family(pid)
            send(pid, signal.SIGKILL)
            kill_all(below)
        self._pid_file.unlink(missing_ok=True)

    def _is_ours(self, pid: int) -> bool:
        """Return whether `pid` is the engine of an earlier start: it works in our folder, and this start did not create
        it. The system may have given the pid to another process."""
        try:
            return pid != self.process.pid and Path(f"/proc/{pid}/cwd").samefile(self._working_folder)
        except OSError:
            return False

    @property
    def _working_folder(self) -> Path:
        return self.folder

    @property
    @abstractmethod
    def ports(self) -> tuple[str, ...]:
        """The names of the ports that the engine listens on."""

    @abstractmethod
    def _spawn(self) -> None: ...

    @abstractmethod
    def _answers(self) -> bool: ...


def script(name: str) -> Path:
    """Return the path of a program that a wheel installed beside the interpreter. Raises EngineError."""
    path = Path(sysconfig.get_path("scripts")) / name
    if not path.exists():
        raise EngineError(f"{path} is missing: install requirements/embedded.txt")
    return path
