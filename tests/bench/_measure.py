"""Run one measure: `python -m tests.bench._measure NAME RESULT` prints its figures, and writes them to RESULT as
JSON."""

import importlib
import json
import sys
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

from tests.bench import Figure

ROW = "{:<36} {:>12} {:<8} {:>12}  {}"


def main(name: str, result: Path) -> None:
    figures = {}
    measured: Generator[Figure] = importlib.import_module(f"tests.bench.{name}").figures()
    with closing(measured):  # an interrupt here ends its engines, too
        for figure in measured:
            show(figure)
            figures[figure.name] = {"value": figure.value, "unit": figure.unit, "goal": figure.goal, "met": figure.met}
    result.write_text(json.dumps(figures))


def show(figure: Figure) -> None:
    met = "yes" if figure.met else "NO"
    print(ROW.format(figure.name, f"{figure.value:,.2f}", figure.unit, figure.goal, met), flush=True)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
