"""A list of Spaces: filters with their counts, orders, words, and one page of rows."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.urls import reverse

from archive import search
from archive.formatting import format_number
from archive.models import Space, SpaceQuerySet, User
from archive.models.compiled_query import CompiledCounts
from archive.models.space_queries import count_up_to, sees_all
from archive.search import MatchingSpaces
from portal import search_words
from portal.access import may_read_log
from portal.forms.lists import SPACE_FILTERS, SPACE_ORDERS
from portal.paging import Part, page_of_parts
from portal.presenters.space_rows import SpaceRow, read_rows, space_rows

PAGE = 25
SOON = timedelta(days=7)
MAX_COUNTED = 1000
ORDERS = {
    "deadline": (("expires_at", "id"), False),
    "newest": (("ended_at", "id"), True),
    "title": (("title_key", "id"), False),
    "length": (("duration_ms", "id"), True),
}


@dataclass(frozen=True)
class ListQuery:
    """The parsed query of a URL. `filter` and `sort` are "" if they are invalid."""

    filter: str = "all"
    sort: str = "deadline"
    typed: str = ""

    def url(self, user: User, **changes: str | None) -> str:
        """Return the query string; the words are encrypted for `user`."""
        values = {"filter": self.filter or "all", "sort": self.sort or "deadline", **changes}
        if values["filter"] == "deleted":
            values["sort"] = "deadline"  # nothing that other orders need is left
        query = {name: value for name, value in values.items() if value and (name, value) not in DEFAULTS}
        words = {search_words.PARAMETER: search_words.encrypt(self.typed, user)} if self.typed else {}
        return f"?{urlencode(query | words)}"


DEFAULTS = {("filter", "all"), ("sort", "deadline")}


@dataclass(frozen=True)
class Choice:
    """A filter or an order. `count` is a text, "" if nothing was counted; `many`: there are more."""

    code: str
    name: str
    url: str
    active: bool
    count: str = ""
    many: bool = False


@dataclass(frozen=True)
class SpaceList:
    """`is_cut`: so many Spaces match the words that only some of them are listed."""

    filters: list[Choice]
    orders: list[Choice]
    due_count: int
    rows: list[SpaceRow] = field(default_factory=list)
    next_url: str | None = None
    deleted: "DeletedSpaces | None" = None
    is_cut: bool = False


@dataclass(frozen=True)
class DeletedSpaces:
    """The number of deleted Spaces whose id begins with the typed text, and the URL that lists them."""

    count: int
    url: str


def find_deleted(user: User, typed: str, now: datetime) -> DeletedSpaces | None:
    """Return the Spaces past their deadline whose id begins with `typed`, which lists of current Spaces leave out. None
    if there are none."""
    bounds = search.id_range(typed)
    if not bounds:
        return None
    gone = list(Space.objects.listed_for(user).gone(now).filter(pk__range=bounds).values_list("pk", flat=True)[:2])
    if len(gone) == 1:
        page = "log-space" if may_read_log(user) else "space"
        return DeletedSpaces(1, reverse(page, args=gone))
    many = ListQuery("deleted", typed=typed).url(user)
    return DeletedSpaces(len(gone), f"{reverse('spaces')}{many}") if gone else None


Counted = tuple[str, int]  # a filter, and the number of one of its parts


class Count(NamedTuple):
    """A number of rows; with `more`, there are more than that."""

    number: int
    more: bool


def space_list(user: User, query: ListQuery, after: str | None, now: datetime) -> SpaceList:
    """Return the page for `query`. Raises Refused if the typed text has no word."""
    everything = Space.objects.listed_for(user)
    counts: dict[str, Count] = {}
    rows: list[SpaceRow] = []
    cursor = None
    is_cut = False
    bounds = search.id_range(query.typed)
    if bounds or not query.typed:  # words are counted once, for the filter that is shown
        counts = _counts_in(everything.filter(pk__range=bounds), now) if bounds else _counts_of(user, now)
    if query.filter and query.sort:
        parts = _parts(everything, query, now)
        if query.typed:
            matches = [_matching(part, query, user) for part in parts]
            counts[query.filter] = _count_matches(matches)
            parts = [
                with_matches(replace(part, rows=match.rows), match) for part, match in zip(parts, matches, strict=True)
            ]
            is_cut = any(match.is_cut for match in matches)
        ids = [replace(part, rows=part.rows.only(*part.order)) for part in parts]  # read_rows reads the other columns
        page, cursor = page_of_parts(ids, after, PAGE)
        rows = space_rows(read_rows([space.pk for space in page], user), user, now)
    return SpaceList(
        filters=[_filter_choice(code, counts.get(code), query, user) for code in SPACE_FILTERS],
        orders=[
            Choice(code, str(name), query.url(user, sort=code), code == query.sort)
            for code, name in SPACE_ORDERS.items()
            if query.filter != "deleted"
        ],
        due_count=counts["due"].number if "due" in counts else 0,
        rows=rows,
        next_url=query.url(user, after=cursor) if cursor else None,
        deleted=find_deleted(user, query.typed, now) if query.filter != "deleted" else None,
        is_cut=is_cut,
    )


def _filtered(spaces: SpaceQuerySet, code: str, now: datetime, soon: datetime) -> list[SpaceQuerySet]:
    """Return the Spaces of a filter, in parts that follow each other. Each part is a range of an index, which a
    condition with "or" could not use. `soon`: the latest deadline of Spaces due soon."""
    if code == "due":
        return [spaces.due_until(soon, now)]
    if code == "flagged":
        return [spaces.timed(now).flagged(), spaces.on_hold().flagged()]
    if code == "appealed":
        return [spaces.timed(now).appealed(), spaces.on_hold().appealed()]
    if code == "held":
        return [spaces.on_hold()]
    if code == "deleted":
        states = (Space.State.EXPIRING, Space.State.DELETED)
        return [spaces.overdue(now), *(spaces.filter(state=state) for state in states)]
    return [spaces.timed(now), spaces.on_hold()]


def _counts_of(user: User, now: datetime) -> dict[str, Count]:
    """Count up to MAX_COUNTED Spaces of each filter, among all Spaces listed for the user."""
    counts = _COUNTS_OF_ALL if sees_all(user) else _COUNTS_OF_HOST
    return _capped(counts.count(user.pk, now, now + SOON))


def _counts_in(spaces: SpaceQuerySet, now: datetime) -> dict[str, Count]:
    return _capped(count_up_to(MAX_COUNTED + 1, _counted(spaces, now, now + SOON)))


def _counted(spaces: SpaceQuerySet, now: datetime, soon: datetime) -> dict[Counted, SpaceQuerySet]:
    """Order by an index, so that counting can stop at the limit."""
    return {
        (code, place): rows.order_by("-deleted_at" if code == "deleted" and place == 2 else "-expires_at")
        for code in SPACE_FILTERS
        for place, rows in enumerate(_filtered(spaces, code, now, soon))
    }


def _of_all(user_id: int, now: datetime, soon: datetime) -> dict[Counted, SpaceQuerySet]:
    return _counted(Space.objects.without_dismissed(user_id), now, soon)


def _of_host(user_id: int, now: datetime, soon: datetime) -> dict[Counted, SpaceQuerySet]:
    return _counted(Space.objects.of_host(user_id).without_dismissed(user_id), now, soon)


# Cached, because Django takes longer to compile the queries than PostgreSQL to count.
_COUNTS_OF_ALL = CompiledCounts(_of_all, MAX_COUNTED + 1, int, datetime, datetime)
_COUNTS_OF_HOST = CompiledCounts(_of_host, MAX_COUNTED + 1, int, datetime, datetime)


def with_matches(part: Part[Space], found: MatchingSpaces) -> Part[Space]:
    """Return the same part restricted to the matches, with their known places."""
    return replace(part, places=found.first, known_to=found.known_to)


def _count_matches(matches: Sequence[MatchingSpaces]) -> Count:
    """Count the matches. If there are too many to count, they fill at least a page."""
    counts = [match.count for match in matches]
    if None in counts:
        return Count(PAGE, more=True)
    return Count(sum(count or 0 for count in counts), more=any(match.is_cut for match in matches))


def _capped(numbers: Mapping[Counted, int]) -> dict[str, Count]:
    totals = Counter[str]()
    for (code, _), number in numbers.items():
        totals[code] += number
    return {code: Count(min(total, MAX_COUNTED), total > MAX_COUNTED) for code, total in totals.items()}


def _matching(part: Part[Space], query: ListQuery, user: User) -> MatchingSpaces:
    """Return the matches. After the deadline, names match nothing any more, but ids do. Raises Refused."""
    rows = part.rows
    assert isinstance(rows, SpaceQuerySet)
    if query.filter != "deleted":
        return search.find_spaces(rows, query.typed, user, part.columns)
    bounds = search.id_range(query.typed)
    rows = rows.filter(pk__range=bounds) if bounds else rows.none()
    first = list(rows.order_by(*part.columns).values_list(*part.order)[: MAX_COUNTED + 1])
    is_more = len(first) > MAX_COUNTED
    return MatchingSpaces(rows, first, first[-1] if is_more else None, None if is_more else len(first))


def _parts(spaces: SpaceQuerySet, query: ListQuery, now: datetime) -> list[Part[Any]]:
    """Return the parts for `page_of_parts`. Kept Spaces without a deadline always come last."""
    several = _filtered(spaces, query.filter, now, now + SOON)
    if query.filter == "deleted":
        columns = ("expires_at", "expires_at", "deleted_at")
        return [Part(part, (column, "id"), descending=True) for part, column in zip(several, columns, strict=True)]
    order, descending = ORDERS[query.sort]
    kept = {"all": spaces.kept(now), "flagged": spaces.kept(now).flagged(), "appealed": spaces.kept(now).appealed()}
    several = [kept[query.filter]] if query.filter in kept else several
    return [Part(part, order, descending) for part in several]


def _filter_choice(code: str, count: Count | None, query: ListQuery, user: User) -> Choice:
    return Choice(
        code,
        str(SPACE_FILTERS[code]),
        query.url(user, filter=code),
        code == query.filter,
        "" if count is None else format_number(count.number),
        count is not None and count.more,
    )
