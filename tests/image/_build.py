"""Do what the Dockerfile does in a folder, with a Python of this machine: its pip commands in an environment of its
own, its copies, its other commands. It needs no root, so steps for the image's user are left out.

IMAGE_FOLDER: another folder for the packages. A second run installs them only if the lock file has changed.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.image import _dockerfile
from tests.image._dockerfile import ROOT, Instruction

PACKAGES = Path(os.environ.get("IMAGE_FOLDER", ROOT / ".venv" / "image"))
NEEDS_ROOT = re.compile(r"\buseradd\b")


class NotPossible(Exception):
    """This machine lacks something. The text says what."""


def find_python(version: str) -> str:
    """Return PYTHON, or a Python of this version from PATH or pyenv. Raises NotPossible."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    installed = sorted(pyenv.glob(f"{version}*/bin/python{version}"), reverse=True)
    found = [os.environ.get("PYTHON", ""), f"python{version}", *map(str, installed)]
    for candidate in found:
        if candidate and version_of(candidate) == version:
            return candidate
    raise NotPossible(f"the image has Python {version}, and there is none here: name one with PYTHON=/path/to/python")


def version_of(python: str) -> str:
    tell = "import sys; print('.'.join(map(str, sys.version_info[:2])))"
    try:
        return subprocess.run([python, "-c", tell], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def build(folder: Path) -> str:
    """Lay out the image in `folder`: app, work, tmp, and packages (an environment). Returns the version of its
    Python."""
    stage = _dockerfile.last_stage()
    for name in ("app", "work", "tmp"):
        (folder / name).mkdir(parents=True)
    python = find_python(_dockerfile.python_version())
    for each in stage:
        if each.name == "COPY":
            _copy(each, folder / "app")
        elif each.name == "RUN" and each.text.startswith("pip install"):
            _install(each, folder, python)
        elif each.name == "RUN" and not NEEDS_ROOT.search(each.text):
            _run(each, folder)
    return version_of(str(folder / "packages" / "bin" / "python"))


def _copy(copy: Instruction, app: Path) -> None:
    """Copy from the checkout, whose node_modules are what the Dockerfile's first stage installs (`npm ci`)."""
    *sources, target = copy.text.split()
    for source in sources:
        path = ROOT / source.removeprefix("/app/")
        into = app / target
        if target.endswith("/") or len(sources) > 1:
            into = into / path.name
        if path.is_dir():
            shutil.copytree(path, into, ignore=_left_out, dirs_exist_ok=True)
        else:
            into.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, into)


def _left_out(folder: str, names: Iterable[str]) -> set[str]:
    inside = Path(folder).relative_to(ROOT)
    return {name for name in names if _dockerfile.is_left_out((inside / name).as_posix())}


def _install(install: Instruction, folder: Path, python: str) -> None:
    """Install the packages into an environment that the next run reuses."""
    locks = "".join(path.read_text() for path in sorted((folder / "app" / "requirements").glob("*.txt")))
    wanted, stamp = f"{install.text}\n{locks}", PACKAGES / "complete"
    if not (stamp.exists() and stamp.read_text() == wanted and (PACKAGES / "bin" / "python").exists()):
        shutil.rmtree(PACKAGES, ignore_errors=True)
        subprocess.run([python, "-m", "venv", str(PACKAGES)], check=True)
        (folder / "packages").symlink_to(PACKAGES)
        _run(install, folder)
        stamp.write_text(wanted)
    else:
        (folder / "packages").symlink_to(PACKAGES)


def _run(instruction: Instruction, folder: Path) -> None:
    """Execute a RUN, with its mounts from the first stage. Raises NotPossible with its last lines."""
    env = {**os.environ, **_dockerfile.arguments(), **image_environment(folder)}
    with _mounted(instruction.flags.get("mount", ""), folder / "app"):
        shell = ["/bin/sh", "-c", instruction.text]
        done = subprocess.run(shell, cwd=folder / "app", env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotPossible(
            "\n    ".join([f"RUN {instruction.text[:60]}", *(done.stdout + done.stderr).splitlines()[-8:]])
        )


@contextmanager
def _mounted(mount: str, app: Path) -> Iterator[None]:
    """For `type=bind,from=assets,source=/app/X,target=/app/X`, return X of the checkout."""
    if not mount:
        yield
        return
    options = dict(option.split("=", 1) for option in mount.split(","))
    target = app / options["target"].removeprefix("/app/")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.symlink_to(ROOT / options["source"].removeprefix("/app/"))
    try:
        yield
    finally:
        target.unlink()


def image_environment(folder: Path) -> dict[str, str]:
    """Return the variables that the Dockerfile sets, with `folder` for the image's root."""
    places = {"/app": folder / "app", "/work": folder / "work"}
    given = {
        name: next((f"{path}{value[len(top) :]}" for top, path in places.items() if value.startswith(top)), value)
        for name, value in _dockerfile.environment().items()
    }
    return {**given, "PATH": f"{folder / 'packages' / 'bin'}{os.pathsep}{os.defpath}"}
