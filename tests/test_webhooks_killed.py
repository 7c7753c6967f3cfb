"""Webhooks with real processes: kills at each step, races, and changes while a request is on its way."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from archive import dbtime, policy, webhooks
from archive.models import LogEntry, Space, User, WebhookDelivery, WebhookEndpoint, WebhookEvent
from archive.moderation import violations
from archive.retention import purge
from archive.tasks import announce_overdue
from archive.webhooks import deliver, endpoints
from tests.faults import ForkServer, start_fork_server
from tests.support.factory import make_row, make_space
from tests.support.leases import expire_leases
from tests.support.paused_at import PausedAt
from tests.support.processes import Services
from tests.support.rows import update_space
from tests.support.waiting import dispatch_until, wait_until
from tests.support.webhook_receiver import ENV, Receiver, allow_loopback, announce, receive, reload, subscribe

pytestmark = pytest.mark.usefixtures("committed")
STEPS = {
    "before commit in webhooks.deliver:deliver",
    "after commit in webhooks.deliver:deliver",
    "before commit update in webhooks.deliver:_deliver",
    "after commit update in webhooks.deliver:_deliver",
    "before http POST in webhooks.post:_exchange",
    "after http POST in webhooks.post:_exchange",
    "before commit in webhooks.deliver:_end",
    "after commit in webhooks.deliver:_end",
}
# For `make test`: among steps with the same state after a restart, the last one.
SAMPLE = {
    "before commit in webhooks.deliver:deliver",
    "before http POST in webhooks.post:_exchange",
    "before commit in webhooks.deliver:_end",
    "after commit in webhooks.deliver:_end",
}


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    allow_loopback(settings)
    with receive() as running:
        yield running


@pytest.fixture
def endpoint(committed: None, receiver: Receiver, admin: User) -> WebhookEndpoint:
    return subscribe(receiver.url, admin)[0]


@pytest.fixture
def space(committed: None, alice: User) -> Space:
    return make_row(alice, title="Seeds")


@pytest.fixture
def zygote(services: Services, tmp_path: Path) -> Iterator[ForkServer]:
    with start_fork_server({**services.env, **ENV}, tmp_path) as running:
        yield running


@pytest.mark.parametrize("each", [False, pytest.param(True, marks=pytest.mark.long)], ids=["some", "each"])
def test_a_delivery_that_is_killed_at_its_steps(
    zygote: ForkServer, endpoint: WebhookEndpoint, receiver: Receiver, space: Space, each: bool
) -> None:
    """Each event arrives once or twice, always with the same id, and the log says once that it was delivered."""
    whole = zygote.run("deliver_webhook", str(announce(space, 0).pk))
    assert set(whole.points) >= STEPS
    twice = set()

    for number, step in enumerate(whole.points, start=1):
        if not each and step not in SAMPLE:
            continue
        delivery = announce(space, number)
        receiver.received.clear()
        assert zygote.run("deliver_webhook", str(delivery.pk), kill_at=number).killed
        expire_leases()
        zygote.run("deliver_webhook", str(delivery.pk))

        assert set(receiver.ids) == {delivery.message_id}, step
        assert len({one.body for one in receiver.received}) == 1, step
        if len(receiver.received) > 1:
            twice.add(step)
        assert reload(delivery).state == "delivered", step
        entries = LogEntry.objects.filter(event="webhook.delivered", detail__delivery=str(delivery.pk))
        assert entries.count() == 1, step
    assert "before commit in webhooks.deliver:_end" in twice
    assert "after commit in webhooks.deliver:_end" not in twice
    assert not any(step.startswith("before http") for step in twice)


def test_a_flag_reaches_the_receiver_though_its_worker_is_killed(
    services: Services, endpoint: WebhookEndpoint, receiver: Receiver, space: Space, admin: User
) -> None:
    with PausedAt("webhook.delivered", space.pk) as pause:
        worker = services.worker(1, fresh=True, **ENV)
        violations.flag(space.pk, "spam", "Watches.", admin)  # wakes a worker
        pause.wait()
        worker.kill()
    (delivery,) = WebhookDelivery.objects.all()
    assert (delivery.state, receiver.ids) == ("pending", [delivery.message_id])
    expire_leases()
    services.worker(1, fresh=True, **ENV)
    dispatch_until(lambda: reload(delivery).state == "delivered", "it is delivered after the restart")

    assert receiver.ids == [delivery.message_id] * 2


@pytest.mark.long
def test_two_workers_and_many_dispatches_send_each_once(
    services: Services, endpoint: WebhookEndpoint, receiver: Receiver, space: Space
) -> None:
    sent = [announce(space, number) for number in range(20)]
    for _ in range(2):
        services.worker(3, fresh=True, **ENV)

    dispatch_until(lambda: not WebhookDelivery.objects.filter(state="pending").exists(), "all are sent")

    assert sorted(receiver.ids) == sorted(row.message_id for row in sent)


def test_two_workers_that_begin_at_the_same_moment(endpoint: WebhookEndpoint, receiver: Receiver, space: Space) -> None:
    delivery, inside, outcome = announce(space), threading.Event(), []
    go = threading.Event()

    def answer() -> None:
        inside.set()
        go.wait(60)

    def first() -> None:
        outcome.append(deliver(delivery.pk))
        connection.close()

    receiver.before_answer = answer
    thread = threading.Thread(target=first)
    thread.start()
    assert inside.wait(60)
    assert not deliver(delivery.pk), "another worker has it"
    go.set()
    thread.join()

    assert (outcome, len(receiver.received)) == ([True], 1)


def during_the_request(receiver: Receiver, act: Any) -> None:
    """Run `act` in the receiver's thread before it responds."""

    def run() -> None:
        act()
        connection.close()

    receiver.before_answer = run


