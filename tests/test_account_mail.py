"""Account mail for new passwords and addresses. No response reveals which addresses have an account."""

import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.db.models.functions import Now
from django.test import Client

from archive.accounts import account_mail
from archive.models import AccountMail, LogEntry, User
from tests.support.factory import PASSWORD
from tests.support.http_clients import make_client
from tests.support.mail_server import Mailbox, give_address, text_body

pytestmark = pytest.mark.django_db
NEW = "quagga-72-lantern"


def link(mailbox: Mailbox, to: str) -> str:
    """Return the path of the link in the newest mail to this address."""
    found = re.search(r"http://[^/]+(/accounts/\S+)", text_body(mailbox.to(to)[-1]))
    assert found is not None
    return found[1]


def test_a_mailed_link_changes_the_password_once(client: Client, alice: User, mailbox: Mailbox) -> None:
    give_address(alice)
    elsewhere = make_client(alice)
    answer = client.post("/accounts/password/reset/", {"email": "alice@example.org"}, follow=True)
    assert "If an account has this address" in answer.content.decode()
    path = link(mailbox, "alice@example.org")
    form = client.get(path)["Location"]

    answer = client.post(form, {"password1": NEW, "password2": NEW}, follow=True)

    alice.refresh_from_db()
    assert (alice.check_password(NEW), "Your password was changed" in answer.content.decode()) == (True, True)
    assert elsewhere.get("/account/").status_code == 302  # all other sessions have ended
    assert "This link has expired" in make_client().get(path).content.decode()
    assert mailbox.subjects == ["Choose a new password", "Your password was changed"]
    entry = LogEntry.objects.get(event="account.password_changed")
    assert (entry.actor_id, entry.detail) == (alice.pk, {"account": alice.pk})


def test_the_page_says_the_same_for_an_unknown_address(client: Client, alice: User, mailbox: Mailbox) -> None:
    give_address(alice)
    pages = [
        client.post("/accounts/password/reset/", {"email": email}, follow=True).content
        for email in ("alice@example.org", "nobody@example.org")
    ]

    assert re.sub(rb'data-now="\d+"', b"", pages[0]) == re.sub(rb'data-now="\d+"', b"", pages[1])
    assert mailbox.subjects == ["Choose a new password", "No account with this address"]


def test_an_account_that_is_switched_off_gets_no_link(client: Client, alice: User, mailbox: Mailbox) -> None:
    give_address(alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)

    client.post("/accounts/password/reset/", {"email": "alice@example.org"})

    assert mailbox.subjects == ["No account with this address"]


def test_without_mail_the_page_says_whom_to_ask(client: Client, alice: User) -> None:
    give_address(alice)

    for answer in (
        client.get("/accounts/password/reset/"),
        client.post("/accounts/password/reset/", {"email": "alice@example.org"}),
    ):
        assert (answer.status_code, "Ask an admin for a link" in answer.content.decode()) == (200, True)
        assert "<form" not in answer.content.decode().partition("<main")[2]


@pytest.mark.parametrize("email", ["alice@example.org", "nobody@example.org"])
def test_no_answer_waits_for_the_mail_server(email: str, client: Client, alice: User, mailbox: Mailbox) -> None:
    """A worker sends the mail later, so the response is equally fast if the server is slow or down, or if nobody has
    the address."""
    give_address(alice)
    connections: list[str] = []
    mailbox.before_greeting = lambda: connections.append(email)

    answer = client.post("/accounts/password/reset/", {"email": email})

    assert (answer.status_code, answer["Location"]) == (302, "/accounts/password/reset/done/")
    assert (connections, mailbox.received) == ([], [])
    mailbox.answers["DATA"] = "451 Try later"
    mail = AccountMail.objects.get()
    assert (account_mail.send(mail.pk), connections) == (False, [email])
    mailbox.answers.clear()
    AccountMail.objects.update(retry_at=None)
    assert account_mail.send(mail.pk)
    assert [message["Message-ID"] for message in mailbox.to(email)] == [f"<{mail.pk}@127.0.0.1>"]
    assert not AccountMail.objects.exists()


