"""Webhooks are sent to real receivers over HTTPS and HTTP: what counts as delivered, and what happens otherwise."""

import ipaddress
import socket
import ssl
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models.functions import Now
from standardwebhooks import WebhookVerificationError

from archive import dbtime
from archive.log import rfc3339
from archive.models import Space, User, WebhookDelivery, WebhookEndpoint
from archive.webhooks import deliver, endpoints, post
from archive.webhooks.deliver import MAX_ATTEMPTS, pause_after
from tests.support.authorities import Authority
from tests.support.factory import make_row
from tests.support.leases import end_pauses
from tests.support.webhook_receiver import (
    HOST,
    Receiver,
    allow_loopback,
    announce,
    announce_to_all,
    receive,
    reload,
    subscribe,
)

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture(autouse=True)
def loopback(settings: Any) -> None:
    allow_loopback(settings)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receive() as running:
        yield running


@pytest.fixture
def authority(tmp_path: Path, settings: Any) -> Authority:
    """A certificate authority that the sender trusts."""
    made = Authority(tmp_path)
    settings.WEBHOOK_CA_BUNDLE = made.ca_file
    return made


@pytest.fixture
def space(alice: User) -> Space:
    return make_row(alice, title="Seeds")


@pytest.fixture
def endpoint(receiver: Receiver, admin: User) -> WebhookEndpoint:
    return subscribe(receiver.url, admin)[0]


@pytest.fixture
def delivery(endpoint: WebhookEndpoint, space: Space) -> WebhookDelivery:
    return announce(space)


def to_loopback(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


def send_over_tls(context: ssl.SSLContext, space: Space, by: User) -> tuple[WebhookDelivery, Receiver]:
    """Send an event to HOST, whose receiver has this certificate."""
    with receive(context) as receiver:
        subscribe(f"https://{HOST}:{receiver.port}/events?key=1", by)
        delivery = announce(space)
        deliver(delivery.pk, to_loopback)
        return reload(delivery), receiver


def test_an_event_over_https(authority: Authority, space: Space, admin: User) -> None:
    with receive(authority.context(HOST)) as receiver:
        _, secret = subscribe(f"https://{HOST}:{receiver.port}/events?key=1", admin)
        delivery = announce(space)

        assert deliver(delivery.pk, to_loopback)

    (request,) = receiver.received
    payload = request.verify(secret)
    assert payload["type"] == "space.flag_lifted"
    assert payload["data"] == {
        "space": str(space.pk),
        "deadline": rfc3339(space.expires_at),
        "violation": 1,
        "rule": "spam",
    }
    assert payload["timestamp"] == rfc3339(delivery.created_at)
    assert request.id == f"msg_{delivery.pk.hex}"
    assert request.headers["host"] == f"{HOST}:{receiver.port}"
    assert request.headers["content-type"] == "application/json"
    assert abs(int(request.headers["webhook-timestamp"]) - dbtime.now().timestamp()) < 300
    row = reload(delivery)
    assert (row.state, row.status, row.attempts, row.problem) == ("delivered", 204, 1, {})
    assert row.attempted_at is not None
    assert row.duration_ms is not None


@pytest.mark.parametrize("fault", ["another authority", "another name", "expired"])
def test_a_certificate_that_is_not_valid(
    fault: str, authority: Authority, tmp_path: Path, space: Space, admin: User
) -> None:
    signer = Authority(tmp_path, "Others") if fault == "another authority" else authority
    name = "other.example.org" if fault == "another name" else HOST

    row, receiver = send_over_tls(signer.context(name, expired=fault == "expired"), space, admin)

    assert receiver.received == []
    assert (row.state, row.problem_code, row.status) == ("pending", "webhook.tls_failed", None)


def test_old_tls_is_refused(authority: Authority, space: Space, admin: User) -> None:
    context = authority.context(HOST)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1

    row, receiver = send_over_tls(context, space, admin)

    assert (receiver.received, row.problem_code) == ([], "webhook.tls_failed")


def test_another_secret_does_not_verify(receiver: Receiver, delivery: WebhookDelivery) -> None:
    deliver(delivery.pk)

    with pytest.raises(WebhookVerificationError):
        receiver.received[0].verify("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")


def test_retries_have_the_same_id_and_body_and_a_time_of_their_own(
    receiver: Receiver, admin: User, space: Space
) -> None:
    _, secret = subscribe(receiver.url, admin)
    delivery = announce(space)
    receiver.answers = [500, 404]

    assert not deliver(delivery.pk)
    row = reload(delivery)
    assert (row.state, row.problem, row.status) == (
        "pending",
        {"code": "webhook.not_accepted", "params": {"status": 500}},
        500,
    )
    assert not deliver(delivery.pk), "it waits for its next attempt"
    end_pauses()
    assert not deliver(delivery.pk)
    end_pauses()
    time.sleep(1.1 - time.time() % 1)  # the time has seconds
    assert deliver(delivery.pk)

    assert len(set(receiver.ids)) == 1
    assert len({one.body for one in receiver.received}) == 1
    stamps = [int(one.headers["webhook-timestamp"]) for one in receiver.received]
    assert stamps == sorted(stamps)
    assert stamps[-1] > stamps[0]
    assert all(one.verify(secret) for one in receiver.received)
    assert (reload(delivery).state, reload(delivery).attempts) == ("delivered", 3)


def test_the_pauses_grow_to_four_hours_and_last_for_a_day() -> None:
    pauses = [[pause_after(attempt) for attempt in range(1, MAX_ATTEMPTS)] for _ in range(20)]

    means = [10, 30, 90, 270, 810, 2430, 7290, *[14400] * 5]
    for row in pauses:
        for pause, mean in zip(row, means, strict=True):
            assert 0.8 * mean <= pause.total_seconds() <= 1.2 * mean
        assert timedelta(hours=18) < sum(row, timedelta(0)) < timedelta(hours=28)
    assert len(set(map(tuple, pauses))) == 20, "no two are alike"


@pytest.mark.parametrize(
    ("retry_after", "least", "most"),
    [
        ("120", 120, 120),
        ("999999999999", 4 * 3600, 4 * 3600),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 4 * 3600, 4 * 3600),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 8, 12),
        ("-5", 8, 12),
        ("soon", 8, 12),
        ("", 8, 12),
        ("1e3", 8, 12),
        ("٣٠٠", 8, 12),  # digits, but not ASCII ones
    ],
)
def test_a_receiver_may_ask_for_more_time(retry_after: str, least: int, most: int) -> None:
    assert least <= pause_after(1, retry_after).total_seconds() <= most


