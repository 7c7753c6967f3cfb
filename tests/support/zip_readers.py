"""Check a ZIP with other programs: Python's zipfile, 7-Zip (p7zip 16.02 of 2016) and Info-ZIP's unzip.

No package on PyPI or npm has unzip, so it must be installed on the machine: .ci/run does that. If it is missing, the
summary of the test run says so.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Collection
from functools import cache
from pathlib import Path

from embedded.place import NODE_MODULES

NO_UNZIP = "unzip is not installed (apt install unzip): no bundle of this run was read with it"
FOLDERS = {"x86_64": "x64", "aarch64": "arm64"}


@cache
def seven_zip() -> str:
    """Return the path of 7za in its npm package, and make it executable."""
    program = NODE_MODULES / "7zip-bin" / "linux" / FOLDERS[os.uname().machine] / "7za"
    program.chmod(0o755)
    return str(program)


def reader_commands() -> dict[str, list[str]]:
    """Return commands by reader name. Each reads an entire file, checks it, and fails on any error."""
    commands = {"zipfile": [sys.executable, "-m", "zipfile", "-t"], "7z": [seven_zip(), "t", "-bd"]}
    if has_unzip():
        commands["unzip"] = ["unzip", "-tq"]
    return commands


def has_unzip() -> bool:
    return shutil.which("unzip") is not None


def reader_errors(path: Path) -> dict[str, str]:
    """Return the output of each reader that does not accept the file and all its checksums."""
    errors = {}
    for name, command in reader_commands().items():
        done = subprocess.run([*command, str(path)], capture_output=True, text=True, errors="replace", check=False)
        # zipfile reports a bad member, but exits with 0.
        if done.returncode or "is corrupted" in done.stdout:
            errors[name] = done.stdout + done.stderr
    return errors


def extract_member(path: Path, member: str, by: Collection[str]) -> dict[str, bytes]:
    """Extract one member with the named readers (7z, unzip). Return its bytes by reader."""
    commands = {"7z": [seven_zip(), "e", "-so", str(path), member], "unzip": ["unzip", "-p", str(path), member]}
    return {name: subprocess.run(commands[name], capture_output=True, check=True).stdout for name in by}
