"""Kill the processes of a pipeline (a few jobs, one after the other) at each labeled step, and let it recover."""

from collections.abc import Iterable, Iterator, Sequence

from tests.faults import ForkServer
from tests.support.leases import expire_leases

Job = tuple[str, ...]  # its name in tests/faults/jobs.py, and its arguments
Place = tuple[str, str]  # the name of a job, and the label of a point
ROUNDS = 2  # of recovery: one does it, if nothing is stuck


def run_pipeline(server: ForkServer, jobs: Sequence[Job], place: Place = ("", "")) -> tuple[list[Place], bool]:
    """Run the jobs, or up to the point `place`, where its process is killed. Returns the points passed, and whether
    it was killed. Leases and pauses are over between two jobs."""
    passed: list[Place] = []
    for name, *arguments in jobs:
        label = place[1] if name == place[0] else ""
        run = server.run(name, *arguments, kill_at=1 if label else 0, label=label)
        passed += [(name, point) for point in run.points]
        expire_leases()
        if run.killed:
            return passed, True
    return passed, False


def recover(server: ForkServer, jobs: Sequence[Job]) -> list[Place]:
    """Run the jobs again and again. Returns the points passed, each once, in the order of their first time."""
    passed: list[Place] = []
    for _ in range(ROUNDS):
        passed += run_pipeline(server, jobs)[0]
    return list(dict.fromkeys(passed))


def kill_at_each(server: ForkServer, jobs: Sequence[Job], places: Iterable[Place]) -> Iterator[tuple[Place, bool]]:
    """Kill at each place in turn. Yields it, and whether the pipeline came there."""
    for place in places:
        yield place, run_pipeline(server, jobs, place)[1]
