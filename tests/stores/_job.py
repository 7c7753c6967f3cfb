"""The job on one store: `python -m tests.stores._job NAME FOLDER`. Writes the results to FOLDER.json.

Starts the store and the other engines, then does each step of _steps.py. FOLDER is removed, unless a step failed.
"""

import json
import os
import shutil
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import django
from django.core.management import call_command

from embedded.reaper import no_process_left
from tests import plugin
from tests.stores import STORES
from tests.stores._server import Server
from tests.stores._software import Unavailable


def main(name: str, folder: Path) -> int:
    server = STORES[name](folder)
    facts: dict[str, Any] = {"store": server.label, "passed": False}
    began = time.monotonic()

    def stop() -> None:
        server.stop()
        plugin.stop()

    print(f"\n{server.label}", flush=True)  # noqa: T201
    with no_process_left(stop):
        try:
            _work(server, folder, facts)
            facts["passed"] = True
        except Unavailable as error:
            print(f"  {error}", file=sys.stderr, flush=True)  # noqa: T201
            facts["problem"] = f"not available: {error}".splitlines()[0]
        except Exception as error:  # any error, which the table shows
            traceback.print_exc()
            facts["problem"] = f"{facts.get('step', 'start')}: {type(error).__name__} {error}".splitlines()[0][:200]
    facts["seconds"] = time.monotonic() - began
    if facts["passed"]:
        shutil.rmtree(folder)
    else:
        print(f"  the logs are in {folder}", file=sys.stderr, flush=True)  # noqa: T201
    folder.with_suffix(".json").write_text(json.dumps(facts))
    return 0 if facts["passed"] else 1


def _work(server: Server, folder: Path, facts: dict[str, Any]) -> None:
    try:
        server.start()
    finally:
        facts["version"] = server.version
    print(f"  version {server.version} at {server.url}", flush=True)  # noqa: T201
    plugin.start()
    os.environ.update(server.env, UPLOAD_PART_BYTES=str(5 * 1024**2), DJANGO_SETTINGS_MODULE="portal.settings")
    django.setup()
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    from tests.stores._steps import STEPS  # needs the settings, as all of Django does
    from tests.stores._world import Job

    job = Job(server, folder)
    try:
        STEPS.run(job)
    finally:
        facts |= {"step": STEPS.current, "fallbacks": job.fallbacks}
        job.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
