"""Remember the inputs of each preparation that succeeded, so that a start can skip it if they did not change."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from embedded.place import DATA, ROOT
from embedded.state import write_private

SOURCES = ("archive", "portal", "templates", "manage.py", "requirements/base.txt", "package-lock.json")


def sources() -> str:
    """Return a digest of all source files of the portal: a few hundred small files, about 10 ms."""
    digest = hashlib.sha256()
    for path in sorted(file for name in SOURCES for file in _files(ROOT / name)):
        digest.update(f"{path.relative_to(ROOT)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _files(path: Path) -> Iterable[Path]:
    if path.is_dir():
        return (file for file in path.rglob("*") if file.is_file() and file.suffix != ".pyc")
    return [path] if path.exists() else []


class Stamps:
    """A map of preparation names to the inputs of their last success, in a file."""

    def __init__(self, path: Path = DATA / "stamps.json") -> None:
        self._path = path
        self._inputs: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}

    def is_done(self, name: str, inputs: str) -> bool:
        return self._inputs.get(name) == inputs

    def mark(self, name: str, inputs: str) -> None:
        self._inputs[name] = inputs
        write_private(self._path, json.dumps(self._inputs, indent=1))
