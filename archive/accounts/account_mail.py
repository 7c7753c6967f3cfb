"""Mail for pages about accounts: links for new passwords and addresses, and news of changes.

A page stores the rendered mail in a row, and a worker sends it. So a slow mail server delays no response, and response
times don't reveal whether an address has an account. As with notices, a worker that dies after the delivery sends the
mail again, with the same Message-ID. The content is encrypted under SECRET_KEY, since the database alone must not
reveal a link. A row lives for a day at most, as links do.
"""

import json
from datetime import timedelta
from uuid import UUID

import structlog
from cryptography.fernet import InvalidToken
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from archive import leases, log, wakeups
from archive.display.mail import MailMessage
from archive.encryption import cipher
from archive.errors import MailRefused, SpacekeepError
from archive.leases import Claim
from archive.log import SYSTEM, events
from archive.models import AccountMail
from archive.notices import smtp
from archive.notices.deliver import MAX_ATTEMPTS

logger = structlog.get_logger()

State = AccountMail.State
LIVES = timedelta(days=1)
YOUNG = Q(created_at__gt=Now() - LIVES)
AT_ONCE = 1000
PURPOSE = "archive.account_mail"


def enqueue(to: str, subject: str, text: str) -> AccountMail:
    """Queue this mail to be sent once the caller's transaction has committed."""
    content = json.dumps({"to": to, "subject": subject, "text": text})
    with transaction.atomic():
        mail = AccountMail.objects.create(content=cipher(PURPOSE).encrypt(content.encode()).decode())
        wakeups.wake(AccountMail, mail.pk)
    return mail


def send(mail_id: UUID) -> bool:
    """Send the mail, if it is pending. Returns True when this call sent it."""
    claim = leases.claim(AccountMail, mail_id, [State.PENDING], condition=YOUNG)
    return leases.attempt(claim, _send, permanent=(MailRefused,), fail=_fail, max_attempts=MAX_ATTEMPTS)


def delete_old() -> int:
    """Delete mails that could not be sent within a day. Returns how many."""
    old = AccountMail.objects.exclude(YOUNG).values_list("pk", flat=True)[:AT_ONCE]
    return AccountMail.objects.filter(pk__in=list(old)).delete()[0]


def _send(claim: Claim[AccountMail]) -> bool:
    try:
        content = json.loads(cipher(PURPOSE).decrypt(claim.row.content.encode()))
    except InvalidToken:
        _drop(claim, "unreadable")  # SECRET_KEY was replaced, so the links in it are invalid too
        return False
    with smtp.connect() as server:
        claim.renew()
        message = MailMessage(content["subject"], content["text"], html="")
        smtp.send_message(server, message, content["to"], claim.row.pk)
        AccountMail.objects.filter(pk=claim.row.pk).delete()
        return True


def _fail(claim: Claim[AccountMail], error: SpacekeepError) -> None:
    with transaction.atomic():
        if _drop(claim, error.code):
            log.record(events.ACCOUNT_MAIL_FAILED, space_id=None, actor=SYSTEM, code=error.code)


def _drop(claim: Claim[AccountMail], reason: str) -> bool:
    """Delete a mail that can't be sent. The log does not name the account; its user can request another mail. Returns
    whether this call deleted it."""
    if not AccountMail.objects.filter(claim.still_held, pk=claim.row.pk).delete()[0]:
        return False
    logger.warning("account_mail_failed", code=reason)
    return True
