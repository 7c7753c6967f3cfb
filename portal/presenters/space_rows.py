"""The rows of lists of Spaces: the values of each row, and what the user may do."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import QuerySet, prefetch_related_objects
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from archive import formatting
from archive.display.clock import ClockFace
from archive.models import Recording, Space, SpaceQuerySet, User, Violation
from archive.models.compiled_query import CompiledQuery
from archive.models.downloaded import last_download
from portal.access import may_read_log
from portal.addresses import SpaceAddresses
from portal.presenters import clock
from portal.presenters.player import list_outline

# The columns that a row needs. A Space has three times as many.
SHOWN = ("host", "title", "state", "ended_at", "expires_at", "deadline_reasons", "deleted_at")


@dataclass(frozen=True)
class Chip:
    """A state in words, with its icon and its color (a tone of the clock, or none)."""

    text: str
    icon: str
    tone: str = ""


@dataclass(frozen=True)
class SpaceRow:
    """`number`: its place on the page, for ids of elements. `choose`, `download`, `why`: names of controls. `url`: its
    page; `download_url`: where its download is asked for. `served`: its content may be played and downloaded by this
    user now. `open`: its page exists for this user. `downloaded_at`: when the host last downloaded all of it."""

    space: Space
    face: ClockFace
    length: str
    size: str
    chips: list[Chip]
    outline: str
    served: bool
    open: bool
    downloaded_at: datetime | None
    number: str
    title: str
    choose: str
    download: str
    why: str
    url: str
    download_url: str


class OpenFlag(NamedTuple):
    """An active flag. `rule` is the rule's name."""

    id: int
    state: str
    rule: str


def read_rows(page: Sequence[UUID], user: User) -> list[Space]:
    """The Spaces of a page with what `space_rows` needs of them and of related tables, in a fixed number of queries.
    Finding and sorting the ids is another query: PostgreSQL would read all of this for each Space that it sorts."""
    if not page:
        return []
    ids = list(page)
    by_id: dict[UUID, Any] = {space.pk: space for space in _SPACES.objects(ids)}
    for space in by_id.values():
        space.open_flags, space.first_recording = [], None
        if space.host_id == user.pk:
            space.host = user
    for space_id, *flag in _FLAGS.tuples(ids):
        by_id[space_id].open_flags.append(OpenFlag(*flag))
    for recording in _RECORDINGS.objects(ids):
        by_id[recording.space_id].first_recording = recording
    prefetch_related_objects(list(by_id.values()), "host")
    return [by_id[pk] for pk in page if pk in by_id]


def _spaces(ids: list[UUID]) -> SpaceQuerySet:
    return Space.objects.filter(pk__any=ids).annotate(downloaded_at=last_download()).only(*SHOWN)


def _flags(ids: list[UUID]) -> QuerySet[Violation, Any]:
    rows = Violation.objects.filter(space__pk__any=ids).exclude(state=Violation.State.LIFTED)
    return rows.values_list("space_id", "pk", "state", "rule__name")


def _recordings(ids: list[UUID]) -> QuerySet[Recording]:
    return Recording.objects.filter(space__pk__any=ids, number=1).only("space_id", "duration_ms", "size", "outline")


_SPACES = CompiledQuery(_spaces, list)
_FLAGS = CompiledQuery(_flags, list)
_RECORDINGS = CompiledQuery(_recordings, list)


def space_rows(spaces: Iterable[Space], user: User, now: datetime) -> list[SpaceRow]:
    """The rows for Spaces of `read_rows`."""
    page = _Page(user, now)
    return [page.row(str(number), space) for number, space in enumerate(spaces, 1)]


class _Page:
    """Values shared by the rows of a page."""

    def __init__(self, user: User, now: datetime) -> None:
        self.user, self.now, self.is_admin = user, now, user.is_admin
        self.reads_log = may_read_log(user)
        self.choose, self.download = _("Choose {space}"), _("Download {space}")
        self.why = _("Why this date? {space}")
        self.pages, self.histories = SpaceAddresses("space"), SpaceAddresses("log-space")
        self.bundles = SpaceAddresses("bundle")

    def row(self, number: str, space: Any) -> SpaceRow:
        title = str(space)
        recording = space.first_recording
        served = space.is_served(self.now) and (space.host_id == self.user.pk or self.is_admin)
        gone = space.is_gone(self.now)
        return SpaceRow(
            space=space,
            face=clock.clock_face(space, self.now),
            length=clock.length(recording),
            size=formatting.format_size(recording.size) if recording else "",
            chips=[] if space.state == Space.State.DELETED else _chips(space, gone),
            outline=list_outline(recording) if served else "",
            served=served,
            open=not gone,
            downloaded_at=space.downloaded_at,
            number=number,
            title=title,
            choose=self.choose.format(space=title),
            download=self.download.format(space=title),
            why=self.why.format(space=title),
            url=(self.histories if gone and self.reads_log else self.pages).of(space.pk),
            download_url=self.bundles.of(space.pk),
        )


def _chips(space: Any, gone: bool) -> list[Chip]:
    chips = []
    if space.state != Space.State.AVAILABLE and not gone:
        icon, tone = ("alert", "urgent") if space.state == Space.State.REJECTED else ("reload", "")
        chips.append(Chip(capfirst(space.get_state_display()), icon, tone))
    if space.expires_at is None:
        chips.append(Chip(_("On hold"), "lock", "kept"))
    if any(flag.state == Violation.State.APPEALED for flag in space.open_flags):
        chips.append(Chip(_("Appeal open"), "mail", "kept"))
    rules = dict.fromkeys(flag.rule for flag in space.open_flags)
    if rules:
        chips.append(Chip(_("Flagged: {rules}").format(rules=", ".join(rules)), "flag", "kept"))
    return chips
