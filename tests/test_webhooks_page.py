"""The pages of webhooks: for admins only, with the secret shown once, and the outcome of each delivery."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from archive.models import Space, User, WebhookDelivery, WebhookEndpoint
from archive.webhooks import deliver, endpoints
from archive.webhooks.signing import active_secrets
from tests.support.factory import make_row
from tests.support.http_clients import make_client
from tests.support.webhook_receiver import allow_loopback, announce, receive, reload, subscribe

pytestmark = pytest.mark.usefixtures("db")
URL = "https://example.org/events"
FORM = {"name": "Desk", "url": URL, "events": ["space.due", "space.deleted"]}
ACTS = ("change", "replace-secret", "start", "stop", "test", "remove")


@pytest.fixture
def client(admin: User) -> Client:
    return make_client(admin)


@pytest.fixture
def endpoint(admin: User) -> WebhookEndpoint:
    return subscribe(URL, admin)[0]


@pytest.fixture
def space(alice: User) -> Space:
    return make_row(alice)


def page(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def post(client: Client, act: str, endpoint: WebhookEndpoint, /, *more: object, **form: Any) -> Any:
    return client.post(reverse(f"webhook-{act}", args=[endpoint.pk, *more]), form)


def test_the_secret_is_shown_once(client: Client) -> None:
    made = page(client.post(reverse("webhooks"), FORM))

    endpoint = WebhookEndpoint.objects.get()
    (secret,) = re.findall(r"whsec_[A-Za-z0-9+/]{43}=", made)
    assert active_secrets(endpoint, endpoint.created_at) == [secret]
    assert endpoint.events == ["space.deleted", "space.due"]
    for name, args in (("webhooks", []), ("webhook", [endpoint.pk])):
        assert "whsec_" not in page(client.get(reverse(name, args=args)))


def test_a_replaced_secret_is_shown_once(client: Client, endpoint: WebhookEndpoint) -> None:
    answer = page(post(client, "replace-secret", endpoint))

    assert answer.count("whsec_") == 1
    assert "The former secret signs too until" in answer
    assert "whsec_" not in page(client.get(reverse("webhook", args=[endpoint.pk])))


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"url": "http://example.org/"}, "The address has to start with https://."),
    ({"url": "https://127.0.0.1/"}, "it is not public, and not in WEBHOOK_ALLOWED_NETWORKS"),
    ({"url": ""}, "be sent to this address"),
    ({"url": "https://example.org/" + "a" * 2000}, "has 2 020 characters; 2 000 are allowed"),
    ({"name": ""}, "Enter a name"),
    ({"events": []}, "Choose at least one event."),
    ({"events": ["webhook.test"]}, "Choose at least one event."),
]


def test_what_was_typed_is_kept(client: Client, endpoint: WebhookEndpoint) -> None:
    for changed, words in REFUSED:
        form = {**FORM, "name": "Another name", **changed}
        for answer in (client.post(reverse("webhooks"), form), post(client, "change", endpoint, **form)):
            assert answer.status_code == 422
            assert words in page(answer)
            if changed.get("name") != "":
                assert 'value="Another name"' in page(answer)

    assert WebhookEndpoint.objects.get().name == "Desk"


def test_a_change(client: Client, endpoint: WebhookEndpoint) -> None:
    answer = post(client, "change", endpoint, name="Desk 2", url="https://example.org/2", events=["space.due"])

    assert answer.status_code == 302
    endpoint.refresh_from_db()
    assert (endpoint.name, endpoint.url, endpoint.events) == ("Desk 2", "https://example.org/2", ["space.due"])


def test_deliveries_and_their_outcomes(client: Client, admin: User, space: Space, settings: Any) -> None:
    allow_loopback(settings)
    with receive() as receiver:
        endpoint, _ = subscribe(receiver.url, admin)
        receiver.answers = [204, 500, 410]
        delivered, pending, failed = (announce(space, number) for number in (1, 2, 3))
        deliver(delivered.pk)
        deliver(pending.pk)
        WebhookDelivery.objects.update(retry_at=None)
        deliver(failed.pk)
    shown = page(client.get(reverse("webhook", args=[endpoint.pk])))

    assert shown.count('title="space.flag_lifted"') == 3
    assert "to be sent: The receiver answered 500." in shown
    assert "not delivered: The receiver answered 410: it wants no more events." in shown
    assert "switched off: the receiver wants no more events (410)" in shown
    assert "Send again" not in re.sub(r"<th.*?</th>", "", shown), "it is switched off"
    post(client, "start", endpoint)
    shown = page(client.get(reverse("webhook", args=[endpoint.pk])))
    assert re.sub(r"<th.*?</th>", "", shown).count("Send again") == 2

    assert post(client, "again", endpoint, failed.pk).status_code == 302

    assert reload(failed).state == "pending"


def test_a_test_is_sent(client: Client, admin: User, settings: Any) -> None:
    allow_loopback(settings)
    with receive() as receiver:
        endpoint, _ = subscribe(receiver.url, admin)
        post(client, "test", endpoint)
        assert deliver(WebhookDelivery.objects.get().pk)

    assert receiver.received[0].payload["type"] == "webhook.test"
    assert "delivered" in page(client.get(reverse("webhook", args=[endpoint.pk])))


def test_on_off_and_removed(client: Client, endpoint: WebhookEndpoint) -> None:
    post(client, "stop", endpoint)
    assert "switched off by an admin" in page(client.get(reverse("webhooks")))
    assert "switched off by an admin" in page(client.get(reverse("webhook", args=[endpoint.pk])))
    post(client, "test", endpoint)
    assert not WebhookDelivery.objects.exists()
    post(client, "start", endpoint)
    assert endpoints.state(WebhookEndpoint.objects.get()) == "works"
    post(client, "remove", endpoint)
    assert not WebhookEndpoint.objects.exists()


def test_a_form_that_is_sent_twice_counts_once(client: Client, endpoint: WebhookEndpoint) -> None:
    for _ in range(2):
        client.post(reverse("webhooks"), {**FORM, "submission": "1"})
        post(client, "test", endpoint, submission="2")
        post(client, "replace-secret", endpoint, submission="3")

    assert WebhookEndpoint.objects.count() == 2
    assert WebhookDelivery.objects.count() == 1


def test_older_deliveries_are_on_further_pages(client: Client, endpoint: WebhookEndpoint, space: Space) -> None:
    for number in range(60):
        announce(space, number)
    first = page(client.get(reverse("webhook", args=[endpoint.pk])))
    (more,) = re.findall(r'href="([^"]+)">Show more', first)

    second = page(client.get(more))

    assert (first.count('title="space.flag_lifted"'), second.count('title="space.flag_lifted"')) == (50, 10)


@pytest.mark.parametrize("role", ["host", "auditor", "superuser"])
def test_for_everybody_else_there_is_no_such_page(
    role: str, endpoint: WebhookEndpoint, space: Space, alice: User, auditor: User
) -> None:
    delivery = announce(space)
    user = auditor if role == "auditor" else alice
    User.objects.filter(pk=user.pk).update(is_superuser=role == "superuser")
    client = make_client(user)
    before = WebhookEndpoint.objects.values().get()

    answers: list[Any] = [client.get(reverse("webhooks")), client.post(reverse("webhooks"), FORM)]
    answers += [client.get(reverse("webhook", args=[endpoint.pk]))]
    answers += [post(client, act, endpoint, **FORM) for act in ACTS]
    answers += [post(client, "again", endpoint, delivery.pk)]

    assert [answer.status_code for answer in answers] == [404] * 10
    assert WebhookEndpoint.objects.values().get() == before


def test_unknown_ids_are_404(client: Client, endpoint: WebhookEndpoint, admin: User, space: Space) -> None:
    unknown = WebhookEndpoint(pk=uuid4())
    other = announce(space)
    second = subscribe(URL, admin)[0]

    assert client.get(reverse("webhook", args=[unknown.pk])).status_code == 404
    assert {post(client, act, unknown, **FORM).status_code for act in ACTS} == {404}
    assert post(client, "again", second, other.pk).status_code == 404
    assert post(client, "again", endpoint, uuid4()).status_code == 404
