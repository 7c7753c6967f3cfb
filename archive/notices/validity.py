"""Check, by the database's clock, whether a notice is still true before it is mailed or shown."""

from collections.abc import Iterator
from datetime import UTC, timedelta
from typing import Any

from django.db.models import Case, CharField, Exists, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Cast, Now, TruncDate

from archive import policy
from archive.models import Bundle, Hold, Notice, RoleMembership, User, Violation
from archive.models.notice_kinds import NoticeKind, Obsolete
from archive.models.user import ADMINS

# For all kinds: the user may no longer see the Space.
NO_ACCESS = Obsolete("notice.no_access", ~Q(user=F("space__host")) & Q(reader_is_admin=False))


def with_validity(notices: Any) -> Any:
    """Join the Spaces and annotate with: `untrue` (the code of the reason why it is obsolete, "" while it is true),
    `bundle_size` (bytes; None unless the bundle is ready), `rule_name`, `violation_state`, and `may_appeal` (the host
    can still appeal against the flag)."""
    ready = _subject(Bundle).filter(state=Bundle.State.READY)
    violation = _subject(Violation)
    unappealed = violation.filter(state=Violation.State.STANDING, appeal=None)
    closes = Now() + timedelta(days=policy.APPEAL_DAYS)
    overdue = _subject(Hold).filter(state=Hold.State.STANDING, review_on__lte=TruncDate(Now(), tzinfo=UTC))
    admins = RoleMembership.objects.filter(user=OuterRef("user"), group__name=ADMINS)
    return (
        notices.select_related("space")
        .annotate(
            bundle_size=Subquery(ready.values("size")[:1]),
            bundle_downloaded=Exists(ready.filter(host_fetched_at__isnull=False, space__host=OuterRef("user"))),
            asked_again=Exists(Bundle.objects.filter(space=OuterRef("space"), state__in=Bundle.LIVE)),
            hold_is_overdue=Exists(overdue),
            violation_state=Subquery(violation.values("state")[:1]),
            rule_name=Subquery(violation.values("rule__name")[:1]),
            reader_is_admin=Exists(admins),
            may_appeal=Q(Exists(unappealed)) & (Q(space__expires_at=None) | Q(space__expires_at__gt=closes)),
        )
        .annotate(
            untrue=Case(
                *(When(reason.condition & of_kinds, then=Value(reason.code)) for reason, of_kinds in _reasons()),
                default=Value(""),
                output_field=CharField(),
            )
        )
    )


def visible_notices(user: User) -> Any:
    """Return the notices of a user that are still true. For a deleted Space, only the notice of its deletion."""
    return still_true(Notice.objects.filter(user=user).exclude(state=Notice.State.OBSOLETE))


def still_true(notices: Any) -> Any:
    """Filter the notices that are still true, with the annotations of `with_validity`."""
    # Not `untrue=""`: PostgreSQL expects few rows to equal a computed value, and would read all to find them.
    return with_validity(notices).exclude(untrue__gt="")


def _reasons() -> Iterator[tuple[Obsolete, Q]]:
    """Yield each reason with the kinds of notices that it applies to; the more general first."""
    every = {reason: None for kind in NoticeKind for reason in kind.details.obsolete_when}
    for reason in every:
        kinds = [str(kind) for kind in NoticeKind if reason in kind.details.obsolete_when]
        yield reason, Q(kind__in=kinds)
    yield NO_ACCESS, Q()


def _subject(model: Any) -> Any:
    """Return the row of `model` that a notice is about, if it belongs to the same Space."""
    rows = model._default_manager.filter(space=OuterRef("space")).annotate(as_text=Cast("pk", CharField()))
    return rows.filter(as_text=OuterRef("subject_id"))