def test_an_endpoint_that_is_removed_meanwhile(
    endpoint: WebhookEndpoint, receiver: Receiver, space: Space, admin: User
) -> None:
    delivery = announce(space)
    during_the_request(receiver, lambda: endpoints.remove(endpoint.pk, admin))

    assert not deliver(delivery.pk)

    assert len(receiver.received) == 1
    assert not WebhookDelivery.objects.exists()
    assert not LogEntry.objects.filter(event__in=["webhook.delivered", "webhook.failed"]).exists()


def test_an_endpoint_that_is_removed_while_it_fails(
    endpoint: WebhookEndpoint, receiver: Receiver, space: Space, admin: User
) -> None:
    delivery = announce(space)
    receiver.status = 500
    during_the_request(receiver, lambda: endpoints.remove(endpoint.pk, admin))

    assert not deliver(delivery.pk)

    assert not WebhookDelivery.objects.exists()


def test_an_endpoint_that_is_switched_off_meanwhile(
    endpoint: WebhookEndpoint, receiver: Receiver, space: Space, admin: User
) -> None:
    """An event that the receiver accepted counts as delivered; the next one is not sent."""
    first, second = announce(space, 1), announce(space, 2)
    during_the_request(receiver, lambda: endpoints.stop(endpoint.pk, admin))

    assert deliver(first.pk)
    assert not deliver(second.pk)

    assert len(receiver.received) == 1
    assert (reload(first).state, reload(second).state) == ("delivered", "failed")


def test_an_event_of_an_endpoint_that_was_removed_before_its_commit(
    endpoint: WebhookEndpoint, receiver: Receiver, space: Space
) -> None:
    """No constraint in the database delays a flag, or makes it fail, because somebody removes an endpoint."""
    delivery = announce(space)
    WebhookEndpoint.objects.filter(pk=endpoint.pk)._raw_delete("default")

    assert not deliver(delivery.pk)

    assert (receiver.received, WebhookDelivery.objects.count()) == ([], 0)


def test_a_space_that_is_deleted_meanwhile(
    endpoint: WebhookEndpoint, receiver: Receiver, alice: User, admin: User
) -> None:
    """Only the event about its deletion remains."""
    space = make_space(alice)
    delivery = announce(space)

    def delete() -> None:
        receiver.before_answer = None
        update_space(space, expires_at=dbtime.now())
        purge.purge(space.pk)

    during_the_request(receiver, delete)

    assert not deliver(delivery.pk)

    assert [row.event for row in WebhookDelivery.objects.all()] == ["space.deleted"]


def test_a_worker_that_lost_its_claim_sends_nothing(
    endpoint: WebhookEndpoint, receiver: Receiver, space: Space
) -> None:
    """Another worker claims it while its name is resolved."""
    delivery = announce(space)

    def resolve(host: str, port: int) -> list[str]:
        WebhookDelivery.objects.update(fence=7)
        return ["127.0.0.1"]

    assert not deliver(delivery.pk, resolve)

    assert (receiver.received, reload(delivery).state) == ([], "pending")


def test_an_accepted_event_is_delivered_even_if_the_claim_was_lost(
    endpoint: WebhookEndpoint, receiver: Receiver, space: Space
) -> None:
    delivery = announce(space)
    during_the_request(receiver, lambda: WebhookDelivery.objects.update(fence=7))

    assert deliver(delivery.pk)

    assert reload(delivery).state == "delivered"


def test_an_overdue_deletion_is_announced_without_the_process_that_deletes(
    services: Services, endpoint: WebhookEndpoint, receiver: Receiver, space: Space
) -> None:
    update_space(space, expires_at=dbtime.now() - policy.MAX_DELETION_DELAY)
    command = ("-m", "celery", "-A", "portal.celery", "worker", "--concurrency=1", "--queues=celery")
    services.start("worker", *command, **ENV)

    announce_overdue.apply_async()

    wait_until(lambda: bool(receiver.received), "the receiver gets the event")
    assert receiver.received[0].payload["type"] == "space.overdue"


def test_an_event_needs_the_transaction_of_its_change() -> None:
    with pytest.raises(RuntimeError, match="in the transaction of its change"):
        webhooks.announce_all(WebhookEvent.FLAGGED, [])
