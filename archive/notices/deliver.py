"""Send a notice by e-mail.

If the worker dies at any step of `send`: before the server has the message, the claim's lease expires and the next
attempt starts anew. Between handing it over and the commit, the same, and the message goes out twice with one
Message-ID: a mail server can't take part in our transaction. A worker that was only slow finds a higher fence right
before it hands the message over, and stops.
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
    """Send it, if it is pending and still true; a reminder together with the other pending reminders of its user.
    Returns True when this call sent it; False when another worker has it, when it ended otherwise (its row says how),
    or when it waits for the next attempt."""
    claim = leases.claim(Notice, _leading(notice_id), [State.PENDING])
    return leases.attempt(claim, _send, permanent=(MailRefused,), fail=_fail, retry=_retry, max_attempts=MAX_ATTEMPTS)


def _leading(notice_id: UUID) -> UUID:
    """The notice to claim first. Of the reminders of one user that could be sent now, always the same one, so that two
    workers that begin at the same moment don't mail half of them each."""
    notice = Notice.objects.filter(pk=notice_id, state=State.PENDING, kind__in=REMINDERS).first()
    leader = _pending_reminders(notice.user_id).values_list("pk", flat=True).first() if notice else None
    return leader or notice_id


def _pending_reminders(user_id: int) -> QuerySet[Notice]:
    """Also those that a worker has at this moment; not those that wait for their next attempt."""
    due = Q(retry_at=None) | Q(retry_at__lte=Now())
    return Notice.objects.filter(due, user=user_id, state=State.PENDING, kind__in=REMINDERS).order_by("pk")


def _send(claim: Claim[Notice]) -> bool:
    """Connect first (name lookup, handshake, sign-in: seconds), so that the database is asked right before the message
    is handed over."""
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
            # Before the connection closes, which may take seconds in which this process could die.
            with transaction.atomic():
                ended = [_end(one, State.SENT, sent_at=Now()) for one in held if _is_of(one, notices)]
            return any(ended)


@contextmanager
def _with_companions(claim: Claim[Notice]) -> Iterator[list[Claim[Notice]]]:
    """The claim, and for a reminder, claims of the other reminders of its user. These share its fate."""
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
    """The mail of one notice, or of several reminders. They have the annotations of validity.py."""
    if notices[0].kind in REMINDERS:
        return render_reminders(notices, last_downloads([notice.space for notice in notices]))
    return render_mail(notices[0])


def _message_uuid(notices: Sequence[Any]) -> UUID:
    """The same for each attempt to send the same notices."""
    first, *others = sorted(notice.pk for notice in notices)
    return uuid5(first, " ".join(map(str, others))) if others else first


def _is_of(claim: Claim[Notice], notices: Sequence[Any]) -> bool:
    return any(notice.pk == claim.row.pk for notice in notices)


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
