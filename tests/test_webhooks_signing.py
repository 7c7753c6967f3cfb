"""Signatures of webhooks match the specification's own example and its reference library."""

import base64
from datetime import timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from archive import dbtime
from archive.errors import DeliveryRefused
from archive.models import User, WebhookEndpoint
from archive.webhooks import endpoints
from archive.webhooks.signing import active_secrets, make_secret, sign
from tests.support.webhook_receiver import subscribe


def test_the_example_of_the_specification() -> None:
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'

    signature = sign([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)

    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_has_256_random_bits() -> None:
    first, second = make_secret(), make_secret()

    assert first != second
    assert first.startswith("whsec_")
    assert len(base64.b64decode(first.removeprefix("whsec_"), validate=True)) == 32


@pytest.mark.usefixtures("db")
def test_both_secrets_sign_while_one_is_replaced(admin: User) -> None:
    endpoint, first = subscribe("https://example.org/", admin)
    second = endpoints.replace_secret(endpoint.pk, admin)
    endpoint.refresh_from_db()
    now = dbtime.now()
    stamp = int(now.timestamp())

    def verify(at: Any, secret: str) -> object:
        header = sign(active_secrets(endpoint, at), "msg_1", stamp, b"{}")
        names = {"webhook-id": "msg_1", "webhook-timestamp": str(stamp), "webhook-signature": header}
        return Webhook(secret).verify(b"{}", names)

    assert verify(now, first) == verify(now, second) == {}
    a_day_later = now + timedelta(days=1, seconds=1)
    assert verify(a_day_later, second) == {}
    with pytest.raises(WebhookVerificationError):
        verify(a_day_later, first)
    third = endpoints.replace_secret(endpoint.pk, admin)
    endpoint.refresh_from_db()
    assert active_secrets(endpoint, now) == [third, second]


@pytest.mark.usefixtures("db")
def test_the_database_alone_does_not_give_the_secret_away(admin: User, settings: Any) -> None:
    endpoint, secret = subscribe("https://example.org/", admin)
    stored = WebhookEndpoint.objects.values().get(pk=endpoint.pk)
    assert secret not in str(stored)
    assert secret.removeprefix("whsec_") not in str(stored)
    settings.SECRET_KEY, old = "another", settings.SECRET_KEY

    with pytest.raises(DeliveryRefused) as refused:
        active_secrets(endpoint, dbtime.now())

    assert refused.value.code == "webhook.secret_unreadable"
    settings.SECRET_KEY_FALLBACKS = [old]
    assert active_secrets(endpoint, dbtime.now()) == [secret]
