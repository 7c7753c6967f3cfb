"""During an upgrade, workers get messages of another release, with unknown tasks or other arguments; and somebody with
the broker's password can send anything. No message stops a worker or is redelivered, and the work is still done,
because its row says what to do."""

import base64
import copy
import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kombu import Connection

from archive.bundles import build
from archive.log import SYSTEM
from archive.models import Bundle, Space
from archive.tasks import build_bundle, dispatch
from portal.celery import app
from portal.messages import MAX_BYTES, MalformedMessage, check
from tests.support.processes import Services, count_messages, empty_queues, redis_client
from tests.support.waiting import wait_until

UNKNOWN = "archive.tasks.of_another_release"


MISSING = object()
VALUES: list[Any] = [MISSING, None, 7, -1.5, True, "", "words", [], [7], {}, {"a": 7}]
TIMES = ["2026-02-31T00:00:00+00:00", "9999-12-31T24:00:00+00:00", "2026-11-30T10:00:00", "2026-11-30T10:00:00+99:00"]
NO_MESSAGES = [
    b"",
    b"{",
    b"\xff\xfe",
    b"null",
    b"[1, 2]",
    b"[" * 50_000,
    b"9" * 5_000,
    b'{"__type__": ["list"], "__value__": 1}',
    b'{"__type__": "uuid", "__value__": {"hex": 1}}',
    b'"' + b"a" * MAX_BYTES + b'"',
]


def send_messages_of_another_release(bundle_id: str) -> None:
    """Send messages about the same row as an older or a newer release might write them."""
    task = "archive.tasks.build_bundle"
    app.send_task(UNKNOWN, args=[bundle_id])
    app.send_task(task, args=[bundle_id, "quickly"])
    app.send_task(task, args=[])
    app.send_task(task, kwargs={"bundle_id": bundle_id, "quickly": True})
    app.send_task(task, args=["17"])
    app.send_task(task, args=[{"bundle": bundle_id}])
    with app.connection_for_write() as broker:
        send_raw(broker, b"{", "application/json")
        send_raw(broker, b"\x80\x04N.", "application/x-python-serialize")
        send_raw(broker, b"[1, 2]", "application/json")  # names no task


def send_raw(broker: Connection, body: bytes, content_type: str) -> None:
    broker.Producer().publish(body, routing_key="celery", content_type=content_type, content_encoding="utf-8")


def take_message() -> dict[str, Any]:
    """One of ours, as it is in the queue, for a bundle that is not there."""
    build_bundle.delay(str(uuid.uuid4()))
    with app.connection_for_write() as broker:
        message: dict[str, Any] = json.loads(redis_client(broker).rpop("celery"))
    return message


def break_messages(message: dict[str, Any]) -> Iterator[bytes]:
    """The message with each of its values, and each of its body's, replaced by each of VALUES."""
    for broken in replace_each(message):
        yield json.dumps(broken).encode()
    for body in [*replace_each(json.loads(base64.b64decode(message["body"]))), *VALUES[1:]]:
        yield json.dumps({**message, "body": base64.b64encode(json.dumps(body).encode()).decode()}).encode()
    for time in TIMES:
        yield json.dumps({**message, "headers": {**message["headers"], "expires": time}}).encode()


def replace_each(whole: Any) -> Iterator[Any]:
    """Copies of the object or list in which one value, however deep, is another one or missing."""
    for path in find_paths(whole):
        for value in VALUES:
            changed = copy.deepcopy(whole)
            parent = changed
            for key in path[:-1]:
                parent = parent[key]
            if value is MISSING:
                del parent[path[-1]]
            else:
                parent[path[-1]] = value
            yield changed


def find_paths(value: Any) -> Iterator[tuple[Any, ...]]:
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield (key,)
        yield from ((key, *rest) for rest in find_paths(value[key]))


def test_each_message_of_ours_is_read() -> None:
    empty_queues()
    check(json.dumps(take_message()).encode())
    for entry in app.conf.beat_schedule.values():
        queue = app.amqp.router.route({}, entry["task"])["queue"].name
        app.send_task(entry["task"], **entry["options"])
        with app.connection_for_write() as broker:
            check(redis_client(broker).rpop(queue))


@pytest.mark.parametrize("item", NO_MESSAGES)
def test_what_is_no_message_is_dropped(item: bytes) -> None:
    with pytest.raises(MalformedMessage):
        check(item)


@pytest.mark.usefixtures("committed")
def test_no_message_stops_a_worker_or_loses_work(services: Services, make_space: Callable[..., Space]) -> None:
    bundle = build.request(make_space().id, SYSTEM)
    empty_queues()  # drop the wakeup for the row
    broken = [*NO_MESSAGES, *break_messages(take_message())]
    send_messages_of_another_release(str(bundle.pk))
    with app.connection_for_write() as broker:
        redis_client(broker).lpush("celery", *broken)
    assert count_messages() == len(broken) + 9

    worker = services.worker()
    wait_until(lambda: not worker.running or not count_messages(), "all are read")
    assert (Bundle.objects.get(pk=bundle.pk).state, worker.running) == ("requested", True), worker.log.read_text()
    dispatch()
    wait_until(lambda: Bundle.objects.get(pk=bundle.pk).state == "ready", "the work of the row is done")

    wait_until(lambda: count_messages() == 0, "no message is redelivered")
    assert worker.running
    assert "Received unregistered task of type" in worker.log.read_text()
