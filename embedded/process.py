"""One child process: started in a session of its own, stopped kindly and then firmly, gone when we are gone."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LAUNCHER = Path(__file__).with_name("launcher.py")
POLL_SECONDS = 0.02


class ProcessError(Exception):
    """A child failed; the message says which, and ends with the last lines of its log."""


def last_lines(log: Path, count: int = 15) -> str:
    """The end of a log, indented for showing under a message."""
    try:
        lines = log.read_text(errors="replace").splitlines()[-count:]
    except OSError:
        return ""
    return "".join(f"\n    {line}" for line in lines)


def launcher_command(death_signal: int, identity: Sequence[str], argv: Sequence[str]) -> list[str]:
    """`argv` behind the launcher. Linux sends the death signal when the thread that forked ends, not the process:
    so only children of the main thread can have one."""
    in_main_thread = threading.current_thread() is threading.main_thread()
    return [
        *(sys.executable, "-I", "-S", str(LAUNCHER), "--parent", str(os.getpid())),
        *("--death-signal", str(int(death_signal) if in_main_thread else 0)),
        *(*identity, "--", *argv),
    ]


@dataclass(frozen=True)
class Facts:
    """What /proc tells of a process. The start tick makes it unmistakable: pids are used again."""

    parent: int
    session: int
    started: int


def facts(pid: int) -> Facts | None:
    """None when there is no such process, when it has ended and only waits to be collected, or without a /proc."""
    try:
        # The command's name, in parentheses, may itself hold spaces and parentheses.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if fields[0] in "ZX" else Facts(int(fields[1]), int(fields[3]), int(fields[19]))
    except (OSError, IndexError, ValueError):
        return None


def family(pid: int) -> dict[int, Facts]:
    """Every process below `pid` or in the session that it leads, itself left out; empty without a /proc.

    The session holds those whose parent is gone, the tree those that have made a session of their own.
    """
    everybody = {int(entry.name): facts(int(entry.name)) for entry in Path("/proc").glob("[0-9]*")}
    known = {child: seen for child, seen in everybody.items() if seen and child != pid}
    found = {child: seen for child, seen in known.items() if seen.session == pid}
    parents = {pid, *found}
    while below := {child: seen for child, seen in known.items() if seen.parent in parents and child not in found}:
        found |= below
        parents = set(below)
    return found


def kill_all(processes: Mapping[int, Facts]) -> None:
    """SIGKILL for each process of a `family()` that is still the same one."""
    for pid, seen in processes.items():
        now = facts(pid)
        if now and now.started == seen.started:
            send(pid, signal.SIGKILL)


def send(pid: int, signal_number: int) -> None:
    """Signal a process unless it has ended."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal_number)


class Process:
    """A child that can be started again. Its output goes to `log`, emptied at the first start."""

    def __init__(self, name: str, log: Path) -> None:
        self.name = name
        self.log = log
        self._popen: subprocess.Popen[bytes] | None = None
        self._started_before = False
        self._below: dict[int, Facts] | None = None  # its descendants, once it was asked to stop

    @property
    def running(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    @property
    def pid(self) -> int | None:
        return self._popen.pid if self._popen else None

    @property
    def exit_status(self) -> int | None:
        """As subprocess tells it (negative: the signal that ended it); None while it runs."""
        return self._popen.poll() if self._popen else None

    def spawn(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        death_signal: signal.Signals = signal.SIGTERM,
        identity: Sequence[str] = (),
    ) -> None:
        """Start `argv` (argv[0] is a path) and return at once. `death_signal` reaches it when we end, however."""
        self._below = None
        self.kill()  # a former one that died may have left children, holding on to a port
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab" if self._started_before else "wb") as output:
            self._popen = subprocess.Popen(
                launcher_command(death_signal, identity, argv),
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # A terminal's Ctrl-C must not reach it: we decide the order in which things stop.
                start_new_session=True,
            )
        self._started_before = True

    def wait(self, timeout: float) -> bool:
        """Whether it has ended, waiting up to `timeout` seconds."""
        if self._popen is None:
            return True
        try:
            self._popen.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True

    def ask_to_stop(self, stop_signal: signal.Signals) -> None:
        """Send the signal and return; `stop()` does the waiting, and does not send it again."""
        if self._popen is None or not self.running or self._below is not None:
            return
        self._below = family(self._popen.pid)
        send(self._popen.pid, stop_signal)

    def stop(self, stop_signal: signal.Signals, grace: float, hurry: Callable[[], bool] = lambda: False) -> None:
        """Ask it to end, then kill it after `grace` seconds, or as soon as `hurry()` says so."""
        self.ask_to_stop(stop_signal)
        deadline = time.monotonic() + grace
        while self.running and time.monotonic() < deadline and not hurry():
            self.wait(POLL_SECONDS)
        self.kill()
        kill_all(self._below or {})  # whatever it left behind would outlive us

    def kill(self) -> None:
        """SIGKILL, for it and everything below it (PostgreSQL's and Celery's children have groups of their own)."""
        if self._popen is None:
            return
        below = family(self._popen.pid)
        if self.running:
            send(self._popen.pid, signal.SIGKILL)
        kill_all(below)
        self._popen.wait()