def test_retry_after_of_an_answer_counts(receiver: Receiver, delivery: WebhookDelivery) -> None:
    receiver.status, receiver.headers = 503, {"Retry-After": "3600"}

    deliver(delivery.pk)

    retry_at = reload(delivery).retry_at
    assert retry_at is not None
    assert timedelta(minutes=59) < retry_at - dbtime.now() <= timedelta(hours=1)


def test_after_the_last_attempt_it_failed_with_its_reason(
    receiver: Receiver, endpoint: WebhookEndpoint, delivery: WebhookDelivery
) -> None:
    receiver.status = 500

    for _ in range(MAX_ATTEMPTS + 1):
        deliver(delivery.pk)
        end_pauses()

    row = reload(delivery)
    assert len(receiver.received) == MAX_ATTEMPTS
    assert (row.state, row.problem_code, row.attempts) == ("failed", "webhook.not_accepted", MAX_ATTEMPTS)
    endpoint.refresh_from_db()
    assert endpoint.failing_since is not None
    assert endpoint.stopped_at is None


def test_a_redirect_is_not_followed(receiver: Receiver, delivery: WebhookDelivery) -> None:
    with receive() as inside:
        receiver.status, receiver.headers = 307, {"Location": inside.url}
        deliver(delivery.pk)

    assert inside.received == []
    assert reload(delivery).problem == {"code": "webhook.redirected", "params": {"status": 307}}


