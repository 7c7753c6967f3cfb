"""A real SMTP server in the process of the tests, with the messages that it received. Needs no Django."""

import logging
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

# aiosmtpd logs each connection, sometimes after pytest has closed its streams, which would be an error; and with a
# traceback each client that does not trust its certificate.
logging.getLogger("mail.log").setLevel(logging.CRITICAL)

USER, PASSWORD = "portal", "p@ss/word"  # with characters that an address has to encode


@dataclass
class Inbox:
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

    @property
    def url_with_sign_in(self) -> str:
        """STARTTLS, then AUTH."""
        return f"smtp://{USER}:p%40ss%2Fword@127.0.0.1:{self.port}?tls=True"

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


class Server(Controller):
    def factory(self) -> SMTP:
        if self.handler.before_greeting:
            self.handler.before_greeting()
        return super().factory()  # type: ignore[no-any-return, no-untyped-call]


@contextmanager
def run_server(inbox: Inbox, **options: Any) -> Iterator[None]:
    """`options` of aiosmtpd's SMTP."""
    server = Server(inbox, hostname="127.0.0.1", port=inbox.port, **options)
    server.start()
    try:
        yield
    finally:
        server.stop()


def with_sign_in(context: ssl.SSLContext) -> dict[str, Any]:
    """Options of a server that takes no mail without STARTTLS, nor without this user and password after it."""
    return {
        "tls_context": context,
        "require_starttls": True,
        "auth_required": True,
        "authenticator": _authenticate,
    }


def _authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any) -> AuthResult:
    expected = LoginPassword(USER.encode(), PASSWORD.encode())
    return AuthResult(success=given == expected, handled=False)  # so that the server answers
