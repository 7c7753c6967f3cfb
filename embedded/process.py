"""Manage one child process: start it in its own session, stop it gracefully or by force, never leave it behind."""

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
    """A child process failed. The message says which one, and ends with the last lines of its log."""


def last_lines(log: Path, count: int = 15) -> str:
    """Return the last lines of a log, indented for a message."""
    try:
        lines = log.read_text(errors="replace").splitlines()[-count:]
    except OSError:
        return ""
    return "".join(f"\n    {line}" for line in lines)


def launcher_command(death_signal: int, identity: Sequence[str], argv: Sequence[str]) -> list[str]:
    """Return the command that runs `argv` through the launcher. Linux sends the death signal when the thread that
    forked ends, not the process, so only children of the main thread can have one."""
    in_main_thread = threading.current_thread() is threading.main_thread()
    return [
        *(sys.executable, "-I", "-S", str(LAUNCHER), "--parent", str(os.getpid())),
        *("--death-signal", str(int(death_signal) if in_main_thread else 0)),
        *(*identity, "--", *argv),
    ]


@dataclass(frozen=True)
class Facts:
    """What /proc says about a process. The start tick identifies it, because the system reuses pids."""

    parent: int
    session: int
    started: int


def facts(pid: int) -> Facts | None:
    """Return the facts, or None if there is no such process, if it is a zombie, or if there is no /proc."""
    try:
        # The command's name, in parentheses, may contain spaces and parentheses.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if fields[0] in "ZX" else Facts(int(fields[1]), int(fields[3]), int(fields[19]))
    except (OSError, IndexError, ValueError):
        return None


def family(pid: int) -> dict[int, Facts]:
    """Return every process below `pid` or in the session that it leads, without itself. Empty without a /proc.

    The session contains processes whose parent has ended; the tree, those that have created a session of their own.
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
    """Send SIGKILL to each process of a `family()`, unless its pid now belongs to another process."""
    for pid, seen in processes.items():
        now = facts(pid)
        if now and now.started == seen.started:
            send(pid, signal.SIGKILL)


def send(pid: int, signal_number: int) -> None:
    """Send a signal to a process unless it has ended."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal_number)


class Process:
    """A child process that can be started again. Its output goes to `log`, which the first start empties."""

    def __init__(self, name: str, log: Path) -> None:
        self.name = name
        self.log = log
        self._popen: subprocess.Popen[bytes] | None = None
        self._started_before = False
        self._below: dict[int, Facts] | None = None  # its descendants when it was asked to stop

    @property
    def running(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    @property
    def pid(self) -> int | None:
        return self._popen.pid if self._popen else None

    @property
    def exit_status(self) -> int | None:
        """Return the status as in subprocess (negative: the signal that ended it), or None while it runs."""
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
        """Start `argv` (argv[0] is a path) and return at once. The child gets `death_signal` however we end."""
        self._below = None
        self.kill()  # children of an earlier process that crashed may still hold a port
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab" if self._started_before else "wb") as output:
            self._popen = subprocess.Popen(
                launcher_command(death_signal, identity, argv),
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Ctrl-C in the terminal must not reach the child: we choose the order in which processes stop.
                start_new_session=True,
            )
        self._started_before = True

    def wait(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds, and return whether the process has ended."""
        if self._popen is None:
            return True
        try:
            self._popen.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True

    def ask_to_stop(self, stop_signal: signal.Signals) -> None:
        """Send the signal and return at once. A later `stop()` waits and does not send it again."""
        if self._popen is None or not self.running or self._below is not None:
            return
        self._below = family(self._popen.pid)
        send(self._popen.pid, stop_signal)

    def stop(self, stop_signal: signal.Signals, grace: float, hurry: Callable[[], bool] = lambda: False) -> None:
        """Send the signal; kill the process after `grace` seconds, or as soon as `hurry()` returns True."""
        self.ask_to_stop(stop_signal)
        deadline = time.monotonic() + grace
        while self.running and time.monotonic() < deadline and not hurry():
            self.wait(POLL_SECONDS)
        self.kill()
        kill_all(self._below or {})  # its remaining descendants would outlive us

    def kill(self) -> None:
        """Send SIGKILL to it and all its descendants (children of PostgreSQL and Celery have their own groups)."""
        if self._popen is None:
            return
        below = family(self._popen.pid)
        if self.running:
            send(self._popen.pid, signal.SIGKILL)
        kill_all(below)
        self._popen.wait()
