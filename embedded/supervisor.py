"""Keep engines and services running: report each crash in a line, and restart the process after growing pauses."""

import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from embedded.engine import Engine
from embedded.process import Process, ProcessError, last_lines
from embedded.services import Service
from embedded.terminal import say

FIRST_DELAY, LONGEST_DELAY = 1.0, 30.0
STABLE_SECONDS = 60.0


@dataclass
class Watched:
    """One process, how to start it, and when to (monotonic seconds; None while it runs)."""

    process: Process
    start: Callable[[], None]
    delay: float = FIRST_DELAY
    started_at: float = 0.0
    due: float | None = None

    def look(self, now: float) -> None:
        """Report a crash, or restart the process when it is time. A failed start counts as a crash."""
        if self.process.running:
            if now - self.started_at > STABLE_SECONDS:
                self.delay = FIRST_DELAY
        elif self.due is None:
            say(f"  {how_it_ended(self.process)}; it starts again in {self.delay:.0f} s")
            self.due = now + self.delay
            self.delay = min(self.delay * 2, LONGEST_DELAY)
        elif now >= self.due:
            self.due, self.started_at = None, now
            try:
                self.start()
            except ProcessError as error:
                say(f"  {error}")
            else:
                say(f"  {self.process.name} is started again")


def how_it_ended(process: Process) -> str:
    """Describe how the process ended; with the end of its log if no signal killed it, since the log says why."""
    status = process.exit_status or 0
    if status < 0:
        return f"{process.name} was killed ({signal.Signals(-status).name})"
    return f"{process.name} ended (status {status}):{last_lines(process.log, 5)}\n  all of it: {process.log}\n "


class Supervisor:
    """Watch engines and services until `check` raises."""

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self._watched: list[Watched] = []

    def watch_engine(self, engine: Engine) -> None:
        self._watched.append(Watched(engine.process, engine.start, started_at=time.monotonic()))

    def watch_service(self, service: Service, env: Mapping[str, str]) -> None:
        self._watched.append(Watched(service.process, lambda: service.spawn(env), started_at=time.monotonic()))

    def run(self) -> None:
        """Run until `check` raises; never return."""
        while True:
            self._check()
            for watched in self._watched:
                watched.look(time.monotonic())
            time.sleep(0.1)
