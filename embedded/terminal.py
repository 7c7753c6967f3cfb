"""Print the messages of `make run`: one short line per step, and a table at the end."""

import contextlib
import sys
import time
from collections.abc import Iterator, Sequence

WIDTH = 34


def say(line: str = "") -> None:
    """Print a line, and ignore errors of a terminal that has been closed."""
    with contextlib.suppress(OSError, ValueError):
        print(line, flush=True)


def complain(line: str) -> None:
    with contextlib.suppress(OSError, ValueError):
        print(line, file=sys.stderr, flush=True)


@contextlib.contextmanager
def step(name: str) -> Iterator[None]:
    """Print the step's name and, when it is done, the seconds it took."""
    start = time.monotonic()
    live = sys.stdout.isatty()
    if live:
        with contextlib.suppress(OSError):
            print(f"  {name:<{WIDTH}}", end="", flush=True)
    done = False
    try:
        yield
        done = True
    finally:
        seconds = time.monotonic() - start
        outcome = f"{seconds:6.1f} s" if done else "   not done"
        say(outcome if live else f"  {name:<{WIDTH}}{outcome}")


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the rows as text, with their columns aligned and two spaces apart."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
