"""Mail the newest checkpoint once a day, even without new entries: to auditors who want it, and to LOG_CHECKPOINT_MAIL.

Copies in many mailboxes can't be rewritten by anybody here. There is one row for each address and day, so repeating a
step mails nothing twice. As with notices, one gap remains: if a worker dies between the mail server's acceptance and
its commit, the mail is sent again, with the same Message-ID.

The rows have no addresses: an address is looked up when the mail is sent, so users who have unsubscribed, lost the role
or were removed from the setting get none.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac

from archive import dbtime, leases, log, wakeups
from archive.display.checkpoint_mail import render_checkpoint
from archive.encryption import secret_keys
from archive.errors import MailRefused, SpacekeepError
from archive.leases import Claim
from archive.log import SYSTEM, events
from archive.models import CheckpointMail, User
from archive.models.notice_kinds import LOG_CHECKPOINT
from archive.models.user import AUDITORS
from archive.notices import smtp, unsubscribe
from archive.notices.deliver import MAX_ATTEMPTS
from archive.transparency import checkpoints
from archive.transparency.witnesses import note_with_cosignatures

State = CheckpointMail.State
LIVES = timedelta(days=400)
AT_ONCE = 1000

logger = structlog.get_logger()


@dataclass(frozen=True)
class Recipient:
    """An address that gets checkpoints; `user` is its auditor, or None for an address in LOG_CHECKPOINT_MAIL."""

    address: str
    user: User | None


def create_mails() -> int:
    """Create today's missing mails, and wake up workers. Idempotent. Returns how many are pending.

    Unsent mails of earlier days become obsolete, since today's mail covers more.
    """
    newest = checkpoints.latest()
    if newest is None:
        return 0
    today = dbtime.now().date()
    # A row under a former SECRET_KEY counts too: the key may have changed since this morning.
    done = set(CheckpointMail.objects.filter(day=today).values_list("recipient", flat=True))
    wanted = [name for name, one in find_recipients().items() if done.isdisjoint(_hmacs(one.address))]
    rows = [CheckpointMail(recipient=name, day=today, checkpoint=newest) for name in wanted]
    with transaction.atomic():
        CheckpointMail.objects.filter(state=State.PENDING, day__lt=today).update(state=State.OBSOLETE, **leases.RESET)
        CheckpointMail.objects.bulk_create(rows, ignore_conflicts=True)
        pending = list(CheckpointMail.objects.filter(state=State.PENDING, day=today).values_list("pk", flat=True))
        wakeups.wake(CheckpointMail, *pending)
    return len(pending)


def find_recipients() -> dict[str, Recipient]:
    """Return {HMAC of the address under SECRET_KEY: recipient}, each address once."""
    return {_hmac(one.address): one for one in _list_recipients()}


def _list_recipients() -> list[Recipient]:
    """Return each address once, ignoring case."""
    if not settings.MAIL_ON:
        return []
    auditors = User.objects.filter(is_active=True, groups__name=AUDITORS).exclude(email="").order_by("pk")
    wanted = [Recipient(user.email.strip(), user) for user in auditors if LOG_CHECKPOINT not in user.unmailed_kinds]
    wanted += [Recipient(address, None) for address in settings.LOG_CHECKPOINT_MAIL]
    recipients: dict[str, Recipient] = {}
    for one in wanted:
        recipients.setdefault(one.address.lower(), one)
    return list(recipients.values())


def _find_recipient(name: str) -> Recipient | None:
    """Return the recipient with this HMAC, also under a former SECRET_KEY."""
    return next((one for one in _list_recipients() if name in _hmacs(one.address)), None)


def _hmac(address: str, secret: str | None = None) -> str:
    return salted_hmac("archive.checkpoint_mail", address.lower(), secret=secret, algorithm="sha256").hexdigest()


def _hmacs(address: str) -> list[str]:
    return [_hmac(address, secret) for secret in secret_keys()]


def send(mail_id: UUID) -> bool:
    """Send the mail, if it is pending and still wanted. Returns True when this call sent it."""
    claim = leases.claim(CheckpointMail, mail_id, [State.PENDING])
    return leases.attempt(claim, _send, permanent=(MailRefused,), fail=_fail, max_attempts=MAX_ATTEMPTS)


def _send(claim: Claim[CheckpointMail]) -> bool:
    with smtp.connect() as server:
        claim.renew()
        to = _find_recipient(claim.row.recipient)
        if to is None:
            claim.renew(state=State.OBSOLETE, problem={}, **leases.RESET)
            return False
        checkpoint = claim.row.checkpoint
        message = render_checkpoint(checkpoint, note_with_cosignatures(checkpoint), has_account=to.user is not None)
        link = unsubscribe.one_click_url(to.user, LOG_CHECKPOINT) if to.user else ""
        smtp.send_message(server, message, to.address, claim.row.pk, unsubscribe_url=link)
        # Even if another worker has claimed it since: the mail server accepted it.
        done = {"state": State.SENT, "sent_at": Now(), "problem": {}, **leases.RESET}
        return bool(CheckpointMail.objects.filter(pk=claim.row.pk).update(**done))


def _fail(claim: Claim[CheckpointMail], error: SpacekeepError) -> None:
    with transaction.atomic():
        claim.renew(state=State.FAILED, problem=error.problem, **leases.RESET)
        log.record(events.CHECKPOINT_MAIL_FAILED, space_id=None, actor=SYSTEM, code=error.code)
    logger.warning("log_checkpoint_mail_failed", code=error.code, day=str(claim.row.day))


def delete_old() -> int:
    """Delete rows of mails that are older than LIVES. Returns how many."""
    old = CheckpointMail.objects.filter(created_at__lt=Now() - LIVES).values_list("pk", flat=True)[:AT_ONCE]
    return CheckpointMail.objects.filter(pk__in=list(old)).delete()[0]