def test_proxies_of_the_environment_are_not_used(
    receiver: Receiver, delivery: WebhookDelivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receive() as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert deliver(delivery.pk)

    assert (len(receiver.received), proxy.received) == (1, [])


def test_410_switches_the_endpoint_off(
    receiver: Receiver, endpoint: WebhookEndpoint, delivery: WebhookDelivery, space: Space
) -> None:
    receiver.status = 410
    waiting = announce(space, 2)

    deliver(delivery.pk)
    deliver(waiting.pk)

    assert len(receiver.received) == 1
    endpoint.refresh_from_db()
    assert (endpoint.stop_reason, endpoint.owner_notified) == ("gone", False)
    assert (reload(delivery).state, reload(delivery).problem_code) == ("failed", "webhook.gone")
    assert reload(waiting).problem == {"code": "webhook.stopped", "params": {"why": "gone"}}


def test_an_endpoint_that_fails_for_days_is_switched_off(
    receiver: Receiver, endpoint: WebhookEndpoint, delivery: WebhookDelivery
) -> None:
    receiver.status = 500
    deliver(delivery.pk)
    WebhookEndpoint.objects.update(failing_since=Now() - timedelta(days=4, hours=23))
    end_pauses()
    deliver(delivery.pk)
    endpoint.refresh_from_db()
    assert endpoint.stopped_at is None
    WebhookEndpoint.objects.update(failing_since=Now() - timedelta(days=5))
    end_pauses()

    deliver(delivery.pk)

    endpoint.refresh_from_db()
    assert (endpoint.stop_reason, endpoint.owner_notified) == ("failing", False)


def test_a_delivery_ends_the_failing(receiver: Receiver, endpoint: WebhookEndpoint, delivery: WebhookDelivery) -> None:
    WebhookEndpoint.objects.update(failing_since=Now() - timedelta(days=4))

    assert deliver(delivery.pk)

    endpoint.refresh_from_db()
    assert endpoint.failing_since is None


def test_others_wait_while_a_receiver_fails(
    receiver: Receiver, delivery: WebhookDelivery, space: Space, admin: User
) -> None:
    with receive() as well:
        subscribe(well.url, admin)
        receiver.status = 503
        waiting = announce_to_all(space, 2)
        deliver(delivery.pk)

        for row in waiting:
            deliver(row.pk)

        assert len(receiver.received) == 1, "one event tries it, not all"
        assert len(well.received) == 1, "other receivers get theirs"


def write_slowly(file: Any) -> None:
    """Send a response byte by byte, until the other side closes."""
    file.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        file.write(b".")
        time.sleep(0.05)


def test_a_receiver_that_never_ends_its_answer(
    receiver: Receiver, delivery: WebhookDelivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte arrives in time, but the whole response takes too long."""
    monkeypatch.setattr(post, "SECONDS", 1)
    receiver.raw = write_slowly

    assert not deliver(delivery.pk)

    assert reload(delivery).problem == {"code": "webhook.timed_out", "params": {"seconds": 1}}


def test_a_receiver_that_does_not_answer(
    receiver: Receiver, delivery: WebhookDelivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post, "SECONDS", 1)
    receiver.before_answer = lambda: time.sleep(3)

    assert not deliver(delivery.pk)

    assert reload(delivery).problem_code == "webhook.timed_out"


def test_a_receiver_that_never_ends_the_handshake(
    authority: Authority, space: Space, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The receiver accepts the connection and sends nothing."""
    monkeypatch.setattr(post, "SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        subscribe(f"https://{HOST}:{listening.getsockname()[1]}/", admin)
        delivery = announce(space)
        assert not deliver(delivery.pk, to_loopback)

    assert reload(delivery).problem_code == "webhook.timed_out"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "webhook.bad_answer"),
        (b"HTTP/1.1 200 OK\r\n" + b"X-A: " + b"b" * 70_000 + b"\r\n\r\n", "webhook.bad_answer"),
        (b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 200 + b"\r\n", "webhook.bad_answer"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000, "webhook.bad_answer"),
        (b"HTTP/1.1 two hundred\r\n\r\n", "webhook.bad_answer"),
        (b"", "webhook.not_reachable"),
    ],
)
def test_answers_that_are_none(receiver: Receiver, delivery: WebhookDelivery, answer: bytes, code: str) -> None:
    receiver.raw = lambda file: file.write(answer)

    assert not deliver(delivery.pk)

    row = reload(delivery)
    assert (row.state, row.problem_code) == ("pending", code)
    assert "SSH" not in str(row.problem), "nothing of the answer is stored"


