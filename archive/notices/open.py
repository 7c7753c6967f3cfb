"""The open notices of a user. The bell counts them, and a page shows at most one of them as a banner.

A notice is open until it retires: the user dismissed it, opened the page of its Space, or downloaded the Space (if the
notice asks for that); or a newer notice about the Space superseded it. Notices that are no longer true are not shown
at all (validity.py).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Case, Exists, IntegerField, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Now

from archive.models import Notice, Space, User
from archive.models.compiled_query import CompiledQuery
from archive.models.downloaded import last_download
from archive.models.notice_kinds import REMINDERS, NoticeKind
from archive.notices.validity import still_true, with_validity

MAX_COUNTED = 99
MAX_LOOKED_AT = 100  # notices of a kind to read for a banner; a deadline has one or two
MAX_OF_ONE_SPACE = 20  # notices of one Space that a banner can have: of its deadline, its bundle and its flags
URGENT = timedelta(days=1)  # before the deadline
DUE_SOON = timedelta(days=7)  # before the deadline


class BannerKind(StrEnum):
    """The subject of a banner, the most urgent first."""

    DUE = "due"  # deleted within a day
    FAILED = "failed"  # a bundle could not be built
    FLAGGED = "flagged"  # a flag that its host can still appeal


# The kinds of banners, in order of urgency: smaller is more urgent.
RANKS = {BannerKind.DUE: 1, BannerKind.FAILED: 2, BannerKind.FLAGGED: 3}
URGENT_SEVERITY = NoticeKind.DUE_1_DAY.details.severity
IN_BANNERS = (*REMINDERS, NoticeKind.BUNDLE_FAILED, NoticeKind.FLAGGED)
ASKING_FOR_A_DOWNLOAD = (*REMINDERS, NoticeKind.BUNDLE_READY, NoticeKind.BUNDLE_FAILED)

# {(codes that supersede, only about the same flag): kinds}
SUPERSEDED: dict[tuple[tuple[str, ...], bool], list[str]] = {}
for _kind in NoticeKind:
    if _kind.details.superseded_by:
        _same = (_kind.details.superseded_by, _kind.details.same_subject)
        SUPERSEDED.setdefault(_same, []).append(str(_kind))


class BannerRow(NamedTuple):
    """A notice that a banner may show. `rank`: smaller is more urgent."""

    pk: UUID
    space_id: UUID
    rank: int


@dataclass(frozen=True)
class Banner:
    """The one banner of a page: the notices of one kind, the most urgent first. For deadlines it includes those of the
    next 7 days, since a host downloads all of them together. `first`: the first notice; if it is the only one, with the
    annotations of `with_validity`. `due`: empty if the banner is about a single deadline; otherwise the deadlines of
    all Spaces that will be deleted within 7 days, even if their notices retired, the next one first, at most
    MAX_COUNTED + 1."""

    kind: BannerKind
    first: Any
    notices: list[BannerRow]
    due: list[datetime]
    most = MAX_COUNTED  # the highest number shown

    @property
    def number(self) -> int:
        """The number of deadlines, of flagged Spaces (a Space can have several flags), or of bundles."""
        if self.kind == BannerKind.FLAGGED:
            return len({row.space_id for row in self.notices})
        return len(self.due or self.notices)

    @property
    def ids(self) -> str:
        """The ids of the notices, separated by blanks: a banner can have a hundred notices."""
        return " ".join(str(row.pk) for row in self.notices)

    @property
    def next_deadline(self) -> datetime:
        deadline: datetime = self.due[0] if self.due else self.first.space.expires_at
        return deadline

    @property
    def severity(self) -> str:
        """The tone in which the page colors the banner. One of deadlines is always urgent, since it is only shown for a
        deadline within a day, whichever of its notices are still open."""
        severity: str = URGENT_SEVERITY if self.kind == BannerKind.DUE else self.first.details.severity
        return severity

    @property
    def is_capped(self) -> bool:
        return len(self.due or self.notices) > self.most


def open_notices(user: User) -> QuerySet[Any]:
    """Return the notices of a user that are still true and did not retire."""
    return _open(Notice.objects.filter(user=user))


def _open(notices: QuerySet[Any]) -> QuerySet[Any]:
    visible = still_true(notices.exclude(state=Notice.State.OBSOLETE))
    rows: QuerySet[Any] = with_superseded(visible.filter(dismissed_at=None)).filter(superseded=False)
    return rows


def with_superseded(notices: Any) -> Any:
    """Annotate with `superseded`: whether a newer notice about the same Space replaces the notice."""
    newer = Notice.objects.filter(
        user=OuterRef("user"), space=OuterRef("space"), created_at__gt=OuterRef("created_at")
    ).exclude(state=Notice.State.OBSOLETE)
    conditions = Q(pk__in=[])
    for (codes, same_subject), kinds in SUPERSEDED.items():
        of_subject = newer.filter(subject_id=OuterRef("subject_id")) if same_subject else newer
        conditions |= Q(kind__in=kinds) & Q(Exists(of_subject.filter(kind__in=codes)))
    return notices.annotate(superseded=Case(When(conditions, then=Value(True)), default=Value(False)))


def count_open(user: User) -> int:
    """Count the user's open notices, up to MAX_COUNTED + 1. Two queries, one if there are none."""
    if not _ANY.tuples(user.pk):
        return 0
    return len(_COUNTED.tuples(user.pk))


