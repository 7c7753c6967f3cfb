"""Sending a notice.

What happens when it dies, at each step of `send`: before the hand-over, the claim's lease runs out and the next attempt
starts anew. Between the hand-over and the commit, the same, and the message goes out twice with one Message-ID: a mail
server can't take part in our transaction. A worker that was only slow finds its fence passed right before the
hand-over, and stops.
"""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from archive import leases, lifecycle
from archive.display.mail import render_mail
from archive.errors import LeaseLost, MailDown, MailRefused, MailUnavailable, make_problem
from archive.leases import Claim
from archive.log import SYSTEM
from archive.models import Notice
from archive.models.notice_kinds import SPACE_GONE
from archive.notices import smtp
from archive.notices.outbox import address
from archive.notices.validity import with_validity

MOST_ATTEMPTS = 300  # two days: the pauses grow to 10 minutes each


def send(notice_id: UUID) -> bool:
    """Send it, if it is due and still true. True when it is sent by this call; False when somebody else is at it, when
    it ended otherwise (its row says how), or when it waits for the next try."""
    claim = leases.claim(Notice, notice_id, [Notice.State.PENDING])
    if claim is None:
        return False
    if claim.attempt > MOST_ATTEMPTS:
        _end(claim, "failed", problem=claim.row.problem or make_problem("mail.gave_up"))
        return False
    try:
        with claim.report_unexpected():
            return _send(claim)
    except MailRefused as error:  # trying again would not help
        _end(claim, "failed", problem=error.problem)
    except MailUnavailable as error:
        if claim.release_for_retry(error.problem) and isinstance(error, MailDown):
            _others_wait(claim)
    except LeaseLost:
        pass
    return False


def _send(claim: Claim[Notice]) -> bool:
    """Connected first (a name to look up, a handshake, a sign-in: seconds), so that what is asked of the database right
    before the hand-over is still so at the hand-over."""
    if _settled(claim, _look(claim)):
        return False
    with smtp.connect() as server:
        notice = _look(claim)
        if _settled(claim, notice):
            return False
        message = render_mail(notice)
        claim.renew()
        smtp.send_message(server, message, address(notice.user), notice.pk)
        # At once: saying goodbye to the server may take seconds in which we could die.
        return _end(claim, "sent", sent_at=Now())


def _look(claim: Claim[Notice]) -> Any:
    return with_validity(Notice.objects.filter(pk=claim.row.pk).select_related("user")).first()


def _settled(claim: Claim[Notice], notice: Any) -> bool:
    """Whether there is nothing to send, and its row says so now."""
    untrue = SPACE_GONE.code if notice is None else notice.untrue  # None: not even a tombstone of its Space is left
    if untrue:
        _end(claim, "obsolete", problem=make_problem(untrue))
    elif not address(notice.user):
        _end(claim, "web-only")
    else:
        return False
    return True


def _end(claim: Claim[Notice], state: str, **changes: Any) -> bool:
    detail = {"kind": claim.row.kind, "user": claim.row.user_id}
    changes = {"problem": {}, **leases.RESET, **changes}
    # What the mail server took is sent, even if somebody claimed it meanwhile: they find it done, and stop.
    mine = None if state == "sent" else claim.mine
    return lifecycle.transition(claim.row, "pending", state, actor=SYSTEM, condition=mine, detail=detail, **changes)


def _others_wait(claim: Claim[Notice]) -> None:
    """Nobody's mail goes out for now: one of a thousand finds that out, not each of them, for a connection that is not
    answered holds a worker up."""
    until = Notice.objects.filter(pk=claim.row.pk).values_list("retry_at", flat=True).first()
    with transaction.atomic():
        others = Notice.objects.select_for_update(skip_locked=True).filter(
            leases.claimable(), state=Notice.State.PENDING
        )
        Notice.objects.filter(pk__in=list(others.values_list("pk", flat=True)[:10_000])).update(retry_at=until)
