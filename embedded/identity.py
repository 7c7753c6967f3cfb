"""Choose the user that PostgreSQL runs as. It refuses to run as root, and we never widen file permissions for it.

- Not root: the same user.
- Root: also the same user, in a user namespace that maps root to another number. Files and folders stay root's.
- Root where namespaces are refused (some containers): the user `nobody`, with the data and a copy of the programs in a
  folder of its own under /var/tmp. SPACEKEEP_NO_NAMESPACE=1 forces this case.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from embedded.process import launcher_command
from embedded.state import State

OUTSIDE = "/var/tmp"


@dataclass(frozen=True)
class Identity:
    """`arguments` are for the launcher. `home` must contain PostgreSQL's data and programs; None means any folder."""

    arguments: Sequence[str] = ()
    home: Path | None = None
    owner: tuple[int, int] | None = None

    def give(self, path: Path) -> None:
        """Make PostgreSQL's user the owner of `path`."""
        if self.owner:
            os.chown(path, *self.owner)


def choose(state: State) -> Identity:
    """Return the identity for this user and this machine."""
    if os.geteuid() != 0:
        return Identity()
    nobody = pwd.getpwnam("nobody")
    namespace = ("--namespace", str(nobody.pw_uid))
    if not os.environ.get("SPACEKEEP_NO_NAMESPACE") and _works(namespace):
        return Identity(namespace)
    owner = (nobody.pw_uid, nobody.pw_gid)
    return Identity(("--user", f"{owner[0]}:{owner[1]}"), _home(state, owner), owner)


def _works(arguments: Sequence[str]) -> bool:
    command = launcher_command(0, arguments, [shutil.which("true") or "/bin/true"])
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _home(state: State, owner: tuple[int, int]) -> Path:
    """Create a folder that only root and `nobody` can enter. Its random name can't have been taken by another user."""
    saved = state.text("postgres_home")
    if saved and Path(saved).is_dir():
        return Path(saved)
    home = Path(tempfile.mkdtemp(prefix="spacekeep-", dir=OUTSIDE))  # mode 0700
    os.chown(home, *owner)
    state.remember("postgres_home", str(home))
    return home


def remove_home(state: State) -> None:
    """Remove the folder that `_home` created, if there is one."""
    saved = state.text("postgres_home")
    if saved:
        shutil.rmtree(saved, ignore_errors=True)


def copy_programs(programs: Path, identity: Identity) -> Path:
    """Return the folder to run PostgreSQL from: the wheel's, or a copy for `nobody` (41 MB, made once)."""
    if identity.home is None:
        return programs
    copy = identity.home / "programs"
    if not copy.exists():
        # The wheel's programs look for libraries beside their package, so these are copied too.
        fresh = identity.home / "programs.new"
        shutil.rmtree(fresh, ignore_errors=True)
        package = programs.parent
        shutil.copytree(programs, fresh / package.name / programs.name)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, fresh / libraries.name)
        fresh.chmod(0o755)  # no other user can enter its parent folder
        fresh.rename(copy)
    return copy / programs.parent.name / programs.name
