"""The software of the stores, in a folder beside our packages. Nothing is installed on the machine.

STORES_FOLDER: another folder for it. A second run downloads nothing.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("STORES_FOLDER", ROOT / ".venv" / "stores"))
DOWNLOAD = ("apt-get", "install", "--download-only", "--yes", "--quiet", "--no-install-recommends")


class Unavailable(Exception):
    """This store cannot be downloaded or started here. The text says why."""


def debian_packages(name: str, packages: Sequence[str]) -> Path:
    """Unpack Debian packages, and those they depend on that this machine lacks, to a folder. Returns its path."""
    for tool in ("apt-get", "dpkg"):
        if shutil.which(tool) is None:
            raise Unavailable(f"it comes from Debian's packages {', '.join(packages)}, and there is no {tool} here")
    if os.geteuid():
        raise Unavailable("apt-get downloads packages for root only: run this as root")
    return _once(name, packages, lambda folder: _unpack(folder, packages))


def _unpack(folder: Path, packages: Sequence[str]) -> None:
    archives = folder / "archives"
    (archives / "partial").mkdir(parents=True)
    command = [*DOWNLOAD, "-o", f"Dir::Cache::archives={archives}", *packages]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        run(["apt-get", "update", "--quiet"], "apt-get update")  # it may know no packages yet, or old ones
        run(command, f"apt-get can't download {', '.join(packages)}")
    for archive in sorted(archives.glob("*.deb")):
        run(["dpkg", "-x", str(archive), str(folder)], f"{archive.name} can't be unpacked")
    shutil.rmtree(archives)


def python_packages(name: str, requirements: Sequence[str]) -> Path:
    """Install packages from PyPI into an environment of their own. Returns the folder of its programs."""
    return _once(name, requirements, lambda folder: _install(folder, requirements)) / "bin"


def _install(folder: Path, requirements: Sequence[str]) -> None:
    run([sys.executable, "-m", "venv", str(folder)], "no environment can be made")
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    run([*pip, *requirements], f"pip can't install {', '.join(requirements)}")


def _once(name: str, wanted: Sequence[str], make: Callable[[Path], None]) -> Path:
    """Return a folder that was completely made from exactly these packages."""
    folder = FOLDER / name
    stamp = folder / "complete"
    text = "\n".join(wanted)
    if not (stamp.exists() and stamp.read_text() == text):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        make(folder)
        stamp.write_text(text)
    return folder


def run(command: Sequence[str], problem: str, *, env: Mapping[str, str] | None = None, seconds: float = 600) -> str:
    """Run a command and return what it printed. Raises Unavailable with `problem` and its last lines."""
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=seconds, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{problem}: {error}") from error
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()[-5:]
        raise Unavailable("\n    ".join([f"{problem}:", *lines]))
    return done.stdout
