"""Where the image's processes run: `Folder`, laid out by _build.py, or `RootFolder`, the root of an image.

Both give a process what its container would have: the image's settings, its service's settings, and only its own
secrets. In a `Folder`, paths that begin at the image's root are replaced; in a `RootFolder` they are the real ones, the
root is read-only, and the user is the image's. Neither has its own network or memory limit.
"""

import os
import shlex
import shutil
import signal
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from embedded.process import Process
from tests.image import _build, _dockerfile
from tests.image._compose import SECRETS, Service

MOUNTS = """
set -eu
mount --make-rprivate /
mount --bind {root} {root}
mount -o remount,bind,ro {root}
mount -t proc proc {root}/proc
mount --rbind /dev {root}/dev
mount -t tmpfs -o mode=1777 tmpfs {root}/tmp
mount -t tmpfs -o mode=0755 tmpfs {root}/run
mkdir {root}/run/secrets
mount --bind {secrets} {root}/run/secrets
mount --bind {work} {root}/work
{hide}
cd {root}
exec chroot --userspec={user} {root} /usr/bin/env -i {environment} /bin/sh -c 'cd /app && exec "$@"' sh {command}
"""


class Container(ABC):
    """`folder` contains logs, secrets and the image's files. `secrets`: all of them, by name."""

    def __init__(self, folder: Path, secrets: Mapping[str, str]) -> None:
        self.folder = folder
        self.values = dict(secrets)
        self.hidden = ""  # a folder of the image that is hidden from the next processes

    @abstractmethod
    def prepare(self) -> str:
        """Prepare the image. Returns the version of its Python."""

    @abstractmethod
    def _wrap(self, service: Service, command: Sequence[str], environment: Mapping[str, str]) -> list[str]: ...

    def start(self, process: Process, service: Service, ports: Mapping[str, int]) -> None:
        """Start the service with its own command; `ports` replace port 8000 of its own network."""
        self._put_secrets(service)
        process.spawn(
            self._wrap(service, _adapt(service, ports), service.environment),
            cwd=self.folder,
            env=self._outer(service),
            death_signal=signal.SIGTERM,
        )

    def run(
        self, service: Service, command: Sequence[str], given: str = "", **changes: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command as `docker compose run --rm SERVICE COMMAND` does. `given`: its standard input. `changes` apply
        to its secrets and settings."""
        secrets = {name: changes.pop(name) for name in list(changes) if name in self.values}
        self._put_secrets(service, secrets)
        wrapped = self._wrap(service, command, {**service.environment, **changes})
        return subprocess.run(
            wrapped,
            cwd=self.folder,
            env=self._outer(service, **changes),
            text=True,
            capture_output=True,
            input=given,
            check=False,
            timeout=600,
        )

    @contextmanager
    def without(self, folder: str) -> Iterator[None]:
        """Hide a folder of the image."""
        self.hidden = folder
        try:
            yield
        finally:
            self.hidden = ""

    def secrets_folder(self, service: Service) -> Path:
        return self.folder / "secrets" / service.name

    def _put_secrets(self, service: Service, changed: Mapping[str, str] | None = None) -> None:
        folder = self.secrets_folder(service)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in service.secrets:
            (folder / name).write_text({**self.values, **(changed or {})}[name])
        for name, file in service.files.items():
            shutil.copyfile(file, folder / name)

    def _outer(self, service: Service, **changes: str) -> dict[str, str]:
        """Return the environment of the program that starts the process."""
        return {"PATH": os.defpath + os.pathsep + "/usr/sbin:/sbin"}


def _adapt(service: Service, ports: Mapping[str, int]) -> list[str]:
    """Adapt a command: only a port of this machine instead of 8000 in its own network, and the node name that a worker
    derives from its container's host name."""
    command = [part.replace("0.0.0.0:8000", f"127.0.0.1:{ports.get(service.name)}") for part in service.command]
    return [*command, f"--hostname=celery@{service.name}"] if "worker" in command else command


class Folder(Container):
    """An image laid out without root."""

    @property
    def image(self) -> Path:
        return self.folder / "image"

    def prepare(self) -> str:
        version = _build.build(self.image)
        assert version == _dockerfile.python_version(), version
        return version

    def _wrap(self, service: Service, command: Sequence[str], environment: Mapping[str, str]) -> list[str]:
        temporary = self._temporary(service)
        adapted = [part.replace("/tmp/", f"{temporary}/") for part in command]  # noqa: S108
        return ["/bin/sh", "-c", f'cd {self.image}/app && exec "$@"', "sh", *adapted]

    def _outer(self, service: Service, **changes: str) -> dict[str, str]:
        folder = str(self.secrets_folder(service))
        given = {name: value.replace(SECRETS, folder) for name, value in {**service.environment, **changes}.items()}
        image = _build.image_environment(self.image)
        return {**image, "HOME": str(self.folder), "TMPDIR": str(self._temporary(service)), **given}

    @contextmanager
    def without(self, folder: str) -> Iterator[None]:
        path = self.image / folder.removeprefix("/")
        path.rename(path.with_name("hidden"))
        try:
            yield
        finally:
            path.with_name("hidden").rename(path)

    def _temporary(self, service: Service) -> Path:
        path = self.image / "tmp" / service.name
        path.mkdir(exist_ok=True)
        return path


class RootFolder(Container):
    """The root file system of an image, entered with chroot in a mount namespace: only root can."""

    def __init__(self, folder: Path, secrets: Mapping[str, str], root: Path) -> None:
        super().__init__(folder, secrets)
        self.root = root

    def prepare(self) -> str:
        if os.geteuid():
            raise _build.NotPossible("IMAGE_ROOT is entered with chroot: run this as root")
        (self.folder / "work").mkdir()
        numbers = [line.split(":") for line in (self.root / "etc" / "passwd").read_text().splitlines()]
        uid, gid = next((int(each[2]), int(each[3])) for each in numbers if each[0] == _dockerfile.user())
        os.chown(self.folder / "work", uid, gid)
        self._user = f"{uid}:{gid}"
        return self.version()

    def version(self) -> str:
        """Return the version of the Python in it; it must be the one in the Dockerfile."""
        python = [
            "chroot",
            str(self.root),
            "python",
            "-c",
            "import sys; print('.'.join(map(str, sys.version_info[:2])))",
        ]
        version = subprocess.run(python, text=True, capture_output=True, check=True).stdout.strip()
        assert version == _dockerfile.python_version(), version
        return version

    def _wrap(self, service: Service, command: Sequence[str], environment: Mapping[str, str]) -> list[str]:
        path = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
        inside = {"PATH": path, "HOME": "/nonexistent", **_dockerfile.environment(), **environment}
        script = MOUNTS.format(
            root=shlex.quote(str(self.root)),
            secrets=shlex.quote(str(self.secrets_folder(service))),
            work=shlex.quote(str(self.folder / "work")),
            hide=f"mount -t tmpfs tmpfs {shlex.quote(f'{self.root}{self.hidden}')}" if self.hidden else "",
            user=self._user,
            environment=shlex.join(f"{name}={value}" for name, value in inside.items()),
            command=shlex.join(command),
        )
        return [str(shutil.which("unshare")), "--mount", "/bin/sh", "-c", script]
