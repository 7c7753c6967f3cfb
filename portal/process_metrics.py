"""Show what only this process and its children know (archive/metrics.py), on a port of its own.

gunicorn and Celery fork children, and each counts for itself, in a file (prometheus-client's multi-process mode). A
thread of the parent adds the files up when somebody asks: it never waits behind clients or tasks.

`prepare` runs before anything imports prometheus_client, which chooses its mode then; `serve` once the parent runs.
"""

import atexit
import os
import shutil
import struct
import tempfile
import threading
import time
from functools import cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import structlog

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
UNREADABLE = (struct.error, RuntimeError, ValueError, OSError)  # files that are incomplete, or were just removed
PAUSES = (0.05, 0.1, 0.2)  # seconds between attempts to read them

logger = structlog.get_logger()


def is_on() -> bool:
    """Whether this process has a port to show them on."""
    return os.environ.get("METRICS_PORT", "").strip() not in ("", "0")


@cache
def prepare() -> None:
    """Make a folder for this process and its children, below FOLDER or the system's folder for temporary files. It goes
    when the process ends."""
    if not is_on():
        return
    folder = tempfile.mkdtemp(prefix="spacekeep-metrics-", dir=os.environ.get(FOLDER) or None)
    os.environ[FOLDER] = folder
    atexit.register(_remove, Path(folder), os.getpid())


def forget_child(pid: int) -> None:
    """A child ended: its requests in progress are no more. What it counted stays."""
    if is_on():
        from prometheus_client import multiprocess  # noqa: PLC0415  (after `prepare`)

        multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]


def serve() -> None:
    """Answer GET /metrics on METRICS_PORT, in a thread. A port that is taken costs the metrics, not the process."""
    from django.conf import settings  # noqa: PLC0415

    if not settings.METRICS_PORT:
        return
    if not settings.METRICS_TOKEN:
        logger.warning("metrics_without_token", port=settings.METRICS_PORT)
        return
    try:
        server = ThreadingHTTPServer(("", settings.METRICS_PORT), Handler)
    except OSError as error:
        logger.error("metrics_port_taken", port=settings.METRICS_PORT, error=error.strerror)
        return
    os.register_at_fork(after_in_child=server.socket.close)  # children would keep the port after their parent's death
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    server_version, sys_version = "Spacekeep", ""

    def do_GET(self) -> None:
        from portal import metrics_access  # noqa: PLC0415  (needs the settings)

        status = metrics_access.refusal(self.headers.get("Authorization", ""))
        if self.path != "/metrics":
            status = HTTPStatus.NOT_FOUND
        body = b""
        try:
            body = b"" if status else collect()
        except UNREADABLE as error:
            logger.warning("metrics_unreadable", error=repr(error))
            status = HTTPStatus.SERVICE_UNAVAILABLE
        self.send_response(status or HTTPStatus.OK)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        if status == HTTPStatus.UNAUTHORIZED:
            self.send_header(*metrics_access.CHALLENGE)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815  (the name that the base class looks for)

    def log_message(self, format: str, *args: object) -> None:
        """A scrape is no news."""


def collect() -> bytes:
    """What this process and its children have counted, as text. Raises one of UNREADABLE.

    A child may be creating a file at this moment: it is empty for an instant, and prometheus-client fails on it.
    """
    from prometheus_client import CollectorRegistry, generate_latest, multiprocess  # noqa: PLC0415

    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    for pause in PAUSES:
        try:
            return generate_latest(registry)
        except UNREADABLE:
            time.sleep(pause)
    return generate_latest(registry)


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
