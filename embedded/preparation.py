"""Prepare the portal for its start: run manage.py commands in parallel, except those whose result is still valid."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from embedded.engines import Engines
from embedded.process import Process, ProcessError, last_lines
from embedded.services import manage
from embedded.stamps import Stamps, sources

COMMAND_SECONDS = 300.0


@dataclass(frozen=True)
class Task:
    """A command, and the part of the outside world that shows whether its result still exists."""

    arguments: tuple[str, ...]
    result: Callable[[], str]

    @property
    def name(self) -> str:
        return self.arguments[0]


class Preparation:
    """Run commands with `env`. `check` is called while waiting, and may raise to stop the wait."""

    def __init__(self, engines: Engines, env: Mapping[str, str], check: Callable[[], None]) -> None:
        self._env = env
        self._check = check
        self._running: list[Process] = []
        static = Path(env["STATIC_ROOT"])
        self._tasks = (
            Task(("migrate", "--no-input"), engines.postgres.migrations),
            Task(("setup_store",), lambda: f"{engines.seaweedfs.has_bucket()} {env['SITE_URL']}"),
            Task(("collectstatic", "--no-input"), lambda: str(sum(1 for _ in static.rglob("*")))),
        )

    def prepare(self) -> None:
        """Prepare database, bucket and static files for the current code. Raises ProcessError."""
        stamps, code = Stamps(), sources()
        due = [task for task in self._tasks if not stamps.is_done(task.name, f"{code} {task.result()}")]
        for last in (False, True):  # setup_store saves its result in the database
            self.begin(*(task.arguments for task in due if (task.name == "setup_store") == last))
            self.finish()
        for task in due:
            stamps.mark(task.name, f"{code} {task.result()}")

    def begin(self, *commands: tuple[str, ...]) -> None:
        """Start manage.py commands in parallel."""
        self._running = [manage(arguments[0], arguments, self._env) for arguments in commands]

    def finish(self) -> None:
        """Wait for the commands that `begin` started. Raises ProcessError with the log of the first that failed."""
        deadline = time.monotonic() + COMMAND_SECONDS
        for process in self._running:
            while not process.wait(0.05):
                self._check()
                if time.monotonic() > deadline:
                    raise ProcessError(f"manage.py {process.name} took too long:{last_lines(process.log)}")
            if process.exit_status:
                raise ProcessError(
                    f"manage.py {process.name} failed:{last_lines(process.log)}\n  All of it: {process.log}"
                )
        self._running = []

    def abandon(self) -> None:
        """Kill the commands that still run."""
        for process in self._running:
            process.kill()
