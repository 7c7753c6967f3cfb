"""Run processes of two versions of the code at the same time, on the same engines."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embedded.engines import Engines
from embedded.process import Process
from tests.support.processes import ROOT, Services, free_port
from tests.support.waiting import answers, wait_until

WORKER = ("worker", "--pool=prefork", "--concurrency=2", "--loglevel=INFO", "--without-mingle", "--without-gossip")


@contextmanager
def checked_out(commit: str, folder: Path) -> Iterator[Path]:
    """Check out an older commit in its own folder. Installed packages are the current ones."""
    git("worktree", "add", "--detach", str(folder), commit)
    try:
        (folder / "node_modules").symlink_to(ROOT / "node_modules")
        run([sys.executable, "-m", "embedded.node", "run", "build", "--silent"], folder, dict(os.environ))
        yield folder
    finally:
        git("worktree", "remove", "--force", str(folder))


def git(*arguments: str) -> str:
    return run(["git", *arguments], ROOT, dict(os.environ))


def run(command: list[str], folder: Path, env: dict[str, str]) -> str:
    """Run a command and return its output. Raises AssertionError with its errors if it fails."""
    done = subprocess.run(command, cwd=folder, env=env, text=True, capture_output=True, check=False, timeout=1200)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


class Release(Services):
    """Processes and commands of the code in `code`. They are not shared with other tests."""

    def __init__(self, name: str, code: Path, folder: Path, engines: Engines) -> None:
        super().__init__(folder, engines)
        self.name, self.code, self.port = name, code, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.manage("collectstatic", "--no-input")

    @property
    def env(self) -> dict[str, str]:
        return {**super().env, "STATIC_ROOT": str(self.folder / f"static-{self.name}")}

    def start(self, name: str, *command: str, **env: str) -> Process:
        process = Process(f"{self.name}-{name}", self.folder / f"{self.name}-{name}-{len(self.running)}.log")
        process.spawn([sys.executable, *command], cwd=self.code, env={**self.env, **env}, death_signal=signal.SIGKILL)
        self.running.append(process)
        return process

    def start_web(self) -> None:
        options = ("--worker-class=gthread", "--workers=1", "--threads=8", "--no-control-socket")
        web = self.start("web", "-m", "gunicorn", "portal.wsgi", f"--bind=127.0.0.1:{self.port}", *options)
        wait_until(lambda: answers(f"{self.url}/healthz") or not web.running, f"web of {self.name} answers")
        assert web.running, web.log.read_text()

    def start_worker(self) -> None:
        celery = ("-m", "celery", "-A", "portal.celery", *WORKER, f"--hostname={self.name}@tests")
        worker = self.start("worker", *celery)
        wait_until(lambda: " ready" in worker.log.read_text() or not worker.running, f"worker of {self.name} is ready")
        assert worker.running, worker.log.read_text()

    def stop_all(self) -> None:
        """Stop all processes as an upgrade does: workers finish their current work."""
        for process in self.running:
            process.ask_to_stop(signal.SIGTERM)
        for process in self.running:
            wait_until(lambda process=process: not process.running, f"{process.name} ends")  # type: ignore[misc]

    def kill_all(self) -> None:
        for process in self.running:
            process.kill()

    def manage(self, *arguments: str) -> str:
        """Return the output of a command of this version. Raises AssertionError if it fails."""
        return run([sys.executable, "manage.py", *arguments], self.code, self.env)

    def errors(self) -> list[str]:
        """Return the error lines of its processes, except those about messages of unknown tasks."""
        lines = [line for process in self.running for line in process.log.read_text(errors="replace").splitlines()]
        wrong = [line for line in lines if "Traceback" in line or _level(line) in ("error", "critical")]
        return [line for line in wrong if "Received unregistered task" not in line]


def _level(line: str) -> str:
    try:
        return str(json.loads(line).get("level", ""))
    except (ValueError, AttributeError):
        return ""
