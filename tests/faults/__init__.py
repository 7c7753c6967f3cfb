"""Kill real processes at exact points, again and again.

points.py counts every commit, store call and publish of a process, and kills it (SIGKILL) at the chosen one.
zygote.py is a process that has loaded everything and forks one child for each job, so that a thousand kills take
minutes. jobs.py says what can be run there: what people and their programs do, and what a worker does (worker.py).
A `ForkServer` starts it and sends it jobs.

scenes.py says what can happen in a world (world.py) of many Spaces, and invariants.py (tables.py, log_checks.py) what
must hold in it afterwards.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.support.preloaded import Preloader


@dataclass(frozen=True)
class Run:
    """How a job ended: `killed`, or done; and the points that it passed, in order."""

    killed: bool
    points: tuple[str, ...]


class ForkServer:
    """Runs jobs in processes of their own. Raises AssertionError when one fails by itself."""

    def __init__(self, to: IO[str], back: IO[str]) -> None:
        self._to, self._back = to, back

    def run(self, job: str, *arguments: str, kill_at: int = 0, label: str = "") -> Run:
        """`kill_at`: at which point, counted from 1; 0: it may live. `label`: only points that bear it are counted."""
        request = {"job": job, "arguments": arguments, "kill_at": kill_at, "label": label}
        self._to.write(json.dumps(request) + "\n")
        self._to.flush()
        answer = json.loads(self._back.readline())
        assert answer["status"] in (0, -9), answer["error"]
        assert (answer["status"] == -9) <= (kill_at > 0), "it was killed by somebody else"
        return Run(answer["status"] == -9, tuple(answer["points"]))


@contextmanager
def start_fork_server(env: dict[str, str], folder: Path) -> Iterator[ForkServer]:
    """Start a zygote with the environment `env`, that of a `Services` and more; it ends with the context."""
    to, back, log = (folder / f"zygote.{name}" for name in ("to", "back", "log"))
    for pipe in (to, back):
        pipe.unlink(missing_ok=True)
        os.mkfifo(pipe)
    preloader = Preloader.find(env)
    assert preloader is not None, "services were started before"
    zygote = preloader.fork(["-m", "tests.faults.zygote", str(folder)], env, back, log, str(to))
    try:
        with back.open() as answers, to.open("w") as requests:
            yield ForkServer(requests, answers)
    finally:
        zygote.wait(300)
