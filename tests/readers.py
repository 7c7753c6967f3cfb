"""Every ZIP reader that this machine has: Python's always; Info-ZIP's unzip and 7-Zip where they are installed, for
a plain Debian has neither."""

import shutil
import subprocess
import sys
from pathlib import Path

READERS = [[sys.executable, "-m", "zipfile", "-t"], ["unzip", "-tq"], ["7z", "t", "-bd"]]


def refused_by(path: Path) -> dict[str, str]:
    """Program -> what it said, of those that do not accept the file and all its checksums."""
    said = {}
    for command in READERS:
        if shutil.which(command[0]):
            done = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)
            if done.returncode:
                said[command[0]] = done.stdout + done.stderr
    return said
