"""python -m tests.image: prints a line for each step. Exit status 0: all passed. The first failure ends the run, and
keeps its folder with all logs.

PYTHON: the Python to use if it is not on PATH. IMAGE_ROOT: the root file system of a built image.
"""

import os
import shutil
import sys
import tempfile
import traceback
from pathlib import Path

from embedded.process import ProcessError
from embedded.reaper import no_process_left
from tests.image._build import NotPossible
from tests.image._steps import STEPS
from tests.image._world import World


def main() -> int:
    folder = Path(tempfile.mkdtemp(prefix="spacekeep-image-"))
    root = os.environ.get("IMAGE_ROOT")
    world = World(folder, Path(root).resolve() if root else None)
    with no_process_left(world.end):
        try:
            STEPS.run(world)
        except Exception as error:  # any error
            if not isinstance(error, AssertionError | NotPossible | ProcessError):
                traceback.print_exc()
            print(f"FAILED: {STEPS.current}: {error}\n  The logs are in {folder}", file=sys.stderr, flush=True)  # noqa: T201
            return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
