"""Changes that users make to their own sign-in are logged in the transaction of the change."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db import connection
from django.test import Client

from archive import log
from archive.models import LogEntry, User
from tests.support.http_clients import make_client
from tests.support.mail_server import Mailbox
from tests.support.totp import set_up_app

pytestmark = pytest.mark.django_db


def entries() -> list[tuple[str, int | None, dict[str, Any]]]:
    return [(entry.event, entry.actor_id, entry.detail) for entry in LogEntry.objects.order_by("id")]


@pytest.fixture
def owner(alice: User) -> Client:
    return make_client(alice)


def test_an_app_and_its_recovery_codes(alice: User, owner: Client) -> None:
    set_up_app(owner)
    app, codes = Authenticator.objects.order_by("pk")

    owner.post("/accounts/2fa/recovery-codes/generate/")
    new_codes = Authenticator.objects.get(type="recovery_codes")
    owner.post("/accounts/2fa/totp/deactivate/")

    assert not Authenticator.objects.exists()
    assert [event for event, _, _ in entries()] == [
        "account.second_factor_added",
        "account.second_factor_added",
        "account.recovery_codes_replaced",
        "account.second_factor_removed",
        "account.second_factor_removed",
    ]
    assert {actor for _, actor, _ in entries()} == {alice.pk}
    assert [detail for _, _, detail in entries()] == [
        {"account": alice.pk, "factor": app.pk, "type": "totp"},
        {"account": alice.pk, "factor": codes.pk, "type": "recovery_codes"},
        {"account": alice.pk},
        {"account": alice.pk, "factor": app.pk, "type": "totp"},
        {"account": alice.pk, "factor": new_codes.pk, "type": "recovery_codes"},
    ]


def test_a_passkey_is_removed(alice: User, owner: Client) -> None:
    key = Authenticator.objects.create(user=alice, type="webauthn", data={"name": "Phone"})

    owner.post(f"/accounts/2fa/webauthn/keys/{key.pk}/remove/")

    assert entries() == [
        ("account.second_factor_removed", alice.pk, {"account": alice.pk, "factor": key.pk, "type": "webauthn"})
    ]


@pytest.mark.usefixtures("mailbox")
def test_an_address_is_used_before_it_is_verified(alice: User, owner: Client) -> None:
    """allauth allows the first address to be unverified."""
    EmailAddress.objects.create(user=alice, email="new@example.org", verified=False, primary=False)

    owner.post("/accounts/email/", {"action_primary": "", "email": "new@example.org"})

    assert User.objects.get(pk=alice.pk).email == "new@example.org"
    assert entries() == [("account.email_changed", alice.pk, {"account": alice.pk})]


def test_a_refused_change_is_no_entry(owner: Client) -> None:
    owner.get("/accounts/2fa/totp/activate/")
    owner.post("/accounts/2fa/totp/activate/", {"code": "000000"})

    assert entries() == []


def test_without_its_entry_nothing_is_changed(
    alice: User, owner: Client, monkeypatch: pytest.MonkeyPatch, mailbox: Mailbox
) -> None:
    key = Authenticator.objects.create(user=alice, type="webauthn", data={"name": "Phone"})

    def break_off(*args: Any, **options: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr(log, "record", break_off)
    with pytest.raises(ConnectionError):
        owner.post(f"/accounts/2fa/webauthn/keys/{key.pk}/remove/")

    assert connection.in_atomic_block
    assert Authenticator.objects.get() == key
