"""The rows of lists of Spaces: what a row shows of a Space, and its rights."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Prefetch
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from archive import formatting
from archive.display.clock import ClockFace
from archive.models import Recording, Space, SpaceQuerySet, User, Violation
from archive.models.downloaded import last_download
from portal.presenters import clock
from portal.presenters.player import list_outline

# The columns that a row shows, or that decide what it shows. A Space has three times as many.
SHOWN = ("host", "title", "state", "ended_at", "expires_at", "deadline_reasons", "deleted_at")


@dataclass(frozen=True)
class Chip:
    """A state in words, with its icon and its color (a tone of the clock, or none)."""

    text: str
    icon: str
    tone: str = ""


@dataclass(frozen=True)
class SpaceRow:
    """`number`: its place on the page, for ids of elements. `choose`, `download`, `why`: names of controls.
    `served`: its content may be played and downloaded by this user now. `open`: its page exists for this user.
    `downloaded_at`: when the host last downloaded all of it."""

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


def with_row_data(spaces: SpaceQuerySet) -> SpaceQuerySet:
    """Fetch what rows need of related tables, in a fixed number of queries."""
    flags = Violation.objects.exclude(state=Violation.State.LIFTED).select_related("rule")
    recordings = Recording.objects.filter(number=1).only("space_id", "duration_ms", "size", "outline")
    return (
        spaces.annotate(downloaded_at=last_download())
        .only(*SHOWN)
        .prefetch_related(
            "host",  # in a host's list it is one
            Prefetch("violations", flags, to_attr="open_flags"),
            Prefetch("recordings", recordings, to_attr="first_recording"),
        )
    )


def add_row_data(page: Sequence[UUID]) -> list[Space]:
    """The Spaces of a page with what `with_row_data` fetches. Where a page has to be sorted first, PostgreSQL would
    fetch it for each Space that is sorted."""
    by_id = with_row_data(Space.objects.all()).in_bulk(page)
    return [by_id[pk] for pk in page if pk in by_id]


def space_rows(spaces: Iterable[Space], user: User, now: datetime) -> list[SpaceRow]:
    """The rows for Spaces of `with_row_data`."""
    names = {
        "choose": _("Choose {space}"),
        "download": _("Download {space}"),
        "why": _("Why this date? {space}"),
    }
    return [_row(str(number), space, user, now, names) for number, space in enumerate(spaces, 1)]


def _row(number: str, space: Any, user: User, now: datetime, names: dict[str, str]) -> SpaceRow:
    title = str(space)
    recording = space.first_recording[0] if space.first_recording else None
    served = space.is_served(now) and (space.host_id == user.pk or user.is_admin)
    gone = space.is_gone(now)
    return SpaceRow(
        space=space,
        face=clock.clock_face(space, now),
        length=clock.length(recording),
        size=formatting.format_size(recording.size) if recording else "",
        chips=[] if space.state == Space.State.DELETED else _chips(space, gone),
        outline=list_outline(recording) if served else "",
        served=served,
        open=not gone,
        downloaded_at=space.downloaded_at,
        number=number,
        title=title,
        **{name: text.format(space=title) for name, text in names.items()},
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
    rules = dict.fromkeys(flag.rule.name for flag in space.open_flags)
    if rules:
        chips.append(Chip(_("Flagged: {rules}").format(rules=", ".join(rules)), "flag", "kept"))
    return chips
