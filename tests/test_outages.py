"""An engine dies and comes back: pages say so, nothing is lost, and work resumes by itself."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from archive import dbtime, tasks
from archive.bundles import build
from archive.log import SYSTEM
from archive.models import Bundle, Space, TaskRun, User
from archive.storage import keys, store
from embedded.engine import Engine
from tests.plugin import engines
from tests.support.http_clients import fetch, request_bundle, session_cookie
from tests.support.processes import Services
from tests.support.waiting import wait_until


@contextmanager
def down(engine: Engine) -> Iterator[None]:
    """Stop the engine. All tests share it, so it is always started again."""
    engine.kill()
    try:
        yield
    finally:
        engine.start()


@pytest.mark.usefixtures("committed")
def test_the_store_is_down(services: Services, alice: User, make_space: Callable[..., Space]) -> None:
    wanted, due = make_space(title="Wanted"), make_space(title="Due")
    cookie = session_cookie(alice)
    services.web()
    services.worker(fresh=True)
    services.beat()
    page = f"{services.url}/spaces/{wanted.id}/"

    with down(engines.seaweedfs):
        status, _, body = fetch(page, cookie)
        assert (status, "Wanted" in body.decode()) == (200, True)
        assert fetch(f"{page}transcript.vtt", cookie)[0] == 200  # from the database
        assert fetch(f"{page}audio", cookie)[0] == 302
        bundle = build.request(wanted.id, SYSTEM)
        overdue(due)
        wait_until(
            lambda: "store" in Bundle.objects.get(pk=bundle.pk).problem_text, "the bundle's row names the problem"
        )
        wait_until(lambda: fetch(f"{services.url}/spaces/{due.id}/", cookie)[0] == 410, "the Space is no longer served")
        assert Bundle.objects.get(pk=bundle.pk).state == "building"
        assert Space.objects.get(pk=due.pk).state == "available"  # no deletion starts (archive/restores.py)
        with pytest.raises(CommandError, match="object store can't be reached"):
            call_command("wait_for_engines", "--seconds=0")
        waiting = ThreadPoolExecutor(1).submit(call_command, "wait_for_engines")
        time.sleep(1)
        assert not waiting.done()

    waiting.result(60)
    wait_until(lambda: Bundle.objects.get(pk=bundle.pk).state == "ready", "the bundle is built")
    wait_until(lambda: Space.objects.get(pk=due.pk).state == "deleted", "the deletion is finished")
    assert not store().listing(keys.prefix(due.id))


@pytest.mark.usefixtures("committed")
def test_the_broker_is_down(services: Services, alice: User, make_space: Callable[..., Space]) -> None:
    space = make_space()
    cookie = session_cookie(alice)
    services.web()
    worker, beat = services.worker(fresh=True), services.beat()
    wait_until(lambda: "ready" in worker.log.read_text(), "the worker is ready")

    with down(engines.valkey):
        status, seconds = request_bundle(services.url, space, cookie)
        assert (status, seconds < 30) == (302, True), seconds  # without waiting for the broker
        bundle = Bundle.objects.get(space=space)
        time.sleep(5)  # long enough for worker and beat to lose their connections, and to fail to reconnect
        assert fetch(f"{services.url}/spaces/{space.id}/", cookie)[0] == 200
        assert answer_of(f"{services.url}/readyz") == (200, {"ready": True, "missing": ["broker"]})
        assert (worker.running, beat.running) == (True, True)

    wait_until(lambda: Bundle.objects.get(pk=bundle.pk).state == "ready", "the bundle is built")


@pytest.mark.usefixtures("committed")
def test_the_broker_is_lost_while_a_worker_has_as_many_messages_as_it_may(services: Services) -> None:
    """It can't acknowledge them, and does not poll for more at that moment."""
    TaskRun.objects.create(pk="check_in", finished_at=dbtime.now())
    worker = services.worker(concurrency=1)
    wait_until(lambda: "ready" in worker.log.read_text(), "the worker is ready")

    with ExitStack() as outage:
        with transaction.atomic():
            run = TaskRun.objects.select_for_update().get(pk="check_in")  # the task's last statement waits for it
            tasks.check_in.apply_async()
            wait_until(lambda: "tasks.check_in[" in worker.log.read_text(), "the worker has the message")
            outage.enter_context(down(engines.valkey))
        wait_until(lambda: "Couldn't ack" in worker.log.read_text(), "the acknowledgement fails")

    ended = TaskRun.objects.get(pk="check_in").finished_at
    assert ended > run.finished_at
    tasks.check_in.apply_async()
    wait_until(lambda: TaskRun.objects.get(pk="check_in").finished_at > ended, "the worker takes messages again")


@pytest.mark.usefixtures("committed")
def test_the_database_is_down(services: Services, alice: User, make_space: Callable[..., Space]) -> None:
    space = make_space()
    cookie = session_cookie(alice)
    services.web()
    worker, beat = services.worker(fresh=True), services.beat()
    page = f"{services.url}/spaces/{space.id}/"
    assert fetch(page, cookie)[0] == 200
    wait_until(lambda: "archive.tasks.dispatch" in worker.log.read_text(), "the worker runs tasks")

    with down(engines.postgres):
        connection.close()  # our connection broke with it
        with pytest.raises(CommandError, match="database can't be reached"):
            call_command("wait_for_engines", "--seconds=0")
        for address in (page, f"{services.url}/", f"{page}audio"):
            status, headers, body = fetch(address, cookie)
            assert (status, headers["Retry-After"]) == (503, "30"), address
            assert "Nothing was lost" in body.decode(), address
        unreachable = (503, {"ok": False, "database": "unreachable"})
        wait_until(lambda: answer_of(f"{services.url}/healthz") == unreachable, "the cached result has expired")
        assert answer_of(f"{services.url}/readyz") == (503, {"ready": False, "missing": ["database"]})
        assert answer_of(f"{services.url}/livez") == (200, {"ok": True})
        time.sleep(4)  # some rounds of the dispatcher fail
        assert (worker.running, beat.running) == (True, True)

    wait_until(lambda: fetch(page, cookie)[0] == 200, "the page works again")
    bundle = build.request(space.id, SYSTEM)
    wait_until(lambda: Bundle.objects.get(pk=bundle.pk).state == "ready", "the worker runs tasks again")


def answer_of(url: str) -> tuple[int, Any]:
    status, _, body = fetch(url)
    return status, json.loads(body)


def overdue(space: Space) -> None:
    end = dbtime.now() - timedelta(days=31)
    Space.objects.filter(pk=space.pk).update(ended_at=end, expires_at=end + timedelta(days=30))
