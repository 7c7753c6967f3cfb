"""python -m tests.bench [NAME...]: prints a table and writes bench.json. Exit status 0 if everything was measured.

Each measure runs in its own process (_measure.py) with its own engines, because Django reads its settings once per
process.
"""

import json
import pkgutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from embedded.reaper import no_process_left
from tests import bench
from tests.bench._measure import ROW

RESULT = Path(__file__).parent.parent.parent / "bench.json"


def main(names: list[str]) -> None:
    known = sorted(module.name for module in pkgutil.iter_modules(bench.__path__) if not module.name.startswith("_"))
    if unknown := set(names) - set(known):
        sys.exit(f"no such measure: {', '.join(sorted(unknown))}. There are: {', '.join(known)}")
    print(ROW.format("name", "value", "unit", "goal", "met"), flush=True)  # noqa: T201
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, no_process_left(lambda: None):
        for name in names or known:
            figures |= measure(name, Path(folder, f"{name}.json"))
    RESULT.write_text(json.dumps(figures, indent=2) + "\n")


def measure(name: str, result: Path) -> dict[str, Any]:
    """Run one measure, which prints its figures, and return them. Raises CalledProcessError if it fails."""
    with subprocess.Popen([sys.executable, "-m", "tests.bench._measure", name, str(result)]) as process:
        try:
            status = process.wait()
        except KeyboardInterrupt:
            process.terminate()  # leaving the block waits for the process
            raise
    if status:
        raise subprocess.CalledProcessError(status, f"tests.bench {name}")
    figures: dict[str, Any] = json.loads(result.read_text())
    return figures


if __name__ == "__main__":
    main(sys.argv[1:])
