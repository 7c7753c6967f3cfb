"""Send a notice by e-mail.

If the worker dies in `send` before the server has the message, the claim's lease expires and the next attempt starts
from the beginning. If it dies between the delivery and the commit, the message is sent twice with the same Message-ID:
a mail server can't take part in our transaction. A worker that was only slow finds a higher fence right before it sends
the message, and stops.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from uuid import UUID, uuid5

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from archive import leases, lifecycle
from archive.display.mail import MailMessage, render_mail
from archive.display.reminder_mail import render_reminders
from archive.errors import MailDown, MailRefused, SpacekeepError, make_problem
from archive.leases import Claim
from archive.log import SYSTEM
from archive.models import Notice
from archive.models.downloaded import last_downloads
from archive.models.notice_kinds import REMINDERS, SPACE_GONE
from archive.notices import smtp, unsubscribe
from archive.notices.outbox import address
from archive.notices.validity import with_validity

State = Notice.State
MAX_ATTEMPTS = 300  # two days: the pauses grow to 10 minutes each
MAX_TOGETHER = 100  # reminders in one mail, besides the first


def send(notice_id: UUID) -> bool:
    """Send the notice, if it is pending and still true; a reminder together with the user's other pending reminders.
    Returns True when this call sent it; False when another worker has it, when it ended otherwise (see its row), or
    when it waits for the next attempt."""
    claim = leases.claim(Notice, _leading(notice_id), [State.PENDING])
    return leases.attempt(claim, _send, permanent=(MailRefused,), fail=_fail, retry=_retry, max_attempts=MAX_ATTEMPTS)


def _leading(notice_id: UUID) -> UUID:
    """Return the notice to claim first. For reminders this is the same one for all reminders of a user that could be
    sent now, so that two workers that start together don't each mail half of them."""
    notice = Notice.objects.filter(pk=notice_id, state=State.PENDING, kind__in=REMINDERS).first()
    leader = _pending_reminders(notice.user_id).values_list("pk", flat=True).first() if notice else None
    return leader or notice_id


def _pending_reminders(user_id: int) -> QuerySet[Notice]:
    """Return a user's pending reminders, including claimed ones, without those that wait for their next attempt."""
    due = Q(retry_at=None) | Q(retry_at__lte=Now())
    return Notice.objects.filter(due, user=user_id, state=State.PENDING, kind__in=REMINDERS).order_by("pk")


def _send(claim: Claim[Notice]) -> bool:
    """Connect first (name lookup, handshake, login: seconds), so that the last check of the database comes right before
    the message is sent."""
    with _with_companions(claim) as claims:
        ready = _still_to_send(claims)
        if not ready:
            return False
        with smtp.connect() as server:
            held = leases.renew_all([one for one in claims if _is_of(one, ready)])
            notices = _still_to_send(held)
            if not notices:
                return False
            user = notices[0].user
            smtp.send_message(
                server,
                render_notices(notices),
                address(user, notices[0].kind),
                _message_uuid(notices),
                unsubscribe_url=unsubscribe.one_click_url(user, notices[0].kind),
            )
            # Commit before the connection closes: that may take seconds in which this process could die.
            with transaction.atomic():
                ended = [_end(one, State.SENT, sent_at=Now()) for one in held if _is_of(one, notices)]
            return any(ended)


@contextmanager
def _with_companions(claim: Claim[Notice]) -> Iterator[list[Claim[Notice]]]:
    """Yield the claim and, for a reminder, claims of the user's other reminders. All of them end in the same way."""
    claims = [claim]
    if claim.row.kind in REMINDERS:
        others = _pending_reminders(claim.row.user_id).exclude(pk=claim.row.pk).values_list("pk", flat=True)
        claims += leases.claim_all(Notice, list(others[:MAX_TOGETHER]), [State.PENDING])
    with ExitStack() as stack:
        for companion in claims[1:]:
            stack.enter_context(companion.report_unexpected())
        try:
            yield claims
        except MailRefused as error:
            for companion in claims[1:]:
                _fail(companion, error)
            raise
        except leases.RETRIED as error:  # a companion may have had more attempts than the first
            for companion in claims[1:]:
                leases.retry_or_give_up(companion, error, fail=_fail, max_attempts=MAX_ATTEMPTS)
            raise
        except SpacekeepError as error:
            for companion in claims[1:]:
                companion.release_for_retry(error.problem)
            raise


def _still_to_send(claims: Sequence[Claim[Notice]]) -> list[Any]:
    """Read the notices, the nearest deadline first, and end those that are no longer true or whose user has no
    address."""
    rows = with_validity(Notice.objects.filter(pk__in=[claim.row.pk for claim in claims]).select_related("user"))
    notices = {notice.pk: notice for notice in rows}
    left = [notices[claim.row.pk] for claim in claims if not _ended_without_mail(claim, notices.get(claim.row.pk))]
    return sorted(left, key=lambda notice: (notice.deadline is None, notice.deadline, notice.pk))


def render_notices(notices: Sequence[Any]) -> MailMessage:
    """Render the mail of one notice, or of several reminders. They must have the annotations of validity.py."""
    if notices[0].kind in REMINDERS:
        return render_reminders(notices, last_downloads([notice.space for notice in notices]))
    return render_mail(notices[0])


def _message_uuid(notices: Sequence[Any]) -> UUID:
    """Return the same UUID at each attempt to send the same notices."""
    first, *others = sorted(notice.pk for notice in notices)
    return uuid5(first, " ".join(map(str, others))) if others else first


def _is_of(claim: Claim[Notice], notices: Sequence[Any]) -> bool:
    return any(notice.pk == claim.row.pk for notice in notices)


def _ended_without_mail(claim: Claim[Notice], notice: Any) -> bool:
    """End a notice that is no longer true, or whose user has no address. Returns False if it has to be sent."""
    untrue = SPACE_GONE.code if notice is None else notice.untrue  # None: its Space has no row any more
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
    # A message that the mail server accepted is sent, even if another worker has claimed the notice since.
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
    """Delay all pending notices with this one. Connecting to a dead server blocks a worker, so only one notice tries
    it, and not a thousand."""
    until = Notice.objects.filter(pk=claim.row.pk).values_list("retry_at", flat=True).first()
    with transaction.atomic():
        others = Notice.objects.select_for_update(skip_locked=True).filter(leases.claimable(), state=State.PENDING)
        Notice.objects.filter(pk__in=list(others.values_list("pk", flat=True)[:10_000])).update(retry_at=until)
