"""A web process to measure: as in production, but with one process and one thread."""

import http.client
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from embedded.process import Process
from tests.support.processes import ROOT, free_port
from tests.support.waiting import answers, wait_until

CPUCLOCK_SCHED = 2  # Linux numbers the clock of a process's CPU time by its pid (clock_getcpuclockid(3))


@dataclass(frozen=True)
class Sample:
    """Seconds from sending the request to the complete response, and CPU seconds of the web process for it."""

    wall: float
    cpu: float


class MeasuredWeb:
    """One process that serves pages, and a keep-alive connection to it, as a proxy has."""

    def __init__(self, port: int, pid: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._clock = (~pid << 3) | CPUCLOCK_SCHED

    def get(self, address: str, cookie: str) -> Sample:
        """Load a page. The response must be a page, and compressed."""
        cpu, begun = self._cpu(), time.perf_counter()
        self._connection.request("GET", address, headers={"Cookie": cookie, "Accept-Encoding": "gzip"})
        answer = self._connection.getresponse()
        answer.read()
        took = time.perf_counter() - begun
        assert answer.status == 200, f"{address}: {answer.status}"
        assert answer.getheader("Content-Encoding") == "gzip", address
        return Sample(took, self._cpu() - cpu)

    def _cpu(self) -> float:
        return time.clock_gettime(self._clock)


@contextmanager
def web(
    name: str, folder: Path, command: tuple[str, ...], env: dict[str, str], *, cwd: Path = ROOT
) -> Iterator[MeasuredWeb]:
    """Start a gunicorn with one worker that serves what `command` names."""
    port = free_port()
    process = Process(name, folder / f"{name}.log")
    options = (f"--bind=127.0.0.1:{port}", "--workers=1", "--threads=1", "--worker-class=gthread", "--preload")
    process.spawn([*command, *options, "--keep-alive=600", "--timeout=120", "--no-control-socket"], cwd=cwd, env=env)
    try:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/") or not process.running, f"{name} answers")
        assert process.running, process.log.read_text()
        yield MeasuredWeb(port, _worker_of(process))
    finally:
        process.kill()


def _worker_of(process: Process) -> int:
    (worker,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return int(worker)


GUNICORN = (sys.executable, "-m", "gunicorn")
