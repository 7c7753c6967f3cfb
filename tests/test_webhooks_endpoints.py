"""Setting up endpoints: which are refused, and who owns them."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from archive.accounts import closing
from archive.errors import Refused
from archive.models import LogEntry, Space, User, WebhookDelivery, WebhookEndpoint
from archive.webhooks import deliver, endpoints
from archive.webhooks.endpoints import EndpointState
from tests.support.factory import make_row, make_user
from tests.support.webhook_receiver import allow_loopback, announce, receive, reload, subscribe

pytestmark = pytest.mark.usefixtures("db")
URL = "https://example.org/events"


@pytest.fixture
def endpoint(admin: User) -> WebhookEndpoint:
    return subscribe(URL, admin)[0]


@pytest.fixture
def space(alice: User) -> Space:
    return make_row(alice)


@pytest.mark.parametrize(
    ("name", "url", "types", "code"),
    [
        (" ", URL, ["space.due"], "webhook.bad_name"),
        ("a" * 101, URL, ["space.due"], "webhook.bad_name"),
        ("Desk", URL, [], "webhook.no_event"),
        ("Desk", URL, ["space.nonsense"], "webhook.no_event"),
        ("Desk", URL, ["webhook.test"], "webhook.no_event"),
        ("Desk", "http://example.org/", ["space.due"], "webhook.not_https"),
        ("Desk", "https://127.0.0.1/", ["space.due"], "webhook.forbidden_address"),
    ],
)
def test_refused(name: str, url: str, types: list[str], code: str, admin: User, endpoint: WebhookEndpoint) -> None:
    before = WebhookEndpoint.objects.values().get()
    for act in (
        lambda: endpoints.create(name, url, types, admin),
        lambda: endpoints.change(endpoint.pk, name, url, types, admin),
    ):
        with pytest.raises(Refused) as refused:
            act()
        assert refused.value.code == code

    assert WebhookEndpoint.objects.values().get() == before


@pytest.mark.parametrize("role", ["", "auditors", "was admin", "inactive", "superuser"])
def test_only_active_admins_set_them_up(role: str, endpoint: WebhookEndpoint) -> None:
    by = make_user("eve", role=role if role == "auditors" else "admins" if role == "inactive" else "")
    by.is_active, by.is_superuser = role != "inactive", role == "superuser"
    by.save()
    acts: list[Callable[[], Any]] = [
        lambda: endpoints.create("Desk", URL, ["space.due"], by),
        lambda: endpoints.change(endpoint.pk, "Desk", URL, ["space.due"], by),
        lambda: endpoints.replace_secret(endpoint.pk, by),
        lambda: endpoints.start(endpoint.pk, by),
        lambda: endpoints.stop(endpoint.pk, by),
        lambda: endpoints.remove(endpoint.pk, by),
        lambda: endpoints.send_test(endpoint.pk, by),
        lambda: endpoints.send_again(endpoint.pk, uuid4(), by),
    ]

    for act in acts:
        with pytest.raises(Refused) as refused:
            act()
        assert refused.value.code == "webhook.not_an_admin"


def test_there_are_twenty_at_most(admin: User) -> None:
    for number in range(20):
        subscribe(URL, admin, name=str(number))

    with pytest.raises(Refused, match="There are 20 webhooks already"):
        subscribe(URL, admin)


def test_what_is_gone_is_refused(admin: User, endpoint: WebhookEndpoint) -> None:
    endpoints.remove(endpoint.pk, admin)

    with pytest.raises(Refused, match="does not exist any more"):
        endpoints.start(endpoint.pk, admin)


def test_a_removed_endpoint_takes_its_deliveries_along(admin: User, endpoint: WebhookEndpoint, space: Space) -> None:
    announce(space)

    endpoints.remove(endpoint.pk, admin)

    assert not WebhookDelivery.objects.exists()


def test_a_test_event(admin: User, settings: Any) -> None:
    allow_loopback(settings)
    with receive() as receiver:
        endpoint, secret = subscribe(receiver.url, admin, ["space.due"])
        for _ in range(2):
            assert deliver(endpoints.send_test(endpoint.pk, admin).pk)

    first, second = receiver.received
    assert first.id != second.id
    assert first.verify(secret)["data"] == {"webhook": str(endpoint.pk)}
    assert first.payload["type"] == "webhook.test"


def test_an_event_on_its_way_is_not_sent_again(admin: User, endpoint: WebhookEndpoint, space: Space) -> None:
    delivery = announce(space)

    with pytest.raises(Refused, match="on its way already"):
        endpoints.send_again(endpoint.pk, delivery.pk, admin)


def test_nothing_is_sent_by_one_that_does_not_work(admin: User, endpoint: WebhookEndpoint, space: Space) -> None:
    delivery = announce(space)
    endpoints.stop(endpoint.pk, admin)

    for act in (
        lambda: endpoints.send_test(endpoint.pk, admin),
        lambda: endpoints.send_again(endpoint.pk, delivery.pk, admin),
    ):
        with pytest.raises(Refused, match="switched off by an admin"):
            act()


def test_a_delivery_of_another_endpoint(admin: User, endpoint: WebhookEndpoint, space: Space) -> None:
    delivery = announce(space)
    other = subscribe(URL, admin)[0]

    with pytest.raises(Refused, match="does not exist"):
        endpoints.send_again(other.pk, delivery.pk, admin)


def test_who_switches_it_on_owns_it(admin: User, endpoint: WebhookEndpoint) -> None:
    bea = make_user("bea", role="admins")
    admin.groups.clear()
    assert endpoints.state(WebhookEndpoint.objects.get()) == EndpointState.OWNER_NOT_ADMIN

    endpoints.start(endpoint.pk, bea)

    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.owner, endpoints.state(endpoint)) == (bea, EndpointState.WORKS)


def test_a_closed_account_leaves_no_endpoint(endpoint: WebhookEndpoint, admin: User, space: Space) -> None:
    make_user("bea", role="admins")
    announce(space)

    closing.close_account(admin.pk, admin)

    assert not WebhookEndpoint.objects.exists()
    assert not WebhookDelivery.objects.exists()
    assert LogEntry.objects.filter(event="webhook.removed", actor_id=admin.pk).count() == 1


def test_a_changed_address_is_used_for_what_waits(admin: User, space: Space, settings: Any) -> None:
    allow_loopback(settings)
    with receive() as old, receive() as new:
        endpoint, _ = subscribe(old.url, admin)
        delivery = announce(space)
        endpoints.change(endpoint.pk, "Desk", new.url, endpoint.events, admin)
        assert deliver(delivery.pk)

    assert (len(old.received), len(new.received)) == (0, 1)
    assert reload(delivery).state == "delivered"
