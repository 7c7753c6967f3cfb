"""python -m tests.stores [NAME...]: does the main job on each store, and prints a table. Exit status 0: all passed.

Each store has its own process (_job.py), because Django reads its settings once per process.
"""

import json
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from embedded.reaper import no_process_left
from tests.stores import STORES

HEAD = ("store", "version", "date", "done in another way", "the job", "seconds")


def main(names: list[str]) -> int:
    if unknown := set(names) - set(STORES):
        sys.exit(f"no such store: {', '.join(sorted(unknown))}. There are: {', '.join(STORES)}")
    with no_process_left(lambda: None):
        rows = [_run(name) for name in names or STORES]
    print("\n" + "\n".join(f"| {' | '.join(cells)} |" for cells in (HEAD, ("---",) * len(HEAD), *map(_cells, rows))))  # noqa: T201
    return 0 if all(row["passed"] for row in rows) else 1


def _run(name: str) -> dict[str, Any]:
    """Run the job on one store and return its facts. If it failed, its folder with all logs stays."""
    folder = Path(tempfile.mkdtemp(prefix=f"spacekeep-store-{name}-"))
    with subprocess.Popen([sys.executable, "-m", "tests.stores._job", name, str(folder)]) as process:
        try:
            process.wait()
        except KeyboardInterrupt:
            process.terminate()  # leaving the block waits for the process
            raise
    result = folder.with_suffix(".json")
    facts: dict[str, Any] = json.loads(result.read_text()) if result.exists() else {}
    result.unlink(missing_ok=True)
    return {"store": name, "version": "", "passed": False, "problem": "the process ended", **facts}


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    other = "; ".join(row.get("fallbacks", ())) or ("nothing" if row["passed"] else "")
    how = "passed" if row["passed"] else f"FAILED: {row['problem']}"
    return row["store"], row["version"], f"{datetime.now(UTC):%Y-%m-%d}", other, how, f"{row.get('seconds', 0):.0f}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
