"""Send a message to the mail server and interpret its replies. The only code that knows SMTP."""

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.charset import BASE64, Charset
from email.mime.text import MIMEText
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.validators import validate_email

from archive import metrics
from archive.display.mail import Attachment, MailMessage
from archive.errors import MailDown, MailRefused, MailUnavailable, MailUncertain, SpacekeepError


@contextmanager
def connect() -> Iterator[BaseEmailBackend]:
    """Open a connection and log in. Raises MailDown. Errors on closing it are ignored, since accepted messages stay
    accepted."""
    connection = get_connection()
    try:
        connection.open()
    except OSError as error:  # smtplib's own errors are OSErrors, too
        metrics.MAILS.labels("unavailable").inc()
        raise MailDown("mail.server_down", error=_named(error)) from error
    try:
        yield connection
    finally:
        with suppress(OSError):
            connection.close()


@contextmanager
def _counted() -> Iterator[None]:
    """Count a mail by the outcome of this block."""
    try:
        yield
    except SpacekeepError as error:
        metrics.MAILS.labels("refused" if isinstance(error, MailRefused) else "unavailable").inc()
        raise
    metrics.MAILS.labels("sent").inc()


@_counted()
def send_message(
    connection: BaseEmailBackend, letter: MailMessage, to: str, id: UUID, *, unsubscribe_url: str = ""
) -> None:
    """Return once the server has accepted the message. Raises MailRefused on permanent errors, MailUnavailable on
    temporary ones and when the result is unknown. No error contains an address.

    `unsubscribe_url`: the address for unsubscribing with one click (RFC 8058); "" if the reader can't unsubscribe.
    """
    try:
        validate_email(to)
    except ValidationError as error:
        raise MailRefused("mail.bad_address") from error
    message = EmailMultiAlternatives(letter.subject, letter.text, settings.DEFAULT_FROM_EMAIL, [to])
    if letter.html:
        message.attach_alternative(letter.html, "text/html")
    if letter.attachment:
        message.encoding = _charset_in_base64()
        message.attach(_attachment_in_base64(letter.attachment))
    # The same for each attempt, so that mail programs show a repeated message once.
    message.extra_headers = {"Message-ID": message_id(id), "Auto-Submitted": "auto-generated"}
    if unsubscribe_url:
        message.extra_headers["List-Unsubscribe"] = f"<{unsubscribe_url}>"
    if unsubscribe_url.startswith("https:"):  # RFC 8058 §3.1
        message.extra_headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    try:
        connection.send_messages([message])
    except smtplib.SMTPRecipientsRefused as error:
        ((reply, _),) = error.recipients.values()
        raise _refused("mail.address_refused", reply) from error
    except smtplib.SMTPDataError as error:
        raise _refused("mail.message_refused", error.smtp_code) from error
    except smtplib.SMTPResponseException as error:
        # Such as a refused sender, which is our setting: the mail can be sent after a correction.
        raise MailUnavailable("mail.not_taken", error=_named(error)) from error
    except OSError as error:
        raise MailUncertain("mail.not_taken", error=_named(error)) from error


def _charset_in_base64() -> Charset:
    """Return UTF-8 in base64. Django's default is 8bit, which a mail server on the way may change."""
    charset = Charset("utf-8")
    charset.body_encoding = BASE64
    return charset


def _attachment_in_base64(attachment: Attachment) -> MIMEText:
    part = MIMEText(attachment.text, "plain", _charset_in_base64())  # type: ignore[arg-type]
    part.add_header("Content-Disposition", "attachment", filename=attachment.name)
    return part


def message_id(id: UUID) -> str:
    return f"<{id}@{urlsplit(settings.SITE_URL).hostname}>"


def _refused(code: str, reply: int) -> MailRefused | MailUnavailable:
    """RFC 5321 §4.2.1: 5yz replies are permanent, 4yz temporary."""
    return MailRefused(code, reply=reply) if 500 <= reply < 600 else MailUnavailable(code, reply=reply)


def _named(error: Exception) -> str:
    """Return the error's class and code without the server's text, which may contain an address or a name."""
    code = getattr(error, "smtp_code", None) or getattr(error, "errno", None)
    return f"{type(error).__name__} {code}" if code else type(error).__name__
