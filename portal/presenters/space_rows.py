"""The rows of lists of Spaces: what a row shows of a Space, and its rights."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Prefetch
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from archive.display.clock import ClockFace
from archive.models import Recording, Space, SpaceQuerySet, User, Violation
from archive.models.downloaded import last_download
from portal.presenters import clock
from portal.presenters.player import list_outline


@dataclass(frozen=True)
class Chip:
    """A state in words, with its icon and its color (a tone of the clock, or none)."""

    text: str
    icon: str
    tone: str = ""


@dataclass(frozen=True)
class SpaceRow:
    """`served`: its content may be played and downloaded by this user now. `open`: its page exists for this user.
    `downloaded_at`: when the host last downloaded all of it."""

    space: Space
    face: ClockFace
    length: str
    chips: list[Chip]
    outline: str
    served: bool
    open: bool
    downloaded_at: datetime | None


def with_row_data(spaces: SpaceQuerySet) -> SpaceQuerySet:
    """Fetch what rows need of related tables, in a fixed number of queries."""
    flags = Violation.objects.exclude(state=Violation.State.LIFTED).select_related("rule")
    recordings = Recording.objects.filter(number=1)
    return (
        spaces.annotate(downloaded_at=last_download())
        .select_related("host")
        .prefetch_related(
            Prefetch("violations", flags, to_attr="open_flags"),
            Prefetch("recordings", recordings, to_attr="first_recording"),
        )
    )


def add_row_data(page: Sequence[Space]) -> list[Space]:
    """The Spaces of a page with what `with_row_data` fetches. Where a page has to be sorted first, PostgreSQL would
    fetch it for each Space that is sorted."""
    by_id = with_row_data(Space.objects.all()).in_bulk([space.pk for space in page])
    return [by_id[space.pk] for space in page if space.pk in by_id]


def space_rows(spaces: Iterable[Space], user: User, now: datetime) -> list[SpaceRow]:
    """The rows for Spaces of `with_row_data`."""
    return [_row(space, user, now) for space in spaces]


def _row(space: Any, user: User, now: datetime) -> SpaceRow:
    recording = space.first_recording[0] if space.first_recording else None
    served = space.is_served(now) and (space.host_id == user.pk or user.is_admin)
    gone = space.is_gone(now)
    return SpaceRow(
        space=space,
        face=clock.clock_face(space, now),
        length=clock.length(recording),
        chips=[] if space.state == Space.State.DELETED else _chips(space, gone),
        outline=list_outline(recording) if served else "",
        served=served,
        open=not gone,
        downloaded_at=space.downloaded_at,
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
