"""A process that has imported everything and forks a child for each job. It reads one JSON object per line.

It has no connections and no threads, so a child starts like a new process.
"""

import json
import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

import django


def main(folder: Path) -> None:
    django.setup()
    from archive.storage import store
    from tests.faults import jobs, points

    points.install()
    store().client  # made once: it takes a tenth of a second, and connects when it is first used  # noqa: B018
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_run(jobs.JOBS, points.points, json.loads(line), folder)) + "\n")
        sys.stdout.flush()


def _run(jobs: Any, points: Any, request: dict[str, Any], folder: Path) -> dict[str, Any]:
    with tempfile.TemporaryFile(dir=folder) as labels, tempfile.TemporaryFile(dir=folder) as errors:
        child = os.fork()
        if child == 0:
            _child(jobs[request["job"]], request, points, labels.fileno(), errors.fileno())
        _, status = os.waitpid(child, 0)
        labels.seek(0)
        errors.seek(0)
        return {
            "status": os.waitstatus_to_exitcode(status),
            "points": labels.read().decode().splitlines(),
            "error": errors.read().decode(),
        }


def _child(job: Any, request: dict[str, Any], points: Any, labels: int, errors: int) -> None:
    status = 1
    try:
        points.arm(labels, request["kill_at"], request["label"])
        job(*request["arguments"])
        status = 0
    except BaseException:
        os.write(errors, traceback.format_exc().encode())
    finally:
        os._exit(status)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