def test_the_database_alone_gives_no_link_and_no_address_away(
    client: Client, alice: User, mailbox: Mailbox, settings: Any
) -> None:
    give_address(alice)
    client.post("/accounts/password/reset/", {"email": "alice@example.org"})
    client.post("/accounts/password/reset/", {"email": "alice@example.org"})
    first, second = AccountMail.objects.all()
    assert "alice" not in first.content
    assert "reset" not in first.content

    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "other", [settings.SECRET_KEY]
    assert account_mail.send(first.pk)
    settings.SECRET_KEY_FALLBACKS = []
    assert not account_mail.send(second.pk)

    assert mailbox.subjects == ["Choose a new password"]
    assert not AccountMail.objects.exists()


def test_a_mail_that_could_not_be_sent_for_a_day_goes(client: Client, mailbox: Mailbox) -> None:
    client.post("/accounts/password/reset/", {"email": "nobody@example.org"})
    AccountMail.objects.update(created_at=Now() - timedelta(days=1))

    assert not account_mail.send(AccountMail.objects.get().pk)
    assert (account_mail.delete_old(), mailbox.received) == (1, [])


def test_a_refused_mail_is_logged_without_its_account(client: Client, mailbox: Mailbox, alice: User) -> None:
    give_address(alice)
    client.post("/accounts/password/reset/", {"email": "alice@example.org"})
    mailbox.answers["DATA"] = "550 No"

    assert not account_mail.send(AccountMail.objects.get().pk)

    assert not AccountMail.objects.exists()
    entry = LogEntry.objects.get(event="account_mail.failed")
    assert (entry.space_id, entry.detail) == (None, {"code": "mail.message_refused"})


def test_a_change_stays_done_if_its_mail_can_not_be_sent(alice: User, mailbox: Mailbox) -> None:
    give_address(alice)
    mailbox.answers["DATA"] = "451 Try later"

    answer = make_client(alice).post(
        "/accounts/password/change/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    )

    alice.refresh_from_db()
    assert (answer.status_code, answer["Location"], alice.check_password(NEW)) == (302, "/account/", True)


def test_a_new_address_is_used_once_it_is_verified(alice: User, mailbox: Mailbox) -> None:
    give_address(alice)
    client = make_client(alice)
    client.post("/accounts/email/", {"email": "new@example.org", "action_add": ""})
    alice.refresh_from_db()
    assert alice.email == "alice@example.org"
    path = link(mailbox, "new@example.org")
    assert "Is this your address?" in make_client().get(path).content.decode()
    alice.refresh_from_db()
    assert alice.email == "alice@example.org"  # a GET is not enough: mail programs open links, too

    make_client().post(path)

    alice.refresh_from_db()
    assert alice.email == "new@example.org"
    assert [(a.email, a.verified) for a in EmailAddress.objects.filter(user=alice)] == [("new@example.org", True)]
    assert "verified" in client.get("/account/").content.decode()
    assert LogEntry.objects.get(event="account.email_verified").detail == {"account": alice.pk}


def test_the_address_of_another_account_is_not_given_away(alice: User, bob: User, mailbox: Mailbox) -> None:
    EmailAddress.objects.create(user=give_address(bob), email="bob@example.org", verified=True, primary=True)
    client = make_client(give_address(alice))
    answers = [
        client.post("/accounts/email/", {"email": email, "action_add": ""}, follow=True).content.decode()
        for email in ("bob@example.org", "free@example.org")
    ]

    assert ["A link was mailed" in answer for answer in answers] == [True, True]
    path = re.search(r"http://[^/]+(/accounts/confirm\S+)", text_body(mailbox.to("bob@example.org")[0]))
    assert path is not None
    make_client().post(path[1])
    assert EmailAddress.objects.get(email="bob@example.org", verified=True).user == bob
