"""Metrics that only processes know, from real gunicorn and Celery processes: those of all children, added up."""

import signal
from datetime import timedelta
from pathlib import Path

import pytest

from archive import tasks
from archive.models import User
from tests.support.factory import make_row
from tests.support.http_clients import fetch
from tests.support.processes import Services, free_port
from tests.support.waiting import answers, wait_until
from tests.test_metrics import Samples, parse

pytestmark = pytest.mark.usefixtures("committed")

TOKEN = "0123456789abcdef0123456789abcdef"


class Metrics:
    """The listener of a process, and its settings."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/metrics"
        self.env = {"METRICS_PORT": str(self.port), "METRICS_TOKEN": TOKEN, "PROMETHEUS_MULTIPROC_DIR": str(folder)}

    def read(self) -> Samples:
        status, _, body = fetch(self.url, Authorization=f"Bearer {TOKEN}")
        assert status == 200
        return parse(body.decode())

    def total(self, name: str, **labels: str) -> float:
        wanted = set(labels.items())
        return sum(value for (found, pairs), value in self.read().items() if found == name and wanted <= pairs)


@pytest.fixture
def metrics(tmp_path: Path) -> Metrics:
    folder = tmp_path / "metrics"
    folder.mkdir()
    return Metrics(folder)


def test_the_portal_adds_up_the_requests_of_its_processes(services: Services, metrics: Metrics) -> None:
    port = free_port()  # not that of the tests' other web process, which may still run
    site, bind = f"http://127.0.0.1:{port}", f"--bind=127.0.0.1:{port}"
    options = ("--worker-class=gthread", "--workers=2", "--threads=2", "--preload", "--no-control-socket")
    web = services.start("web", "-m", "gunicorn", "portal.wsgi", bind, *options, **metrics.env)
    wait_until(lambda: answers(f"{site}/livez") or not web.running, "the web process answers")

    for number in range(20):
        fetch(f"{site}/accounts/login/?number={number}")
    fetch(f"{site}/spaces/0f000000-0000-4000-8000-000000000000/")
    fetch(f"{site}/no/such/address")

    assert metrics.total("http_requests_total", view="account_login", method="GET", status="200") == 20
    assert metrics.total("http_request_seconds_count", view="account_login") == 20
    assert metrics.total("http_requests_total", view="space", status="302") == 1
    assert metrics.total("http_requests_total", view="none", status="404") == 1
    assert metrics.total("http_requests_in_progress") == 0
    assert "0f000000" not in str(metrics.read())
    assert len(list(metrics.folder.glob("*/counter_*.db"))) >= 2

    (folder,) = metrics.folder.iterdir()
    incomplete = folder / "counter_1.db"  # as a child leaves it between two calls
    incomplete.touch()
    assert fetch(metrics.url, Authorization=f"Bearer {TOKEN}")[0] == 503
    incomplete.unlink()
    assert fetch(metrics.url, Authorization=f"Bearer {TOKEN}")[0] == 200

    for given in ("", "Bearer x"):
        assert fetch(metrics.url, Authorization=given)[0] == 401
    assert fetch(metrics.url.replace("/metrics", "/"), Authorization=f"Bearer {TOKEN}")[0] == 404
    web.stop(signal.SIGTERM, 20)
    assert list(metrics.folder.iterdir()) == []


def test_a_worker_counts_its_tasks_and_its_requests_to_the_store(
    services: Services, metrics: Metrics, alice: User
) -> None:
    make_row(alice, ended_ago=timedelta(days=31))
    worker = services.worker(2, fresh=True, **metrics.env)
    wait_until(lambda: "ready" in worker.log.read_text(), "the worker is ready")

    tasks.dispatch.apply_async()
    wait_until(lambda: metrics.total("task_seconds_count", task="purge_space") >= 1, "the deletion is counted")

    assert metrics.total("task_seconds_count", task="dispatch", outcome="done") == 1
    assert metrics.total("task_seconds_count", outcome="failed") == 0
    assert metrics.total("store_requests_total", operation="ListMultipartUploads", code="200") >= 1
    assert metrics.total("store_request_seconds_count", operation="ListMultipartUploads") >= 1


def test_a_port_that_is_taken_stops_nothing(services: Services, metrics: Metrics) -> None:
    taken = {**metrics.env, "METRICS_PORT": str(services.port)}
    web = services.web(**taken)

    assert web.running
    assert "metrics_port_taken" in web.log.read_text()
