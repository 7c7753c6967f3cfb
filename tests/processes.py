"""The real processes: web, worker, beat and manage.py, as children that tests start, kill and read."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen
from uuid import UUID

import psycopg
from django.db import connection

from embedded.engines import Engines
from embedded.process import Process

ROOT = Path(__file__).parent.parent
MANAGE = [sys.executable, str(ROOT / "manage.py")]


@dataclass
class Web:
    """The web process of the last test. It knows nothing that is not in the engines, so the next test takes it over if
    that wants the same settings, instead of waiting for another one to start."""

    port: int
    env: dict[str, str]
    process: Process

    last: ClassVar["Web | None"] = None

    @classmethod
    def forget(cls) -> None:
        if cls.last is not None:
            cls.last.process.kill()
            cls.last = None


class Services:
    """Children of one test. Their settings are those of the tests, on the test database."""

    def __init__(self, folder: Path, engines: Engines) -> None:
        self.folder = folder
        self.engines = engines
        self.port = Web.last.port if Web.last else free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.running: list[Process] = []

    @property
    def env(self) -> dict[str, str]:
        url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
        ours = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
        return {**ours, "DATABASE_URL": url, "SITE_URL": self.url, "PYTHONUNBUFFERED": "1"}

    def start(self, name: str, *command: str, **env: str) -> Process:
        process = Process(name, self.folder / f"{name}-{len(self.running)}.log")
        process.spawn([sys.executable, *command], cwd=ROOT, env={**self.env, **env}, death_signal=signal.SIGKILL)
        self.running.append(process)
        return process

    def worker(self, concurrency: int = 2, **env: str) -> Process:
        options = (
            "--pool=prefork",
            f"--concurrency={concurrency}",
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
        )
        return self.start("worker", "-m", "celery", "-A", "portal.celery", "worker", "--loglevel=INFO", *options, **env)

    def beat(self) -> Process:
        schedule = str(self.folder / "beat")
        return self.start("beat", "-m", "celery", "-A", "portal.celery", "beat", "--pidfile=", f"--schedule={schedule}")

    def web(self) -> Process:
        if Web.last is not None and Web.last.env == self.env and answers(f"{self.url}/healthz"):
            return Web.last.process
        Web.forget()
        bind = f"--bind=127.0.0.1:{self.port}"
        options = ("--worker-class=gthread", "--workers=1", "--threads=8", "--no-control-socket")
        process = self.start("web", "-m", "gunicorn", "portal.wsgi", bind, *options)
        wait_until(lambda: answers(f"{self.url}/healthz"), "the web process answers", 30)
        Web.last = Web(self.port, self.env, process)
        return process

    def stop(self) -> None:
        for process in self.running:
            if Web.last is None or process is not Web.last.process:
                process.kill()

    def logs(self) -> str:
        return "\n".join(f"--- {p.log.name}\n{p.log.read_text(errors='replace')[-4000:]}" for p in self.running)


def manage(services: Services, *arguments: str, ok: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a manage.py command in a process of its own."""
    done = subprocess.run(
        [*MANAGE, *arguments], env=services.env, cwd=ROOT, text=True, capture_output=True, check=False
    )
    if ok and done.returncode:
        raise AssertionError(f"manage.py {arguments[0]} failed:\n{done.stderr}")
    return done


def wait_until(true: Callable[[], bool], what: str, seconds: float = 30) -> float:
    """Wait for something to become true; returns how long it took, in seconds."""
    start = time.monotonic()
    while not true():
        if time.monotonic() - start > seconds:
            raise AssertionError(f"waited {seconds:.0f} s in vain: {what}")
        time.sleep(0.05)
    return time.monotonic() - start


def answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class PausedAt:
    """While entered, whoever writes a log entry `event` (of `space_id`, if given) waits, in the middle of that
    transaction: a place to kill or stop a process that is exact to the line.

    Each entry's insert takes a shared lock that bears its event's name, and we hold that lock for ourselves.
    """

    LOCKS = 7465
    HASH = "hashtext(%s || coalesce(%s::uuid::text, ''))"

    def __init__(self, event: str, space_id: UUID | None = None) -> None:
        self.name = (event, space_id)

    def __enter__(self) -> "PausedAt":
        self.connection = psycopg.connect(dsn(), autocommit=True)
        self.connection.execute(
            f"""
            CREATE OR REPLACE FUNCTION tests_pause() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                PERFORM pg_advisory_xact_lock_shared({self.LOCKS}, hashtext(NEW.event));
                PERFORM pg_advisory_xact_lock_shared({self.LOCKS}, hashtext(NEW.event || NEW.space_id));
                RETURN NEW;
            END $$
            """
        )
        present = "SELECT 1 FROM pg_trigger WHERE tgname = 'tests_pause'"
        if not self.connection.execute(present).fetchone():
            self.connection.execute(
                "CREATE TRIGGER tests_pause BEFORE INSERT ON archive_logentry FOR EACH ROW "
                "EXECUTE FUNCTION tests_pause()"
            )
        self.connection.execute(f"SELECT pg_advisory_lock({self.LOCKS}, {self.HASH})", self.name)
        return self

    def __exit__(self, *args: object) -> None:
        """Whoever still waits loses the connection: a killed client's transaction would hold on to its rows."""
        self._waiting("pg_terminate_backend(pid)")
        self.connection.close()

    def reached(self) -> bool:
        """Whether somebody waits there."""
        return bool(self._waiting("pid"))

    def wait(self, seconds: float = 30) -> None:
        wait_until(self.reached, f"somebody writes {self.name[0]}", seconds)

    def let_go(self) -> None:
        """Those who wait go on. One that was stopped (SIGSTOP) meanwhile sleeps on in its open transaction."""
        self.connection.execute(f"SELECT pg_advisory_unlock({self.LOCKS}, {self.HASH})", self.name)

    def _waiting(self, what: str) -> list[tuple[object, ...]]:
        return self.connection.execute(
            f"SELECT {what} FROM pg_locks WHERE locktype = 'advisory' AND NOT granted "
            f"AND classid = {self.LOCKS} AND objid = ({self.HASH}::bigint & 4294967295)::oid",
            self.name,
        ).fetchall()


def dsn() -> str:
    settings = connection.settings_dict
    return psycopg.conninfo.make_conninfo(
        host=settings["HOST"],
        port=settings["PORT"],
        user=settings["USER"],
        password=settings["PASSWORD"],
        dbname=settings["NAME"],
    )
