"""While an upgrade goes from process to process, workers get messages of another release: of tasks that they do not
know, or with other arguments. None stops a worker, none comes again and again, and the work is done: its row has it."""

from collections.abc import Callable

import pytest
from kombu import Connection

from archive.bundles import build
from archive.log import SYSTEM
from archive.models import Bundle, Space
from archive.tasks import dispatch
from portal.celery import app
from tests.support.processes import Services, count_messages, empty_queues
from tests.support.waiting import wait_until

UNKNOWN = "archive.tasks.of_another_release"


def send_strange_messages(bundle_id: str) -> None:
    """Of the same row, as an older or a newer release might name and write them."""
    build_bundle = "archive.tasks.build_bundle"
    app.send_task(UNKNOWN, args=[bundle_id])
    app.send_task(build_bundle, args=[bundle_id, "quickly"])
    app.send_task(build_bundle, args=[])
    app.send_task(build_bundle, kwargs={"bundle_id": bundle_id, "quickly": True})
    app.send_task(build_bundle, args=["17"])
    app.send_task(build_bundle, args=[{"bundle": bundle_id}])
    with app.connection_for_write() as broker:
        send_raw(broker, b"{", "application/json")
        send_raw(broker, b"\x80\x04N.", "application/x-python-serialize")
        send_raw(broker, b"[1, 2]", "application/json")  # names no task


def send_raw(broker: Connection, body: bytes, content_type: str) -> None:
    broker.Producer().publish(body, routing_key="celery", content_type=content_type, content_encoding="utf-8")


@pytest.mark.usefixtures("committed")
def test_messages_of_another_release_stop_no_worker_and_lose_no_work(
    services: Services, make_space: Callable[..., Space]
) -> None:
    bundle = build.request(make_space().id, SYSTEM)
    empty_queues()  # nobody has been woken up
    send_strange_messages(str(bundle.pk))
    assert count_messages() == 9

    worker = services.worker()
    refused = "unknown message"  # the last one
    wait_until(lambda: not worker.running or refused in worker.log.read_text(), "all are refused")
    assert (Bundle.objects.get(pk=bundle.pk).state, worker.running) == ("requested", True)
    dispatch()
    wait_until(lambda: Bundle.objects.get(pk=bundle.pk).state == "ready", "the row's work is done")

    wait_until(lambda: count_messages() == 0, "nothing comes again")
    assert worker.running
    assert "Received unregistered task of type" in worker.log.read_text()
