"""The settings of `make run` as a file that a shell can source, and that manage.py reads from a second terminal."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from embedded.state import write_private


def write(path: Path, values: Mapping[str, str]) -> None:
    """One NAME=value a line, quoted for a shell; mode 0600, for it holds every secret."""
    write_private(path, "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items()))


def read(path: Path) -> dict[str, str]:
    """The values that `write` wrote; empty when there is no such file."""
    if not path.exists():
        return {}
    lines = (line.partition("=") for line in path.read_text().splitlines() if line and not line.startswith("#"))
    return {name: "".join(shlex.split(value)) for name, _, value in lines}
