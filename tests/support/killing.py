"""Kill the processes of a pipeline (a few jobs, one after the other) at each labeled point, and let it recover."""

from collections.abc import Iterable, Iterator, Sequence

from tests.faults import ForkServer
from tests.support.leases import expire_leases

Job = tuple[str, ...]  # name in tests/faults/jobs.py, and arguments
Place = tuple[str, str]  # the name of a job, and the label of a point
ROUNDS = 2  # of recovery: one is enough, unless something is stuck


def run_pipeline(server: ForkServer, jobs: Sequence[Job], place: Place = ("", "")) -> tuple[list[Place], bool]:
    """Run the jobs; kill the process at the point `place`, if given. Return the passed points, and whether the process
    was killed. Leases and retry pauses end after each job."""
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
    """Run the jobs several times. Return the passed points without repetitions, in the order of their first time."""
    passed: list[Place] = []
    for _ in range(ROUNDS):
        passed += run_pipeline(server, jobs)[0]
    return list(dict.fromkeys(passed))


def kill_at_each(server: ForkServer, jobs: Sequence[Job], places: Iterable[Place]) -> Iterator[tuple[Place, bool]]:
    """Kill at each place in turn. Yield the place, and whether the pipeline reached it."""
    for place in places:
        yield place, run_pipeline(server, jobs, place)[1]
