"""The weekly digest, for users who chose it instead of single mails.

Each Monday (UTC) every such user gets a row, and a worker mails its contents: the notices of the week that the user has
not seen yet, and the Spaces that will be deleted within a week. Reminders of a deletion are mailed at once anyway.

A digest is sent at most once: the row says `sent` before the message goes to the server. If the process dies in
between, this week's digest is lost, but never sent twice. Only if the mail server says that it did not accept the
message is the digest sent again.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from archive import dbtime, leases, lifecycle, wakeups, work_log
from archive.display.digest_mail import render_digest
from archive.errors import MailRefused, MailUnavailable, MailUncertain, Problem, SpacekeepError
from archive.leases import Claim
from archive.log import SYSTEM
from archive.models import Digest, Notice, Space, User
from archive.models.downloaded import last_downloads
from archive.models.notice_kinds import OPTIONAL_KINDS
from archive.notices import smtp, unsubscribe
from archive.notices.deliver import MAX_ATTEMPTS
from archive.notices.open import open_notices

State = Digest.State
MAX_LISTED = 50  # notices, and Spaces, in one mail
AHEAD = timedelta(days=7)


def create_digests(batch: int = 500) -> int:
    """Create the missing digests of this week, and wake up workers. Idempotent. Returns how many.

    Users who choose the digest this week get the first one next week.
    """
    if not settings.MAIL_ON:
        return 0
    now = dbtime.now()
    monday = _monday(now)
    has_one = Digest.objects.filter(user=OuterRef("pk"), week=monday.date())
    users = User.objects.filter(is_active=True, digest_since__lt=monday).exclude(email="").filter(~Exists(has_one))
    created = 0
    while rows := [_make(user, monday, now) for user in users.order_by("pk")[:batch]]:
        Digest.objects.bulk_create(rows, ignore_conflicts=True)
        wakeups.wake(Digest, *(row.pk for row in rows))
        created += len(rows)
    return created


def send_digest(digest_id: UUID) -> bool:
    """Send the digest, if it is pending and not empty. Returns True when this call sent it."""
    claim = leases.claim(Digest, digest_id, [State.PENDING])
    return leases.attempt(claim, _send, permanent=(MailRefused,), fail=_fail, max_attempts=MAX_ATTEMPTS)


def choose(user: User, *, weekly: bool) -> None:
    """Choose the weekly digest, or single mails again. The caller saves the user."""
    if not weekly:
        user.digest_since = None
    elif user.digest_since is None:
        user.digest_since = dbtime.now()


def _make(user: User, monday: datetime, now: datetime) -> Digest:
    last = Digest.objects.filter(user=user).order_by("-week").first()
    since = max(user.digest_since or now, last.until if last else monday - AHEAD)
    return Digest(user=user, week=monday.date(), since=since, until=now)


def _monday(now: datetime) -> datetime:
    return (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)


def _send(claim: Claim[Digest]) -> bool:
    with smtp.connect() as server:
        claim.renew()
        digest = Digest.objects.select_related("user").get(pk=claim.row.pk)
        user = digest.user
        notices, spaces = _contents(digest)
        if not (notices or spaces) or not (user.is_active and user.email and user.digest_since):
            _move(claim.row, State.PENDING, State.EMPTY, claim)
            return False
        message = render_digest(user, notices, spaces, last_downloads(spaces))
        if not _move(claim.row, State.PENDING, State.SENT, claim, sent_at=Now()):
            return False
        return _hand_over(digest, lambda: smtp.send_message(
            server, message, user.email.strip(), digest.pk, unsubscribe_url=unsubscribe.one_click_url(user, "digest")
        ))  # fmt: skip


def _contents(digest: Digest) -> tuple[list[Any], list[Space]]:
    """Return the week's open notices that were not mailed, the newest first; and the Spaces to be deleted soon."""
    user = digest.user
    kinds = [kind for kind in OPTIONAL_KINDS if kind not in user.unmailed_kinds]
    rows = open_notices(user).filter(
        state=Notice.State.WEB_ONLY, kind__in=kinds, created_at__gt=digest.since, created_at__lte=digest.until
    )
    soon = Space.objects.served().filter(host=user, expires_at__lte=Now() + AHEAD).order_by("expires_at", "id")
    return list(rows.order_by("-created_at", "-id")[:MAX_LISTED]), list(soon[:MAX_LISTED])


def _hand_over(digest: Digest, send: Any) -> bool:
    """Send the message of a row that says `sent` since `digest` was read, and correct the row if the server did not
    accept it."""
    try:
        send()
    except (MailRefused, MailUncertain) as error:
        _move(digest, State.SENT, State.FAILED, sent_at=None, problem=error.problem)
        return False
    except MailUnavailable as error:  # the server certainly did not accept it
        _retry_or_fail(digest, error.problem)
        return False
    return True


def _retry_or_fail(digest: Digest, problem: Problem) -> None:
    """Make the row pending again, or, after the last attempt, failed. `sent` has reset the attempts and the reported
    cause: `digest` still has them."""
    attempt = digest.attempts
    if attempt >= MAX_ATTEMPTS:
        if _move(digest, State.SENT, State.FAILED, sent_at=None, problem=problem):
            work_log.log_failure(digest, attempt, problem)
        return
    news = work_log.news_of(digest, problem)
    again = {
        "sent_at": None,
        "retry_at": Now() + leases.LAST_RETRY,
        "problem": problem,
        "attempts": attempt,
        "unforeseen": max(digest.unforeseen - 1, 0),  # `claim` counted this attempt in advance
        "reported_cause": digest.reported_cause,
        "reported_at": digest.reported_at,
    }
    if _move(digest, State.SENT, State.PENDING, **{**again, **news}) and news:
        work_log.log_retry(digest, attempt, problem)


def _fail(claim: Claim[Digest], error: SpacekeepError) -> None:
    _move(claim.row, State.PENDING, State.FAILED, claim, problem=error.problem)


def _move(digest: Digest, old: State, new: State, claim: Claim[Digest] | None = None, **changes: Any) -> bool:
    with transaction.atomic():
        return lifecycle.transition(
            digest,
            old,
            new,
            actor=SYSTEM,
            condition=claim.still_held if claim else None,
            detail={"user": digest.user_id},
            **{**leases.RESET, "problem": {}, **changes},
        )
