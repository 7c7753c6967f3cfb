"""Send a notice by e-mail.

If the worker dies at any step of `send`: before the server has the message, the claim's lease expires and the next
attempt starts anew. Between handing it over and the commit, the same, and the message goes out twice with one
Message-ID: a mail server can't take part in our transaction. A worker that was only slow finds a higher fence right
before it hands the message over, and stops.
"""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from archive import leases, lifecycle
from archive.display.mail import render_mail
from archive.errors import MailDown, MailRefused, SpacekeepError, make_problem
from archive.leases import Claim
from archive.log import SYSTEM
from archive.models import Notice
from archive.models.notice_kinds import SPACE_GONE
from archive.notices import smtp
from archive.notices.outbox import address
from archive.notices.validity import with_validity

State = Notice.State
MAX_ATTEMPTS = 300  # two days: the pauses grow to 10 minutes each


def send(notice_id: UUID) -> bool:
    """Send it, if it is pending and still true. Returns True when this call sent it; False when another worker has it,
    when it ended otherwise (its row says how), or when it waits for the next attempt."""
    claim = leases.claim(Notice, notice_id, [State.PENDING])
    return leases.attempt(claim, _send, permanent=(MailRefused,), fail=_fail, retry=_retry, max_attempts=MAX_ATTEMPTS)


def _send(claim: Claim[Notice]) -> bool:
    """Connect first (name lookup, handshake, sign-in: seconds), so that the database is asked right before the message
    is handed over."""
    if _ended_without_mail(claim, _read(claim)):
        return False
    with smtp.connect() as server:
        notice = _read(claim)
        if _ended_without_mail(claim, notice):
            return False
        message = render_mail(notice)
        claim.renew()
        smtp.send_message(server, message, address(notice.user, notice.kind), notice.pk)
        # Before the connection closes, which may take seconds in which this process could die.
        return _end(claim, State.SENT, sent_at=Now())


def _read(claim: Claim[Notice]) -> Any:
    return with_validity(Notice.objects.filter(pk=claim.row.pk).select_related("user")).first()


def _ended_without_mail(claim: Claim[Notice], notice: Any) -> bool:
    """End a notice that is no longer true, or whose user has no address. Returns False when it is to be sent."""
    untrue = SPACE_GONE.code if notice is None else notice.untrue  # None: not even a tombstone of its Space is left
    if untrue:
        _end(claim, State.OBSOLETE, problem=make_problem(untrue))
    elif not address(notice.user, notice.kind):
        _end(claim, State.WEB_ONLY)
    else:
        return False
    return True


def _end(claim: Claim[Notice], state: Notice.State, **changes: Any) -> bool:
    detail = {"kind": claim.row.kind, "user": claim.row.user_id}
    changes = {"problem": {}, **leases.RESET, **changes}
    # A message that the mail server accepted is sent, even if another worker claimed the notice meanwhile.
    condition = None if state == State.SENT else claim.still_held
    return lifecycle.transition(
        claim.row, State.PENDING, state, actor=SYSTEM, condition=condition, detail=detail, **changes
    )


def _fail(claim: Claim[Notice], error: SpacekeepError) -> None:
    _end(claim, State.FAILED, problem=error.problem)


def _retry(claim: Claim[Notice], error: SpacekeepError) -> None:
    if claim.release_for_retry(error.problem) and isinstance(error, MailDown):
        _delay_others(claim)


def _delay_others(claim: Claim[Notice]) -> None:
    """Delay all pending notices with this one: a connection attempt without an answer blocks a worker, so one notice
    tries the server, not a thousand."""
    until = Notice.objects.filter(pk=claim.row.pk).values_list("retry_at", flat=True).first()
    with transaction.atomic():
        others = Notice.objects.select_for_update(skip_locked=True).filter(leases.claimable(), state=State.PENDING)
        Notice.objects.filter(pk__in=list(others.values_list("pk", flat=True)[:10_000])).update(retry_at=until)
