"""Whether what a notice says still holds. One table for the mail and for the note on the page, asked of the database by
its own clock."""

from typing import Any

from django.db.models import Case, CharField, Exists, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Cast

from archive.models import Bundle, Notice, User, Violation
from archive.models.space_queries import is_gone
from archive.models.user import ADMINS

Kind = Notice.Kind

GONE = "notice.space_gone"
MOVED = "notice.deadline_moved"
REMOVED = "notice.bundle_removed"
ASKED_AGAIN = "notice.bundle_requested_again"
LIFTED = "notice.violation_lifted"
NO_ACCESS = "notice.no_access"

# What makes a notice untrue, by the code that its row gets.
UNTRUE: list[tuple[str, Any]] = [
    (
        GONE,
        ~Q(kind=Kind.DELETED) & is_gone(prefix="space__"),
    ),
    (
        MOVED,
        Q(kind__in=Notice.REMINDERS) & (Q(space__expires_at=None) | ~Q(space__expires_at=F("deadline"))),
    ),
    (REMOVED, Q(kind=Kind.BUNDLE_READY, bundle_size=None)),
    (ASKED_AGAIN, Q(kind=Kind.BUNDLE_FAILED, asked_again=True)),
    (LIFTED, Q(kind__in=[Kind.FLAGGED, Kind.APPEAL_DENIED], violation_state=Violation.State.LIFTED)),
    (NO_ACCESS, ~Q(user=F("space__host")) & Q(reader_is_admin=False)),
]


def with_validity(notices: Any) -> Any:
    """The same notices, each with its Space, and as annotations: `untrue` (the code of why it no longer holds, ""
    while it does), `bundle_size` (bytes; None unless it is ready), `rule_name` and `violation_state`."""
    ready = _subject(Bundle).filter(state=Bundle.State.READY)
    violation = _subject(Violation)
    admins = User.groups.through._default_manager.filter(user=OuterRef("user"), group__name=ADMINS)
    return (
        notices.select_related("space")
        .annotate(
            bundle_size=Subquery(ready.values("size")[:1]),
            asked_again=Exists(Bundle.objects.filter(space=OuterRef("space"), state__in=Bundle.LIVE)),
            violation_state=Subquery(violation.values("state")[:1]),
            rule_name=Subquery(violation.values("rule__name")[:1]),
            reader_is_admin=Exists(admins),
        )
        .annotate(
            untrue=Case(
                *(When(breach, then=Value(words)) for words, breach in UNTRUE),
                default=Value(""),
                output_field=CharField(),
            )
        )
    )


def visible_notices(user: User) -> QuerySet[Any]:
    """What may stand on this person's pages: their notices that still hold. Of a Space that is gone, only that it was
    deleted."""
    rows: QuerySet[Any] = with_validity(Notice.objects.filter(user=user).exclude(state=Notice.State.OBSOLETE))
    return rows.filter(untrue="")


def _subject(model: Any) -> Any:
    """The row of `model` that a notice is about: one of its own Space."""
    rows = model._default_manager.filter(space=OuterRef("space")).annotate(as_text=Cast("pk", CharField()))
    return rows.filter(as_text=OuterRef("subject_id"))
