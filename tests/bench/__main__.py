"""python -m tests.bench [NAME...]: prints a table, writes bench.json. Exit status 0 when all was measured."""

import importlib
import json
import pkgutil
import sys
from collections.abc import Iterable
from pathlib import Path

from tests import bench
from tests.bench import Figure

RESULT = Path(__file__).parent.parent.parent / "bench.json"
ROW = "{:<36} {:>12} {:<8} {:>12}  {}"


def show(figure: Figure) -> None:
    met = "yes" if figure.met else "NO"
    print(ROW.format(figure.name, f"{figure.value:,.2f}", figure.unit, figure.goal, met), flush=True)  # noqa: T201


def write(figures: Iterable[Figure]) -> None:
    whole = {
        figure.name: {"value": figure.value, "unit": figure.unit, "goal": figure.goal, "met": figure.met}
        for figure in figures
    }
    RESULT.write_text(json.dumps(whole, indent=2) + "\n")


def main(names: list[str]) -> None:
    there = sorted(module.name for module in pkgutil.iter_modules(bench.__path__) if not module.name.startswith("_"))
    if unknown := set(names) - set(there):
        sys.exit(f"no such measure: {', '.join(sorted(unknown))}. There are: {', '.join(there)}")
    print(ROW.format("name", "value", "unit", "goal", "met"))  # noqa: T201
    figures: list[Figure] = []
    for name in names or there:
        for figure in importlib.import_module(f"tests.bench.{name}").figures():
            show(figure)
            figures.append(figure)
    write(figures)


if __name__ == "__main__":
    main(sys.argv[1:])
