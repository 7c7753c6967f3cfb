"""Every ZIP reader that we have: Python's, 7-Zip's of 2016 (p7zip 16.02, as old machines have it), Info-ZIP's unzip.

No package has unzip, so it is the machine's: .ci/run installs it. Where it is missing, the end of a test run says so.
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
    """The program in the npm package. Nothing in it is marked as one."""
    program = NODE_MODULES / "7zip-bin" / "linux" / FOLDERS[os.uname().machine] / "7za"
    program.chmod(0o755)
    return str(program)


def reader_commands() -> dict[str, list[str]]:
    """Name -> the command that reads a file whole, checks it, and fails when anything is wrong."""
    found = {"zipfile": [sys.executable, "-m", "zipfile", "-t"], "7z": [seven_zip(), "t", "-bd"]}
    if has_unzip():
        found["unzip"] = ["unzip", "-tq"]
    return found


def has_unzip() -> bool:
    return shutil.which("unzip") is not None


def reader_errors(path: Path) -> dict[str, str]:
    """Return the output of each reader that does not accept the file with all its checksums."""
    said = {}
    for name, command in reader_commands().items():
        done = subprocess.run([*command, str(path)], capture_output=True, text=True, errors="replace", check=False)
        # Python's names a bad member, and ends as if all were well.
        if done.returncode or "is corrupted" in done.stdout:
            said[name] = done.stdout + done.stderr
    return said


def extract_member(path: Path, member: str, by: Collection[str]) -> dict[str, bytes]:
    """Reader -> the bytes of one member, as those that are named find it (not zipfile)."""
    commands = {"7z": [seven_zip(), "e", "-so", str(path), member], "unzip": ["unzip", "-p", str(path), member]}
    return {name: subprocess.run(commands[name], capture_output=True, check=True).stdout for name in by}