def find_banner(user: User, *, but_not: UUID | None = None) -> Banner | None:
    """Return the banner with the user's most urgent notices, if any are urgent enough. `but_not`: the Space of the
    page. One query if there can be no banner, a second one to rank the notices, a third one if all deadlines are more
    than a day away, and up to two more for the banner itself. Reads the first MAX_LOOKED_AT notices of each kind."""
    if not _ANY_FOR_BANNERS.tuples(user.pk):
        return None
    rows = [row for row in map(BannerRow._make, _RANKED.tuples(user.pk)) if row.space_id != but_not]
    if not rows:
        return None
    kind = next((kind for kind, rank in RANKS.items() if rank == rows[0].rank), None)
    opened = kind is None  # only deadlines of this week, and those whose notices retired, are left
    if kind is None:
        if not _RETIRED_URGENT.tuples(user.pk):
            return None
        kind = BannerKind.DUE
    ranks = (RANKS[kind], WEEK) if kind == BannerKind.DUE else (RANKS[kind],)
    shown = [row for row in rows if row.rank in ranks][: MAX_COUNTED + 1]
    first = _first(shown)
    due = _deadlines(user) if kind == BannerKind.DUE and (opened or len(shown) > 1) else []
    return Banner(kind, first, shown, due) if first else None


def _deadlines(user: User) -> list[datetime]:
    """Return the deadlines in the list "due" of the user's Spaces (portal/presenters/space_list.py)."""
    return [deadline for (deadline,) in _DUE.tuples(user.pk)]


def _first(rows: list[BannerRow]) -> Notice | None:
    """Return the first notice with its Space and, if it is the only one, with annotations. None: deleted since."""
    query = _NOTICE if len(rows) > 1 else _SHOWN
    notice, space = query.first(rows[0].pk), _SPACE_OF_NOTICE.first(rows[0].space_id)
    if notice is not None and space is not None:
        notice.space = space
    return notice


def _retired_urgent(user_id: int) -> QuerySet[Any, Any]:
    """Select one row if a Space will be deleted within a day, its host has not downloaded it, and its notice retired.
    Opening one of the Spaces of a banner retires its notices, but the banner has to stay for the others."""
    due = Space.objects.filter(host=user_id, expires_at__gt=Now(), expires_at__lte=Now() + URGENT)
    left = due.annotate(last_download=last_download()).filter(last_download=None).values("pk")
    rows = Notice.objects.filter(user=user_id, space__in=left, kind__in=REMINDERS, dismissed_at__isnull=False)
    return rows.exclude(state=Notice.State.OBSOLETE).values_list("pk")[:1]


def _undismissed(user_id: int) -> QuerySet[Notice]:
    """Select a superset of the open notices. Every page asks whether there are any, and mostly there are none."""
    return Notice.objects.filter(user=user_id, dismissed_at=None).exclude(state=Notice.State.OBSOLETE)


def _any(user_id: int) -> QuerySet[Any, Any]:
    return _undismissed(user_id).order_by().values_list("pk")[:1]


