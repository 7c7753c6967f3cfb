"""Start web, worker, beat and manage.py as child processes that tests can kill and read."""

import os
import random
import signal
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection
from kombu import Connection

from embedded.engines import Engines
from embedded.process import Process
from embedded.services import FOR_MIGRATIONS
from embedded.state import PORTS, is_free
from tests.support.preloaded import PreloadedProcess, Preloader
from tests.support.reused_processes import Web, Worker
from tests.support.waiting import answers, wait_until

ROOT = Path(__file__).parents[2]
# Variables that libraries set in this process while tests run.
NO_SETTINGS = {"PYTEST_CURRENT_TEST", "PLAYWRIGHT_NODEJS_PATH", "ORT_DISABLE_TELEMETRY", "TZ", *FOR_MIGRATIONS}
MANAGE = [sys.executable, str(ROOT / "manage.py")]


@cache
def web_port() -> int:
    """Return the port that all web processes of this run use, one after the other."""
    return free_port()


def own_environment() -> dict[str, str]:
    """Return the environment of this process, without variables that are not settings."""
    return {name: value for name, value in os.environ.items() if name not in NO_SETTINGS}


class Services:
    """The child processes of one test. Their settings are those of the tests, with the test database."""

    def __init__(self, folder: Path, engines: Engines, *, preload: bool = False) -> None:
        """With `preload`, the processes are forks (preloaded.py)."""
        self.folder = folder
        self.engines = engines
        self.port = web_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.running: list[Process] = []
        self.preload = preload
        if preload:
            Preloader.start(self.env)
        empty_queues()

    @property
    def env(self) -> dict[str, str]:
        return {**own_environment(), "DATABASE_URL": database_url(), "SITE_URL": self.url, "PYTHONUNBUFFERED": "1"}

    def start(self, name: str, *command: str, **env: str) -> Process:
        """Start Python with these arguments. `env` changes its settings."""
        log, settings = self.folder / f"{name}-{len(self.running)}.log", {**self.env, **env}
        if self.preload and (preloader := Preloader.find(settings)):
            process: Process = PreloadedProcess(name, log, preloader.fork(command, settings, log))
        else:
            process = Process(name, log)
            process.spawn([sys.executable, *command], cwd=ROOT, env=settings, death_signal=signal.SIGKILL)
        self.running.append(process)
        return process

    def worker(self, concurrency: int = 2, *, fresh: bool = False, **env: str) -> Process:
        """Return a worker for all queues: that of the last test, unless `fresh` or with its own settings."""
        if concurrency != 2 or fresh or env:
            return self._worker(concurrency, **env)
        if Worker.last is not None and Worker.last.env == self.env and not Worker.last.in_use and Worker.resume():
            Worker.last.in_use = True
        elif Worker.last is None or not Worker.last.in_use or not Worker.last.process.running:
            Worker.kill()
            options = (f"--hostname={Worker.NAME}",)
            Worker.last = Worker(self.env, self._worker(concurrency, *options, app="tests.support.reused_worker"))
        else:
            return self._worker(concurrency)
        return Worker.last.process

    def _worker(self, concurrency: int, *options: str, app: str = "portal.celery", **env: str) -> Process:
        quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=INFO")
        pool = ("--pool=prefork", f"--concurrency={concurrency}")
        return self.start("worker", "-m", "celery", "-A", app, "worker", *pool, *quiet, *options, **env)

    def beat(self) -> Process:
        schedule = str(self.folder / "beat")
        celery = ("-m", "celery", "-A", "portal.celery", "--quiet")
        return self.start("beat", *celery, "beat", "--pidfile=", f"--schedule={schedule}")

    def web(self, **env: str) -> Process:
        env = {**self.env, **env}
        if Web.last is not None and Web.last.env == env and answers(f"{self.url}/healthz"):
            return Web.last.process
        Web.kill()
        bind = f"--bind=127.0.0.1:{self.port}"
        options = ("--worker-class=gthread", "--workers=1", "--threads=8", "--no-control-socket")
        process = self.start("web", "-m", "gunicorn", "portal.wsgi", bind, *options, **env)
        wait_until(lambda: answers(f"{self.url}/healthz") or not process.running, "the web process answers")
        assert process.running, process.log.read_text()
        Web.last = Web(env, process)
        return process

    def stop(self) -> None:
        """Kill all processes except those that the next test may reuse."""
        Worker.pause()
        reused = [last.process for last in (Web.last, Worker.last) if last is not None]
        for process in self.running:
            if process not in reused:
                process.kill()

    def logs(self) -> str:
        return "\n".join(f"--- {p.log.name}\n{p.log.read_text(errors='replace')[-4000:]}" for p in self.running)


def database_url() -> str:
    """Return the URL of the test database. The one in the settings has no tables."""
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()


def empty_queues() -> None:
    """Empty the queues, which all tests share. Messages that a killed worker had taken would return after an hour."""
    from portal.celery import app

    with app.connection_for_read() as broker:
        for queue in settings.CELERY_TASK_QUEUES:
            queue(broker.default_channel).purge()
        redis_client(broker).delete("unacked", "unacked_index")


def count_messages() -> int:
    """Count messages that no worker has taken yet, and those that a worker has taken but not acknowledged."""
    from portal.celery import app

    with app.connection_for_read() as broker:
        redis = redis_client(broker)
        return int(redis.hlen("unacked")) + sum(int(redis.llen(queue.name)) for queue in settings.CELERY_TASK_QUEUES)


def redis_client(broker: Connection) -> Any:
    return getattr(broker.default_channel, "client")  # noqa: B009  # of the transport for Redis


def kill_reused_processes() -> None:
    """Kill the processes that are kept for the next test."""
    Web.kill()
    Worker.kill()
    Preloader.kill()


def manage(services: Services, *arguments: str, ok: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a manage.py command in its own process."""
    if services.preload and (preloader := Preloader.find(services.env)):
        done = preloader.run(MANAGE[1:] + list(arguments), services.env, services.folder)
    else:
        command = [*MANAGE, *arguments]
        done = subprocess.run(command, env=services.env, cwd=ROOT, text=True, capture_output=True, check=False)
    if ok and done.returncode:
        raise AssertionError(f"manage.py {arguments[0]} failed:\n{done.stderr}")
    return done


def free_port() -> int:
    """Return a free port below the ephemeral ports, so no outgoing connection takes it before its server starts."""
    return next(port for port in random.SystemRandom().sample(PORTS, 200) if is_free(port))