def test_the_body_of_an_answer_is_not_read(receiver: Receiver, delivery: WebhookDelivery) -> None:
    receiver.raw = lambda file: file.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nAlice")

    assert deliver(delivery.pk)

    assert "Alice" not in str(WebhookDelivery.objects.values().get())


def test_nobody_listens(delivery: WebhookDelivery, admin: User, endpoint: WebhookEndpoint) -> None:
    with receive() as gone:
        url = gone.url
    endpoints.change(endpoint.pk, "Desk", url, endpoint.events, admin)

    assert not deliver(delivery.pk)

    assert reload(delivery).problem == {"code": "webhook.not_reachable", "params": {"error": "Connection refused"}}


def test_the_second_address_is_tried(receiver: Receiver, admin: User, space: Space) -> None:
    subscribe(f"http://{HOST}:{receiver.port}/", admin)
    delivery = announce(space)

    assert deliver(delivery.pk, lambda host, port: ["127.0.0.9", "127.0.0.1"])

    assert receiver.received[0].peer == "127.0.0.1"


def test_a_name_that_changes_its_address_leads_nowhere_else(admin: User, space: Space, settings: Any) -> None:
    """The resolver first returns 127.0.0.2, which is allowed, and then 127.0.0.3, which is not."""
    settings.WEBHOOK_ALLOWED_NETWORKS = [ipaddress.ip_network("127.0.0.2/32")]
    answers = ["127.0.0.2", "127.0.0.3"]
    asked: list[str] = []

    def rebind(host: str, port: int) -> list[str]:
        asked.append(host)
        return [answers[len(asked) - 1]]

    with ExitStack() as stack:
        outside = stack.enter_context(receive(address="127.0.0.2"))
        inside = stack.enter_context(receive(address="127.0.0.3", port=outside.port))
        subscribe(f"http://{HOST}:{outside.port}/", admin)
        first, second = announce(space, 1), announce(space, 2)

        assert deliver(first.pk, rebind)
        assert asked == [HOST], "one attempt asks once"
        assert not deliver(second.pk, rebind)

    assert (len(outside.received), len(inside.received)) == (1, 0)
    assert reload(second).problem_code == "webhook.forbidden_address"


def test_an_address_that_was_allowed_once(receiver: Receiver, delivery: WebhookDelivery, settings: Any) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = []

    assert not deliver(delivery.pk)

    assert receiver.received == []
    assert (reload(delivery).state, reload(delivery).problem_code) == ("failed", "webhook.forbidden_address")


def test_an_owner_who_is_no_admin_any_more(receiver: Receiver, delivery: WebhookDelivery, admin: User) -> None:
    admin.groups.clear()

    assert not deliver(delivery.pk)

    assert receiver.received == []
    assert (reload(delivery).state, reload(delivery).problem_code) == ("failed", "webhook.owner_not_admin")


def test_a_secret_that_can_not_be_read_fails_visibly(
    receiver: Receiver, delivery: WebhookDelivery, settings: Any
) -> None:
    settings.SECRET_KEY = "another"

    assert not deliver(delivery.pk)

    assert (receiver.received, reload(delivery).problem_code) == ([], "webhook.secret_unreadable")


def test_send_again_after_a_failure_and_after_a_delivery(
    receiver: Receiver, endpoint: WebhookEndpoint, delivery: WebhookDelivery, admin: User
) -> None:
    receiver.answers = [410]
    deliver(delivery.pk)
    endpoints.start(endpoint.pk, admin)

    endpoints.send_again(endpoint.pk, delivery.pk, admin)
    assert deliver(delivery.pk)
    endpoints.send_again(endpoint.pk, delivery.pk, admin)
    assert deliver(delivery.pk)

    assert receiver.ids == [delivery.message_id] * 3
    assert reload(delivery).attempts == 1
