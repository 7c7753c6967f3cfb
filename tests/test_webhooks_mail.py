"""The mail about a webhook that was switched off automatically."""

import pytest

from archive.accounts import webhook_mail
from archive.models import LogEntry, User, WebhookEndpoint
from archive.webhooks import endpoints
from archive.webhooks.endpoints import Stop
from tests.support.mail_server import Mailbox, give_address, text_body
from tests.support.webhook_receiver import subscribe

pytestmark = pytest.mark.usefixtures("db")
URL = "https://example.org/events"


@pytest.fixture
def endpoint(admin: User) -> WebhookEndpoint:
    return subscribe(URL, admin)[0]


def test_the_owner_gets_one_mail_about_a_stop(admin: User, endpoint: WebhookEndpoint, mailbox: Mailbox) -> None:
    give_address(admin)
    endpoints.stop_for(endpoint.pk, Stop.FAILING)

    assert (webhook_mail.notify_owners(), webhook_mail.notify_owners()) == (1, 0)

    (mail,) = mailbox.to("ada@example.org")
    assert mail["Subject"] == "A webhook was switched off"
    assert "The webhook “Desk” gets no more events (switched off: nothing could be delivered for days)." in text_body(
        mail
    )
    assert f"/webhooks/{endpoint.pk}/" in text_body(mail)
    assert URL not in text_body(mail)


def test_a_stop_by_an_admin_needs_no_mail(admin: User, endpoint: WebhookEndpoint, mailbox: Mailbox) -> None:
    give_address(admin)
    endpoints.stop(endpoint.pk, admin)
    endpoints.stop(endpoint.pk, admin)

    assert webhook_mail.notify_owners() == 0
    assert LogEntry.objects.filter(event="webhook.stopped").count() == 1


def test_an_owner_without_an_address_is_not_asked_about_for_ever(admin: User, endpoint: WebhookEndpoint) -> None:
    endpoints.stop_for(endpoint.pk, Stop.GONE)

    assert webhook_mail.notify_owners() == 0

    assert WebhookEndpoint.objects.get().owner_notified
