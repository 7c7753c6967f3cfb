"""Run a real SMTP server in this process, and keep the messages that it receives."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from archive.accounts import account_mail
from archive.models import AccountMail, Notice, User
from tests.support.processes import free_port

# aiosmtpd logs each connection, sometimes after pytest has closed its streams, which would be an error.
logging.getLogger("mail.log").setLevel(logging.ERROR)

FROM = "Spacekeep <no-reply@spaces.example.org>"


@dataclass
class Mailbox:
    """Messages with their recipients, in order of arrival.

    `answers` maps an address (for RCPT) or "DATA" to the reply that the server sends instead of 250. The server's
    thread calls `before_greeting` for each connection, and `before_answer` for each message.
    """

    port: int
    received: list[tuple[str, EmailMessage]] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    before_greeting: Callable[[], object] | None = None
    before_answer: Callable[[], object] | None = None

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    async def handle_RCPT(  # noqa: N802  (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if "DATA" in self.answers:
            return self.answers["DATA"]
        if self.before_answer:
            self.before_answer()
        content = envelope.content
        assert isinstance(content, bytes)
        self.received.append((envelope.rcpt_tos[0], message_from_bytes(content, policy=policy.default)))
        return "250 OK"

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


class Server(Controller):
    def factory(self) -> SMTP:
        if self.handler.before_greeting:
            self.handler.before_greeting()
        return super().factory()  # type: ignore[no-any-return, no-untyped-call]


@contextmanager
def run_mail_server(mailbox: Mailbox) -> Iterator[Mailbox]:
    server = Server(mailbox, hostname="127.0.0.1", port=mailbox.port)
    server.start()
    try:
        yield mailbox
    finally:
        server.stop()


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
