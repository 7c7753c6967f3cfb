"""Start our commands as forks of a process that has already imported their modules, which saves 1.4 s of CPU for each.

A fork runs the same code as `python manage.py ...` or `python -m ...`, and becomes a child of the test process. There
are two processes that fork: one has imported everything, with the settings of the tests; the other only libraries that
read no settings, so its forks can have any.

    python -m tests.support.preloaded [libraries]   reads one JSON object for each command, answers with the pid
"""

import gc
import json
import os
import random
import runpy
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NoReturn

from embedded.launcher import die_with_parent
from embedded.process import Process

ROOT = Path(__file__).parents[2]
POLL_SECONDS = 0.01


class ForkedChild(subprocess.Popen[bytes]):
    """A child that another process forked for us, with the methods of Popen that `Process` calls."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def __del__(self) -> None:
        """Do nothing. Popen would warn, and access its pipes."""

    def poll(self) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        ends_at = time.monotonic() + (float("inf") if timeout is None else timeout)
        while (status := self.poll()) is None:
            if time.monotonic() > ends_at:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            time.sleep(POLL_SECONDS)
        return status


class Preloader:
    """The process that forks. It does no other work, and has no connections and no threads."""

    last: ClassVar["Preloader | None"] = None  # has imported everything, with the settings of `env`
    of_libraries: ClassVar["Preloader | None"] = None  # each of its forks has its own settings

    def __init__(self, env: dict[str, str], *options: str) -> None:
        self.env = env
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.preloaded", *options],
            cwd=ROOT,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @classmethod
    def start(cls, env: dict[str, str]) -> None:
        """Start the process, once for all tests."""
        if cls.last is None and sys.platform == "linux":  # on other systems, init adopts the orphaned forks
            cls.last = cls(env)

    @classmethod
    def find(cls, env: Mapping[str, str]) -> "Preloader | None":
        """Return the one whose forks can have these settings, or None if `start` was not called."""
        if cls.last is None or cls.last.env == env:
            return cls.last
        if cls.of_libraries is None:
            cls.of_libraries = cls(cls.last.env, "libraries")
        return cls.of_libraries

    @classmethod
    def kill(cls) -> None:
        for each in (cls.last, cls.of_libraries):
            if each is not None:
                each._process.kill()
                each._process.communicate()
        cls.last = cls.of_libraries = None

    def fork(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        stdout: Path,
        stderr: Path | None = None,
        stdin: str = os.devnull,
    ) -> ForkedChild:
        """Run `argv` (without the interpreter) in the top folder, and append its output to files (or write it to named
        pipes). `env` must be the preloader's own, if that has loaded settings."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        stdout.touch()  # so that it can be read before the fork opens it
        files = {"stdin": stdin, "stdout": str(stdout), "stderr": str(stderr or stdout)}
        request = {"argv": list(argv), "env": dict(env), "parent": os.getpid(), **files}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return ForkedChild(json.loads(self._process.stdout.readline()))

    def run(self, argv: Sequence[str], env: Mapping[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
        """Run `argv` until it ends, like subprocess.run. Its output passes through files in `folder`."""
        with tempfile.NamedTemporaryFile(dir=folder) as out, tempfile.NamedTemporaryFile(dir=folder) as err:
            status = self.fork(argv, env, Path(out.name), Path(err.name)).wait()
            return subprocess.CompletedProcess(argv, status, out.read().decode(), err.read().decode())


class PreloadedProcess(Process):
    """A `Process` that is a fork."""

    def __init__(self, name: str, log: Path, child: ForkedChild) -> None:
        super().__init__(name, log)
        self._popen = child


def serve() -> dict[str, Any]:
    """Answer requests. Returns only in a fork, with its request. Ends when standard input is closed."""
    for line in sys.stdin:
        request: dict[str, Any] = json.loads(line)
        back, forth = os.pipe()
        between = os.fork()
        if between == 0:
            child = os.fork()
            if child == 0:
                os.close(back)
                os.close(forth)
                return request
            os.write(forth, str(child).encode())
            os._exit(0)  # the child loses its parent, and is adopted by the test process (embedded/reaper.py)
        os.waitpid(between, 0)
        os.close(forth)
        sys.stdout.write(os.read(back, 20).decode() + "\n")
        sys.stdout.flush()
        os.close(back)
    sys.exit()


def become(request: dict[str, Any]) -> NoReturn:
    """Behave like a new interpreter with these arguments."""
    os.setsid()
    while os.getppid() != request["parent"] and os.getppid() != 1:
        time.sleep(0.001)  # until the process in between has ended
    die_with_parent(request["parent"], signal.SIGKILL)
    os.environ.clear()
    os.environ.update(request["env"])
    for number, name in ((1, "stdout"), (2, "stderr")):
        with Path(request[name]).open("ab") as file:
            os.dup2(file.fileno(), number)
    with Path(request["stdin"]).open("rb") as given:
        os.dup2(given.fileno(), 0)
    random.seed()
    program, *sys.argv = request["argv"] if request["argv"][0] != "-m" else request["argv"][1:]
    sys.argv = [program, *sys.argv]
    if request["argv"][0] == "-m":
        runpy.run_module(program, run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(program, run_name="__main__")
    sys.exit()


def load() -> None:
    """Import everything that web, worker, beat and manage.py import."""
    import django

    django.setup()
    for name in (*LIBRARIES, *MODULES):
        __import__(name)
    from django.db import connections

    from portal import self_tests
    from portal.processes import DELETER, WEB, WORKER

    for roles in ((WEB,), (WORKER, DELETER)):  # run the self-tests once instead of in each fork
        self_tests.failures(*roles)
    connections.close_all()


def load_libraries() -> None:
    """Import libraries that read no settings."""
    for name in LIBRARIES:
        __import__(name)
    assert "portal.settings" not in sys.modules


LIBRARIES = (
    *("celery.bin.celery", "celery.apps.worker", "celery.apps.beat", "celery.concurrency.prefork", "celery.beat"),
    *("celery.worker.consumer", "celery.worker.components", "kombu.transport.redis", "kombu.asynchronous.hub"),
    *("gunicorn.app.wsgiapp", "gunicorn.workers.gthread", "django.core.management.commands.check"),
    *("django.db.models", "django.template.loader", "django.views.generic", "django.contrib.staticfiles.storage"),
    *("av", "boto3", "cryptography.x509", "fido2.server", "icalendar", "mutagen", "psycopg", "psycopg.types.json"),
    *("pydantic", "pydub", "pysubs2", "redis", "rich.traceback", "structlog", "s3transfer.manager"),
)
MODULES = ("portal.celery", "portal.urls", "archive.tasks")

if __name__ == "__main__":
    if "libraries" in sys.argv:
        load_libraries()
    else:
        load()
    gc.freeze()  # so that forks keep sharing these pages
    become(serve())
