"""The link in a mail unsubscribes (RFC 8058) from exactly that kind of mail, with one click and without signing in."""

from urllib.parse import urlsplit

import pytest
from django.db import transaction
from pytest_django import Settings

from archive import notices
from archive.models import Notice, User
from archive.notices.unsubscribe import one_click_url
from tests.support.factory import make_row
from tests.support.http_clients import make_client
from tests.support.mail_server import Mailbox, give_address

pytestmark = pytest.mark.usefixtures("db")
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def path(user: User, kind: str = "flagged") -> str:
    return urlsplit(one_click_url(user, kind)).path


def unmailed(user: User) -> list[str]:
    return list(User.objects.values_list("unmailed_kinds", flat=True).get(pk=user.pk))


def test_a_mail_program_unsubscribes_with_one_click(
    alice: User, bob: User, mailbox: Mailbox, settings: Settings
) -> None:
    settings.SITE_URL = "https://spaces.example.org"
    with transaction.atomic():
        notices.tell(Notice.Kind.DELETED, give_address(alice), make_row(alice, title="", salt=""))
    (pk,) = Notice.objects.values_list("pk", flat=True)
    assert notices.send(pk)
    (message,) = mailbox.to("alice@example.org")
    url = message["List-Unsubscribe"].strip().strip("<>")
    assert url.startswith("https://spaces.example.org/unsubscribe/")
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"

    assert make_client(enforce_csrf_checks=True).post(urlsplit(url).path, ONE_CLICK).status_code == 200

    assert unmailed(alice) == ["deleted"]
    assert unmailed(bob) == []


def test_without_https_there_is_a_link_and_no_one_click(alice: User, mailbox: Mailbox) -> None:
    with transaction.atomic():
        notices.tell(Notice.Kind.LIFTED, give_address(alice), make_row(alice), 1)
    (pk,) = Notice.objects.values_list("pk", flat=True)
    notices.send(pk)

    (message,) = mailbox.to("alice@example.org")
    assert message["List-Unsubscribe"].strip().startswith("<http://127.0.0.1:8000/unsubscribe/")
    assert "List-Unsubscribe-Post" not in message


def test_opening_the_link_changes_nothing(alice: User) -> None:
    page = make_client().get(path(alice)).content.decode()

    assert '<form method="post"' in page
    assert unmailed(alice) == []


def test_unsubscribing_twice_is_the_same(alice: User) -> None:
    for _ in range(2):
        assert make_client().post(path(alice)).status_code == 200

    assert unmailed(alice) == ["flagged"]


@pytest.mark.parametrize("token", ["x", "W10:1a:b", "WzEsImZsYWdnZWQiXQ:1tq:AAAA"])
def test_a_link_that_was_not_signed_here_is_none(alice: User, token: str) -> None:
    assert make_client().post(f"/unsubscribe/{token}/").status_code == 404
    assert unmailed(alice) == []


def test_reminders_have_no_such_link(alice: User) -> None:
    assert one_click_url(alice, "due-7-days") == ""
    assert one_click_url(alice, "due-1-day") == ""
