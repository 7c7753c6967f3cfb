"""Read and write the settings of `make run` in a file for shells (`source`) and for manage.py in a second terminal."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from embedded.state import write_private


def write(path: Path, values: Mapping[str, str]) -> None:
    """Write one NAME=value per line, quoted for a shell. Mode 0600, because the file contains every secret."""
    write_private(path, "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items()))


def read(path: Path) -> dict[str, str]:
    """Return the values that `write` wrote, or an empty dict if there is no such file."""
    if not path.exists():
        return {}
    lines = (line.partition("=") for line in path.read_text().splitlines() if line and not line.startswith("#"))
    return {name: "".join(shlex.split(value)) for name, _, value in lines}
