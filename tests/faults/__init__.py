"""Kill real processes (SIGKILL) at exact points, many times.

points.py counts every commit, store call and publish of a process, and kills it at the chosen one. zygote.py is a
process that has imported everything and forks one child for each job, so that a thousand kills take minutes. jobs.py
defines the jobs: what people, their programs and workers (worker.py) do. A `ForkServer` starts the zygote.

scenes.py defines what can happen in a world (world.py) of many Spaces, and invariants.py (tables.py, log_checks.py)
what must hold in it afterwards.
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
    """How a job ended: whether it was `killed`, and the points that it passed, in order."""

    killed: bool
    points: tuple[str, ...]


class ForkServer:
    """Run jobs, each in its own process. Raises AssertionError if a job fails without being killed."""

    def __init__(self, to: IO[str], back: IO[str]) -> None:
        self._to, self._back = to, back

    def run(self, job: str, *arguments: str, kill_at: int = 0, label: str = "") -> Run:
        """Run a job. `kill_at`: number of the point to kill it at; 0: never. `label`: count only points with it."""
        request = {"job": job, "arguments": arguments, "kill_at": kill_at, "label": label}
        self._to.write(json.dumps(request) + "\n")
        self._to.flush()
        answer = json.loads(self._back.readline())
        assert answer["status"] in (0, -9), answer["error"]
        assert (answer["status"] == -9) <= (kill_at > 0), "it was killed by somebody else"
        return Run(answer["status"] == -9, tuple(answer["points"]))


@contextmanager
def start_fork_server(env: dict[str, str], folder: Path) -> Iterator[ForkServer]:
    """Start a zygote with the environment `env`, that of a `Services` plus more. It ends with the context."""
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
