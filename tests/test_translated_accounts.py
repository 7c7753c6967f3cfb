"""Every word on the pages of accounts and in their mails is translated, as in tests/test_translated_pages.py."""

import re
from typing import Any

import pytest
from django.db.models.functions import Now

from archive.accounts import invitations
from archive.display.invitation_mail import render_invitation
from archive.models import Invitation, User
from tests.support.factory import PASSWORD, make_row, make_user
from tests.support.http_clients import make_client
from tests.support.mail_server import Mailbox, give_address, send_account_mail, text_body
from tests.support.pseudo_locale import everything_translated
from tests.support.unmarked_words import unmarked_in_page, unmarked_words

pytestmark = pytest.mark.django_db
REFUSED = {"code": "mail.address_refused", "params": {"reply": 550}}
TEST_NAMES = {"bea", "Bea", "bob", "Bob", "Unspecified"}  # the last one is a browser that sends no language


def invite(name: str, admin: User, role: str = "host", **changes: Any) -> str:
    """Return the token of an invitation whose language is changed afterwards."""
    made, token = invitations.invite(f"{name}@example.org", role, 7, admin)
    Invitation.objects.filter(pk=made.pk).update(**changes)
    return token


def unmarked(html: str) -> list[str]:
    return unmarked_in_page(re.sub(r"\w+@example\.org", " ", html), TEST_NAMES)


def test_every_word_of_the_pages_is_translated(admin: User, alice: User, bob: User, settings: Any) -> None:
    bea = give_address(make_user("bea", "admins"))
    make_row(alice)
    User.objects.filter(pk=bob.pk).update(is_active=False, last_login=Now())
    invite("a", admin, state="failed", problem=REFUSED)
    invite("b", admin, expires_at=Now())
    invite("c", admin, state="revoked", ended_at=Now())
    invite("d", admin, state="accepted", ended_at=Now(), email="", accepted_by=alice)
    invite("e", admin, state="pending", by_mail=True)
    invite("f", admin, by_mail=True)
    invite("g", admin, invited_by=None)
    token = invite("h", admin, "admin")
    forms = {"roles": {}, "reset-link": {}, "end-sessions": {}, "close": {"username": "⟦x⟧"}}
    pages: dict[str, str] = {}
    with everything_translated():
        client = make_client(admin)
        for mail_on in (True, False):
            settings.MAIL_ON = mail_on
            for url in ("/people/", "/people/invitations/", "/account/", "/accounts/email/", "/account/close/"):
                pages[f"{url} {mail_on}"] = client.get(url).content.decode()
        for person in (admin, alice, bob, bea):
            pages[f"person {person}"] = client.get(f"/people/{person.pk}/").content.decode()
            for act, form in forms.items():
                answer = client.post(f"/people/{person.pk}/{act}", form, follow=True)
                pages[f"{act} {person}"] = answer.content.decode()
        pages["invite"] = client.post("/people/invitations/", {"email": "⟦x⟧"}).content.decode()
        pages["signed in"] = client.get(f"/invitation/{token}/").content.decode()
        visitor = make_client()
        pages["over"] = visitor.get("/invitation/x/").content.decode()
        pages["sign up"] = visitor.get(f"/invitation/{token}/", follow=True).content.decode()
        pages["no name"] = visitor.post("/accounts/signup/", {}).content.decode()
        for path in ("", "done/", "key/1-x/", "key/done/"):
            pages[path or "reset"] = visitor.get(f"/accounts/password/reset/{path}").content.decode()
        pages["confirm"] = visitor.get("/accounts/confirm-email/x/").content.decode()
        pages["sent"] = visitor.get("/accounts/confirm-email/").content.decode()

    assert {name: words for name, page in pages.items() if (words := unmarked(page))} == {}
    assert len(pages) == 41


def test_every_word_of_the_mails_is_translated(admin: User, alice: User, mailbox: Mailbox) -> None:
    give_address(alice)
    invitation, _ = invitations.invite("ines@example.org", "admin", 7, admin)
    client = make_client(alice)
    with everything_translated():
        letter = render_invitation(invitation, "0" * 64)
        make_client().post("/accounts/password/reset/", {"email": "alice@example.org"})
        make_client().post("/accounts/password/reset/", {"email": "nobody@example.org"})
        client.post(
            "/accounts/password/change/",
            {"oldpassword": PASSWORD, "password1": "quagga-72-lantern", "password2": "quagga-72-lantern"},
        )
        client.post("/accounts/email/", {"email": "new@example.org", "action_add": ""})

    send_account_mail()
    texts = [f"{message['Subject']} {text_body(message)}" for _, message in mailbox.received]
    assert len(texts) == 4
    for text in [*texts, f"{letter.subject} {letter.text}"]:
        plain = re.sub(r"\w+@example\.org|\d+ \S+ \d{4}\S*|testserver|127\.0\.0\.1", " ", text)
        assert unmarked_words(plain, TEST_NAMES) == [], text
    assert unmarked(letter.html) == []
