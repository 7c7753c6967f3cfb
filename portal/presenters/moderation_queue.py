"""The moderation queue: pages of Spaces for admins, and the Spaces around one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from archive.errors import Refused
from archive.formatting import format_number
from archive.models import Recording, ReviewClaim, Space, User, Violation
from archive.models.compiled_query import CompiledQuery
from archive.models.user import find_users
from archive.moderation import reviews
from archive.moderation.conflicts import find_own_space_conflict
from portal.paging import rows_around
from portal.presenters import clock
from portal.presenters.moderation_selection import Selection

PAGE = 20
BEFORE = 3  # Spaces of the queue before the one that is open
# The columns that a row needs.
SHOWN = (
    *("host", "title", "state", "ended_at", "expires_at", "deadline_reasons", "deleted_at", "listeners_total"),
    *("reviewed_at", "reviewed_by"),
)


@dataclass(frozen=True)
class Row:
    """A Space of the queue. `standing` is the number of its active flags, `lifted` of its lifted ones. `conflict` is
    the reason why this admin may not decide about it; `claim` is another admin's claim; `lines` are the search hits in
    it."""

    space: Space
    face: Any
    length: str
    listened: str
    standing: int
    lifted: int
    conflict: Refused | None
    claim: ReviewClaim | None
    lines: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Queue:
    """One page, or the Spaces around one that is open: at `place` it is listed, or would be. `next_url` is the query
    string of the next page. `has_earlier`, `has_later`: the queue has others before and after these."""

    selection: Selection
    rows: list[Row]
    next_url: str | None = None
    problem: str = ""
    typed: str = ""
    place: int = 0
    has_earlier: bool = False
    has_later: bool = False

    @property
    def asked(self) -> str:
        return self.selection.asked

    @property
    def has_flags(self) -> bool:
        """Whether a Space on this page has a flag that can be lifted."""
        return any(row.standing for row in self.rows)

    def neighbors(self, space: Space) -> dict[str, Space | None]:
        """Return the previous and the next Space in the list that no other admin is reviewing."""
        places = [row.space.pk for row in self.rows]
        here = places.index(space.pk) if space.pk in places else self.place
        free = [(place, row.space) for place, row in enumerate(self.rows) if not row.claim and row.space.pk != space.pk]
        before = [space for place, space in free if place < here]
        after = [space for place, space in free if place >= here]
        return {"previous_space": before[-1] if before else None, "next_space": after[0] if after else None}


def queue_page(selection: Selection, now: datetime) -> Queue:
    """Return the page of the queue for the query."""
    try:
        with selection.time_limit():
            spaces, cursor = _page(selection)
    except Refused as error:
        return Queue(selection, [], problem=str(error), typed=selection.typed)
    further = selection.url(after=cursor) if cursor else None
    rows = make_rows(spaces, now, selection.user)
    return Queue(selection, rows, further, problem=selection.problem, typed=selection.typed)


def _page(selection: Selection) -> tuple[list[Space], str | None]:
    """Return one page of rows, and the cursor of the next page."""
    places = selection.part(selection.spaces.only(*selection.columns))
    page, cursor = places.page(selection.query.get("after"), PAGE)
    return read_queue([space.pk for space in page]), cursor


def queue_around(selection: Selection, space: Space, now: datetime) -> Queue:
    """The Spaces of the queue around `space`, whether it is one of them or not. At the place where it would be, the
    queue begins if it has none."""
    if getattr(space, selection.columns[0]) is None:
        return queue_page(selection, now)
    descending = selection.is_descending
    try:
        with selection.time_limit():
            rows = selection.spaces.only(*selection.columns)
            earlier, later = rows_around(
                rows, space, selection.columns, BEFORE + 1, PAGE - BEFORE + 1, descending=descending
            )
    except Refused as error:
        return Queue(selection, [], problem=str(error), typed=selection.typed)
    before, after = earlier[-BEFORE:], later[: PAGE - BEFORE]
    return Queue(
        selection,
        make_rows(read_queue([space.pk for space in (*before, *after)]), now, selection.user),
        problem=selection.problem,
        typed=selection.typed,
        place=len(before),
        has_earlier=len(earlier) > BEFORE,
        has_later=len(later) > PAGE - BEFORE,
    )


def read_queue(page: Sequence[UUID]) -> list[Space]:
    """Read the Spaces of a page with all data of their rows, in a fixed number of queries, after one that finds and
    sorts the ids."""
    if not page:
        return []
    ids = list(page)
    by_id: dict[UUID, Any] = {space.pk: space for space in _SPACES.objects(ids)}
    users = find_users(pk for space in by_id.values() for pk in (space.host_id, space.reviewed_by_id) if pk is not None)
    for space in by_id.values():
        space.flag_states, space.first_recording = [], None
        space.host, space.reviewed_by = users[space.host_id], users.get(space.reviewed_by_id)
    for space_id, state in _FLAGS.tuples(ids):
        by_id[space_id].flag_states.append(state)
    for recording in _RECORDINGS.objects(ids):
        by_id[recording.space_id].first_recording = recording
    return [by_id[pk] for pk in page if pk in by_id]


_SPACES = CompiledQuery(lambda ids: Space.objects.filter(pk__any=ids).only(*SHOWN), list)
_FLAGS = CompiledQuery(lambda ids: Violation.objects.filter(space__pk__any=ids).values_list("space_id", "state"), list)
_RECORDINGS = CompiledQuery(
    lambda ids: Recording.objects.filter(space__pk__any=ids, number=1).only("space_id", "duration_ms"), list
)


def make_rows(
    spaces: Iterable[Any], now: datetime, user: User, lines: Mapping[Any, list[dict[str, Any]]] | None = None
) -> list[Row]:
    """Return the rows for Spaces of `read_queue`. `lines`: search hits, by the Space's id."""
    spaces = list(spaces)
    claims = reviews.find_claims(spaces) if spaces else {}
    return [_row(space, now, user, claims.get(space.pk), (lines or {}).get(space.pk, [])) for space in spaces]


def _row(space: Any, now: datetime, user: User, claim: ReviewClaim | None, lines: list[dict[str, Any]]) -> Row:
    states, recording = space.flag_states, space.first_recording
    lifted = states.count(Violation.State.LIFTED)
    return Row(
        space=space,
        face=clock.clock_face(space, now),
        length=clock.length(recording),
        listened="" if space.listeners_total is None else format_number(space.listeners_total),
        standing=len(states) - lifted,
        lifted=lifted,
        conflict=find_own_space_conflict(space, user),
        claim=claim if claim is not None and claim.admin_id != user.pk else None,
        lines=lines,
    )
