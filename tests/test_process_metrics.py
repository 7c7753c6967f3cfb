"""Metrics that only processes can count, from real gunicorn and Celery processes: the sums over all of their
children."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from pytest_django import Settings
from structlog.testing import capture_logs

from archive import tasks
from archive.models import User
from portal import metrics_server, process_metrics
from tests.support.factory import make_row
from tests.support.http_clients import fetch
from tests.support.processes import ROOT, Services, free_port
from tests.support.waiting import PATIENCE, answers, wait_until
from tests.test_metrics import Samples, parse

TOKEN = "0123456789abcdef0123456789abcdef"


class Metrics:
    """The metrics listener of a process, with its settings."""

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

    def has(self, name: str, **labels: str) -> bool:
        return self.total(name, **labels) >= 1


@pytest.fixture
def metrics(tmp_path: Path) -> Metrics:
    folder = tmp_path / "metrics"
    folder.mkdir()
    return Metrics(folder)


@pytest.mark.usefixtures("committed")
def test_the_portal_adds_up_the_requests_of_its_processes(services: Services, metrics: Metrics) -> None:
    port = free_port()  # not the port of the tests' other web process, which may still run
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


@pytest.mark.usefixtures("committed")
def test_a_worker_counts_its_tasks_and_its_requests_to_the_store(
    services: Services, metrics: Metrics, alice: User
) -> None:
    make_row(alice, ended_ago=timedelta(days=31))
    worker = services.worker(2, fresh=True, **metrics.env)
    wait_until(lambda: "ready" in worker.log.read_text(), "the worker is ready")

    tasks.dispatch.apply_async()
    for task in ("dispatch", "purge_space"):
        wait_until(partial(metrics.has, "task_seconds_count", task=task), f"{task} is counted")
    for name in ("store_requests_total", "store_request_seconds_count"):
        is_counted = partial(metrics.has, name, operation="ListMultipartUploads")
        wait_until(is_counted, f"{name} of the deletion is counted")

    assert metrics.total("task_seconds_count", task="dispatch", outcome="done") == 1
    assert metrics.total("task_seconds_count", outcome="failed") == 0
    assert metrics.total("store_requests_total", operation="ListMultipartUploads", code="200") >= 1


@pytest.mark.usefixtures("committed")
def test_a_port_that_is_taken_stops_nothing(services: Services, metrics: Metrics) -> None:
    taken = {**metrics.env, "METRICS_PORT": str(services.port)}
    web = services.web(**taken)

    assert web.running
    assert "metrics_port_taken" in web.log.read_text()


CHILD = """
from prometheus_client import Counter, Gauge, Histogram
Counter("tasks", "Tasks.", ["name"]).labels("purge").inc(2)
Histogram("seconds", "Time.", buckets=(1, 5)).observe(3)
Gauge("busy", "Busy.", multiprocess_mode="livesum").set(1)
"""


def run(code: str, folder: Path) -> str:
    """Run code in a new process, and return what it printed."""
    env = {**os.environ, process_metrics.FOLDER: str(folder), "METRICS_PORT": "1"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=env, cwd=ROOT, text=True, capture_output=True, check=False, timeout=PATIENCE)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.stdout.strip()


def test_children_that_ended_leave_their_counts_and_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(process_metrics.FOLDER, str(tmp_path))
    for count in (1, 2, 3):
        run(CHILD, tmp_path)
        (tmp_path / "counter_4194305.db").touch()  # killed while it created the file; no process has this pid

        for _ in range(2):
            found = parse(process_metrics.collect().decode())

            assert found["tasks_total", frozenset({("name", "purge")})] == 2 * count
            assert found["seconds_count", frozenset()] == count
            assert found["seconds_sum", frozenset()] == 3 * count
            assert found["seconds_bucket", frozenset({("le", "5.0")})] == count
            assert found["seconds_bucket", frozenset({("le", "1.0")})] == 0
            assert ("busy", frozenset()) not in found
        assert sorted(path.name for path in tmp_path.iterdir()) == ["counter_0.db", "histogram_0.db"]


PREPARE = "from portal import process_metrics as m; m.prepare(); import os; print(os.environ[m.FOLDER], flush=True)"


def test_a_killed_process_leaves_no_folder_for_ever(tmp_path: Path) -> None:
    old = Path(run(f"{PREPARE}; os.kill(os.getpid(), 9)", tmp_path))
    waits = [sys.executable, "-c", f"{PREPARE}; input()"]
    env = {**os.environ, process_metrics.FOLDER: str(tmp_path), "METRICS_PORT": "1"}
    with subprocess.Popen(waits, env=env, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin
        assert other.stdout
        used = Path(other.stdout.readline().strip())
        for folder in (old, used):
            os.utime(folder, (0, 0))

        run(PREPARE, tmp_path)

        assert list(tmp_path.iterdir()) == [used]
        other.stdin.close()
    assert list(tmp_path.iterdir()) == []


def test_a_command_makes_no_folder_and_no_file(tmp_path: Path) -> None:
    count = "import portal.celery, archive.metrics; archive.metrics.MAILS.labels('sent').inc()"

    assert run(f"{count}; import os; print(os.listdir({str(tmp_path)!r}))", tmp_path) == "[]"


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[tuple[str, int]]:
    """Return the URL of a server in this process."""
    monkeypatch.setenv(process_metrics.FOLDER, str(tmp_path))
    settings.METRICS_TOKEN = TOKEN
    server = metrics_server.Server(("127.0.0.1", 0), metrics_server.Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield "127.0.0.1", server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def scrape(address: tuple[str, int]) -> int:
    """Return the status; 0 if the connection is closed without a response."""
    try:
        return fetch(f"http://{address[0]}:{address[1]}/metrics", Authorization=f"Bearer {TOKEN}")[0]
    except OSError:
        return 0


def open_idle(address: tuple[str, int], count: int) -> list[socket.socket]:
    """Open connections that send nothing."""
    clients = [socket.create_connection(address) for _ in range(count)]
    for client in clients:
        client.settimeout(PATIENCE)
    return clients


def test_slow_clients_cost_a_few_connections_for_some_seconds(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics_server, "MAX_SECONDS", 3600.0)
    monkeypatch.setattr(metrics_server.Handler, "timeout", 3600.0)
    threads = threading.active_count()
    clients = open_idle(address, 20)
    assert [client.recv(1) for client in clients[:16]] == [b""] * 16  # the oldest make room
    wait_until(lambda: threading.active_count() == threads + 4, "the others have a thread each")
    assert scrape(address) == 200, "they keep Prometheus out"

    for client in clients:
        client.close()
    wait_until(lambda: threading.active_count() == threads, "their threads end")
    monkeypatch.setattr(metrics_server, "MAX_SECONDS", 0.5)
    clients = open_idle(address, 4)
    assert [client.recv(1) for client in clients] == [b""] * 4  # once they timed out
    wait_until(lambda: scrape(address) == 200, "it answers again")
    for client in clients:
        client.close()


def test_a_scrape_that_is_answered_makes_no_room(address: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """However many connect while it is answered."""
    reached, go_on = threading.Event(), threading.Event()

    def collect() -> bytes:
        reached.set()
        assert go_on.wait(PATIENCE)
        return b"counted 1"

    monkeypatch.setattr(process_metrics, "collect", collect)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(scrape, address)
        assert reached.wait(PATIENCE)
        clients = open_idle(address, 8)
        assert [client.recv(1) for client in clients[:5]] == [b""] * 5
        go_on.set()
        assert answer.result(PATIENCE) == 200
    for client in clients:
        client.close()


def test_a_client_that_goes_away_is_no_error(address: tuple[str, int], capfd: pytest.CaptureFixture[str]) -> None:
    threads = threading.active_count()
    with capture_logs() as lines:
        for sent in (b"", b"GET /met", b"GET /metrics HTTP/1.0\r\n\r\n"):
            with closing(socket.create_connection(address)) as client:
                client.sendall(sent)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset
        assert scrape(address) == 200
        wait_until(lambda: threading.active_count() == threads, "the threads of all clients end")

    assert lines == []
    assert "Traceback" not in "".join(capfd.readouterr())