def _any_for_banners(user_id: int) -> QuerySet[Any, Any]:
    return _undismissed(user_id).filter(kind__in=IN_BANNERS).order_by().values_list("pk")[:1]


def _due(host_id: int) -> QuerySet[Any, Any]:
    rows = Space.objects.filter(host=host_id).due_until(Now() + DUE_SOON, Now()).order_by("expires_at")
    return rows.values_list("expires_at")[: MAX_COUNTED + 1]


def _candidates(user_id: int) -> QuerySet[Any, Any]:
    """Select the ids of notices that a banner can have: the nearest future deadlines, and the newest others. Each part
    is a range of an index in its order, since a host of many Spaces has thousands of open notices."""
    undismissed = Notice.objects.filter(user=user_id, dismissed_at=None).order_by()
    due = undismissed.filter(deadline__gt=Now()).order_by("deadline", "id")
    others = [
        undismissed.filter(kind=kind, deadline=None).order_by("-created_at", "-id")
        for kind in (NoticeKind.BUNDLE_FAILED, NoticeKind.FLAGGED)
    ]
    first, *more = (rows.values("pk")[:MAX_LOOKED_AT] for rows in (due, *others))
    return first.union(*more, all=True)


def retire(user: User, space_ids: Iterable[UUID], *, downloaded: bool = False) -> int:
    """Retire the user's open notices about these Spaces, because the user opened their pages. With `downloaded`, the
    user downloaded them: retire only the notices that ask for that. Returns how many."""
    rows = Notice.objects.filter(user=user, space__in=list(space_ids), dismissed_at=None)
    if downloaded:
        rows = rows.filter(kind__in=ASKING_FOR_A_DOWNLOAD)
    return rows.update(dismissed_at=Now())


WEEK = 9  # the rank of a deadline within 7 days but not within a day, which alone makes no banner


def _ranked(notices: Any) -> Any:
    """Annotate with `rank`: 0 for notices that no banner shows; else smaller is more urgent."""
    due = Q(kind__in=REMINDERS)
    return notices.annotate(
        rank=Case(
            When(due & Q(space__expires_at__lte=Now() + URGENT), then=Value(RANKS[BannerKind.DUE])),
            When(due, then=Value(WEEK)),
            When(kind=NoticeKind.BUNDLE_FAILED, then=Value(RANKS[BannerKind.FAILED])),
            When(Q(kind=NoticeKind.FLAGGED, may_appeal=True), then=Value(RANKS[BannerKind.FLAGGED])),
            default=Value(0),
            output_field=IntegerField(),
        )
    )


def _counted(user_id: int) -> QuerySet[Any, Any]:
    rows = _open(Notice.objects.filter(user=user_id)).order_by("-created_at", "-id")
    return rows.values_list("pk")[: MAX_COUNTED + 1]


def _ranked_of(user_id: int) -> QuerySet[Any, Any]:
    """Select BannerRow of notices for a banner, with some to spare, since find_banner leaves out those of one Space."""
    rows: QuerySet[Any, Any] = _ranked(_open(Notice.objects.filter(user=user_id, pk__in=_candidates(user_id))))
    return (
        rows.filter(rank__gt=0)
        .order_by("rank", "space__expires_at", "-created_at", "id")
        .values_list("pk", "space_id", "rank")[: MAX_COUNTED + MAX_OF_ONE_SPACE]
    )


def _shown(notice_id: UUID) -> QuerySet[Any, Any]:
    rows: QuerySet[Any, Any] = with_validity(Notice.objects.filter(pk=notice_id)).select_related(None)
    return rows


# Compiled, because every page runs them and Django needs up to 20 ms to compile one.
_ANY = CompiledQuery(_any, int)
_ANY_FOR_BANNERS = CompiledQuery(_any_for_banners, int)
_RETIRED_URGENT = CompiledQuery(_retired_urgent, int)
_DUE = CompiledQuery(_due, int)
_COUNTED = CompiledQuery(_counted, int)
_RANKED = CompiledQuery(_ranked_of, int)
_SHOWN = CompiledQuery(_shown, UUID)
_NOTICE = CompiledQuery(lambda notice_id: Notice.objects.filter(pk=notice_id), UUID)
_SPACE_OF_NOTICE = CompiledQuery(lambda space_id: Space.objects.filter(pk=space_id), UUID)
