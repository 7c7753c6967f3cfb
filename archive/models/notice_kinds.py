"""All kinds of notices.

To add a kind, add an entry here and its templates: `archive/mail/<kind>.txt`, `archive/mail/<kind>.html` and
`notices/text/<kind>.html`; then run `manage.py makemigrations`, since the database checks the kinds.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from archive.models.space_queries import is_gone
from archive.policy import ReasonCode

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True, eq=False)
class Obsolete:
    """A reason why a notice is no longer true: a code (archive/error_messages/mail.py), and the condition.

    `condition` may use the annotations of archive/notices/validity.py.
    """

    code: str
    condition: Q


SPACE_GONE = Obsolete("notice.space_gone", is_gone(prefix="space__"))
DEADLINE_MOVED = Obsolete("notice.deadline_moved", Q(space__expires_at=None) | ~Q(space__expires_at=F("deadline")))
BUNDLE_REMOVED = Obsolete("notice.bundle_removed", Q(bundle_size=None))
BUNDLE_DOWNLOADED = Obsolete("notice.bundle_downloaded", Q(bundle_downloaded=True))
BUNDLE_REQUESTED_AGAIN = Obsolete("notice.bundle_requested_again", Q(asked_again=True))
HOLD_REVIEWED = Obsolete("notice.hold_reviewed", Q(hold_is_overdue=False))
ON_HOLD = Obsolete("notice.on_hold", Q(space__expires_at=None))
NOT_ON_HOLD = Obsolete("notice.not_on_hold", Q(space__expires_at__isnull=False))
FLAG_LIFTED = Obsolete("notice.violation_lifted", Q(violation_state="lifted"))


@dataclass(frozen=True)
class Details:
    """The properties of a kind of notice, besides its code and label.

    `subject`: of the mail; may use {title}, {deadline_day} and {ended_day}.
    `icon`: a name in archive/static/archive/icons.svg. `severity`: one of the clock's tones, which colors it, or "".
    `obsolete_when`: checked in this order before the notice is sent or shown.
    `superseded_by`: codes of kinds; a newer notice of such a kind about the same Space replaces this one; with
    `same_subject`, only one about the same flag.
    `event`: the log event that the notice is about, if there is exactly one; `reason`: the reason for the deadline that
    the event adds. `remind_within`: of reminders, the range of time left until the deadline (more than, at most).
    """

    subject: "StrOrPromise"
    icon: str
    severity: str = ""
    obsolete_when: tuple[Obsolete, ...] = (SPACE_GONE,)
    superseded_by: tuple[str, ...] = ()
    same_subject: bool = False
    event: str = ""
    reason: ReasonCode | None = None
    remind_within: tuple[timedelta, timedelta] | None = None


class NoticeKind(models.TextChoices):
    """The kinds: code, details, label."""

    details: Details

    if not TYPE_CHECKING:  # mypy would ask for details in the lookup NoticeKind("flagged") as well

        def __new__(cls, code: str, details: Details) -> Self:
            member = str.__new__(cls, code)
            member._value_ = code
            member.details = details
            return member

    BUNDLE_READY = (
        "bundle-ready",
        Details(
            _("Your bundle is ready: {title}"),
            icon="package",
            obsolete_when=(SPACE_GONE, BUNDLE_REMOVED, BUNDLE_DOWNLOADED),
            superseded_by=("bundle-ready", "bundle-failed"),
        ),
        _("bundle ready"),
    )
    BUNDLE_FAILED = (
        "bundle-failed",
        Details(
            _("Your bundle could not be built: {title}"),
            icon="alert",
            severity="urgent",
            obsolete_when=(SPACE_GONE, BUNDLE_REQUESTED_AGAIN),
            superseded_by=("bundle-ready", "bundle-failed"),
        ),
        _("bundle failed"),
    )
    FLAGGED = (
        "flagged",
        Details(
            _("Flagged: {title}"),
            icon="flag",
            severity="kept",
            obsolete_when=(SPACE_GONE, FLAG_LIFTED),
            superseded_by=("appeal-denied",),
            same_subject=True,
            event="violation.flagged",
            reason=ReasonCode.VIOLATION,
        ),
        _("flagged"),
    )
    LIFTED = (
        "lifted",
        Details(
            _("A flag was lifted: {title}"),
            icon="check",
            superseded_by=("flagged", "lifted", "appeal-denied"),
            event="violation.lifted",
            reason=ReasonCode.LIFTED,
        ),
        _("flag lifted"),
    )
    APPEAL_DENIED = (
        "appeal-denied",
        Details(
            _("Your appeal was denied: {title}"),
            icon="flag",
            severity="kept",
            obsolete_when=(SPACE_GONE, FLAG_LIFTED),
            event="appeal.denied",
        ),
        _("appeal denied"),
    )
    DUE_7_DAYS = (
        "due-7-days",
        Details(
            _("Will be deleted on {deadline_day}: {title}"),
            icon="clock",
            severity="soon",
            obsolete_when=(SPACE_GONE, DEADLINE_MOVED),
            superseded_by=("due-7-days", "due-1-day"),
            remind_within=(timedelta(days=1), timedelta(days=7)),
        ),
        _("deletion within 7 days"),
    )
    DUE_1_DAY = (
        "due-1-day",
        Details(
            _("Less than a day left: {title}"),
            icon="clock",
            severity="urgent",
            obsolete_when=(SPACE_GONE, DEADLINE_MOVED),
            superseded_by=("due-7-days", "due-1-day"),
            remind_within=(timedelta(0), timedelta(days=1)),
        ),
        _("deletion within a day"),
    )
    DELETED = (
        "deleted",
        Details(_("Your Space of {ended_day} was deleted"), icon="hollow", obsolete_when=()),
        _("Space deleted"),
    )
    HOLD_PLACED = (
        "hold-placed",
        Details(
            _("On legal hold: {title}"),
            icon="lock",
            severity="kept",
            obsolete_when=(SPACE_GONE, NOT_ON_HOLD),
            superseded_by=("hold-placed",),
        ),
        _("legal hold placed"),
    )
    HOLD_RELEASED = (
        "hold-released",
        Details(
            _("No longer on legal hold, will be deleted on {deadline_day}: {title}"),
            icon="clock",
            obsolete_when=(SPACE_GONE, ON_HOLD),
            superseded_by=("hold-released",),
        ),
        _("legal hold released"),
    )
    HOLD_REVIEW = (
        "hold-review",
        Details(
            _("Legal hold to review: {title}"),
            icon="lock",
            severity="soon",
            obsolete_when=(SPACE_GONE, HOLD_REVIEWED),
        ),
        _("legal hold to review"),
    )


REMINDERS = tuple(kind for kind in NoticeKind if kind.details.remind_within)
# Users choose whether to get these by mail.
OPTIONAL_KINDS = tuple(kind for kind in NoticeKind if kind not in (*REMINDERS, NoticeKind.HOLD_REVIEW))
# A mail that auditors can turn off. Not a notice: archive/transparency/checkpoint_mail.py.
LOG_CHECKPOINT = "log-checkpoint"
