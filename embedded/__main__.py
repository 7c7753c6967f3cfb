"""The command `python -m embedded run | env | clean`, which the Makefile calls."""

import fcntl
import shutil
import sys

from embedded.identity import remove_home
from embedded.place import DATA, ENV_FILE
from embedded.state import State

USAGE = "usage: python -m embedded run | env | clean"


def clean() -> int:
    """Remove all data of this clone, unless `make run` is running."""
    if not DATA.exists():
        return 0
    with (DATA / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print("this clone is running: stop it first (Ctrl-C in its terminal)", file=sys.stderr)
            return 1
        remove_home(State(DATA / "engines.json"))
        shutil.rmtree(DATA)
    return 0


def main(arguments: list[str]) -> int:
    match arguments:
        case ["run"]:
            from embedded.run import run  # needs psycopg, which the other two commands do not

            return run()
        case ["env"]:
            print(ENV_FILE)
            return 0
        case ["clean"]:
            return clean()
    print(USAGE, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
