"""The real processes: web, worker, beat and manage.py, as children that tests start, kill and read."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen
from uuid import UUID

import psycopg
from django.conf import settings
from django.db import connection
from kombu.exceptions import OperationalError

from embedded.engines import Engines
from embedded.process import Process
from embedded.state import PORTS, is_free

ROOT = Path(__file__).parents[2]
MANAGE = [sys.executable, str(ROOT / "manage.py")]


# Seconds that anything may take on a machine that others use too. What never happens fails later, and nothing else.
PATIENCE = 300


@dataclass
class Web:
    """The web process of the last test. All that it knows is in the engines, so the next test takes it over if that
    wants the same settings, instead of waiting for another one to start."""

    env: dict[str, str]
    process: Process

    last: ClassVar["Web | None"] = None

    @classmethod
    def forget(cls) -> None:
        if cls.last is not None:
            cls.last.process.kill()
            cls.last = None


@dataclass
class Worker:
    """The worker of the last test, for the next one that wants the same settings. Between the two it consumes nothing,
    and works on nothing."""

    env: dict[str, str]
    process: Process
    in_use: bool = True

    last: ClassVar["Worker | None"] = None
    NAME: ClassVar[str] = "kept@tests"

    @classmethod
    def forget(cls) -> None:
        if cls.last is not None:
            cls.last.process.kill()
            cls.last = None

    @classmethod
    def pause(cls) -> None:
        """End of a test: it finishes what it has in hand, and takes no message. One that cannot is killed."""
        if cls.last is None:
            return
        cls.last.in_use = False
        if not cls.last.process.running or not (cls._tell("cancel_consumer") and cls._is_idle()):
            cls.forget()

    @classmethod
    def resume(cls) -> bool:
        """Whether the last one runs, and takes messages again."""
        return cls.last is not None and cls.last.process.running and cls._tell("add_consumer")

    @classmethod
    def _tell(cls, command: str) -> bool:
        """Whether it has confirmed the command for each queue."""
        from portal.celery import app

        names = [queue.name for queue in settings.CELERY_TASK_QUEUES]
        options: dict[str, Any] = {"destination": [cls.NAME], "reply": True, "limit": 1, "timeout": 10}
        with suppress(OperationalError), app.connection_for_write() as connection:
            options["connection"] = connection
            return all(app.control.broadcast(command, arguments={"queue": name}, **options) for name in names)
        return False

    @classmethod
    def _is_idle(cls) -> bool:
        from portal.celery import app

        deadline = time.monotonic() + 20
        # A connection of its own: those of the pool may be to a broker that a test has restarted.
        with app.connection_for_write() as connection:
            inspect = app.control.inspect([cls.NAME], timeout=10, limit=1, connection=connection)
            while time.monotonic() < deadline:
                if not any((inspect.active() or {}).values()) and not any((inspect.reserved() or {}).values()):
                    return True
                time.sleep(0.05)
        return False


@cache
def web_port() -> int:
    """The port of every web process of this run, one after the other."""
    return free_port()


class Services:
    """Children of one test. Their settings are those of the tests, on the test database."""

    def __init__(self, folder: Path, engines: Engines) -> None:
        self.folder = folder
        self.engines = engines
        self.port = web_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.running: list[Process] = []
        forget_messages()

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

    def worker(self, concurrency: int = 2, *, fresh: bool = False, **env: str) -> Process:
        """A worker for all queues: the one of the last test, unless it is to be `fresh` or has settings of its own."""
        if concurrency != 2 or fresh or env:
            return self._worker(concurrency, **env)
        if Worker.last is not None and Worker.last.env == self.env and not Worker.last.in_use and Worker.resume():
            Worker.last.in_use = True
        elif Worker.last is None or not Worker.last.in_use or not Worker.last.process.running:
            Worker.forget()
            Worker.last = Worker(self.env, self._worker(concurrency, f"--hostname={Worker.NAME}"))
        else:
            return self._worker(concurrency)
        return Worker.last.process

    def _worker(self, concurrency: int, *options: str, **env: str) -> Process:
        quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=INFO")
        pool = ("--pool=prefork", f"--concurrency={concurrency}")
        return self.start("worker", "-m", "celery", "-A", "portal.celery", "worker", *pool, *quiet, *options, **env)

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
        wait_until(lambda: answers(f"{self.url}/healthz") or not process.running, "the web process answers")
        assert process.running, process.log.read_text()
        Web.last = Web(self.env, process)
        return process

    def stop(self) -> None:
        """End all of them but those that the next test may take over."""
        Worker.pause()
        kept = [last.process for last in (Web.last, Worker.last) if last is not None]
        for process in self.running:
            if process not in kept:
                process.kill()

    def logs(self) -> str:
        return "\n".join(f"--- {p.log.name}\n{p.log.read_text(errors='replace')[-4000:]}" for p in self.running)


def forget_messages() -> None:
    """The queues belong to all tests: empty them."""
    from portal.celery import app

    with app.connection_for_read() as broker:
        for queue in settings.CELERY_TASK_QUEUES:
            queue(broker.default_channel).purge()


def forget() -> None:
    """End the processes that were kept for the next test."""
    Web.forget()
    Worker.forget()


def manage(services: Services, *arguments: str, ok: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a manage.py command in a process of its own."""
    done = subprocess.run(
        [*MANAGE, *arguments], env=services.env, cwd=ROOT, text=True, capture_output=True, check=False
    )
    if ok and done.returncode:
        raise AssertionError(f"manage.py {arguments[0]} failed:\n{done.stderr}")
    return done


def wait_until(true: Callable[[], bool], what: str, seconds: float = PATIENCE) -> float:
    """Wait for something to become true; returns how long it took, in seconds."""
    start = time.monotonic()
    while not true():
        if time.monotonic() - start > seconds:
            raise AssertionError(f"waited {seconds:.0f} s in vain: {what}")
        time.sleep(0.05)
    return time.monotonic() - start


def dispatch_until(true: Callable[[], bool], what: str) -> None:
    """Wait for something that workers do, and send the dispatcher round every second meanwhile, as beat would."""
    from archive.tasks import dispatch

    last = float("-inf")

    def sent_round() -> bool:
        nonlocal last
        if time.monotonic() - last > 1:
            dispatch()
            last = time.monotonic()
        return true()

    wait_until(sent_round, what)


def answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=30) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def free_port() -> int:
    """Below the ephemeral ports, where no outgoing connection takes it before its server starts."""
    return next(port for port in random.SystemRandom().sample(PORTS, 200) if is_free(port))


class PausedAt:
    """Block every transaction that writes a log entry `event` (of `space_id`, if given) while the context is open.

    This is an exact point for killing or stopping a process. Each insert takes a shared lock with the event's name, and
    this context holds that lock exclusively.
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
        """Close the connections that still wait: a killed client's transaction would keep its row locks."""
        self._waiting("pg_terminate_backend(pid)")
        self.connection.close()

    def reached(self) -> bool:
        """Whether somebody waits there."""
        return bool(self._waiting("pid"))

    def wait(self) -> None:
        wait_until(self.reached, f"somebody writes {self.name[0]}")

    def release(self) -> None:
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
