"""The mail server of the tests (smtp_server.py), and what a worker sends to it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any

from archive.accounts import account_mail
from archive.models import AccountMail, Notice, User
from tests.support.processes import free_port
from tests.support.smtp_server import Inbox, run_server

FROM = "Spacekeep <no-reply@spaces.example.org>"


class Mailbox(Inbox):
    """An Inbox beside the site, which sends what waits before a test looks."""

    def to(self, address: str) -> list[EmailMessage]:
        send_account_mail()
        return [message for recipient, message in self.received if recipient == address]

    @property
    def subjects(self) -> list[str]:
        send_account_mail()
        return [str(message["Subject"]) for _, message in self.received]


def send_account_mail() -> None:
    """Send pending account mails, as a worker does. Do nothing in the server's thread: aiosmtpd reads all
    properties."""
    if threading.current_thread() is not threading.main_thread():
        return
    for pk in AccountMail.objects.values_list("pk", flat=True):
        account_mail.send(pk)


@contextmanager
def run_mail_server(mailbox: Mailbox, **options: Any) -> Iterator[Mailbox]:
    with run_server(mailbox, **options):
        yield mailbox


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    with run_mail_server(Mailbox(free_port())) as mailbox:
        yield mailbox


def use_mail_server(settings: Any, port: int) -> None:
    """Send mail to this port, like EMAIL_URL=smtp://127.0.0.1:`port`. pytest-django has replaced the backend."""
    settings.MAIL_ON = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.DEFAULT_FROM_EMAIL = FROM
    settings.EMAIL_TIMEOUT = 5


def text_body(message: EmailMessage) -> str:
    return _body(message, "plain")


def html_body(message: EmailMessage) -> str:
    return _body(message, "html")


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def give_address(user: User, address: str = "") -> User:
    user.email = address or f"{user.username}@example.org"
    user.save(update_fields=["email"])
    return user


def reload_notice(notice: Notice) -> Notice:
    return Notice.objects.get(pk=notice.pk)
