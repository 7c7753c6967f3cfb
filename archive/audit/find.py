"""Find entries of the log, a page at a time. The cost of a page does not depend on how long the log is.

A search that reads too many entries that don't match is refused when it takes too long (archive/audit/log_filter.py).
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Q, Value
from django.db.models.functions import Concat, Trim

from archive.audit.log_filter import LogFilter, Position, count_statement, page_statement
from archive.errors import Refused
from archive.log import events
from archive.models import LogEntry, RoleMembership, Space, User
from archive.search import index_order, limited_time

MAX_COUNTED = 10_000
MAX_SPACES = 1000  # whose entries are merged, if the filter is the beginning of an id, or a host
MAX_ACCOUNTS = 100  # with the same name
EXPORT_ROWS = 1000  # per statement
_IN_SEARCH: ContextVar[bool] = ContextVar("in_search", default=False)


@dataclass(frozen=True)
class LogPage:
    """Entries, the newest first, and whether there are newer and older ones."""

    entries: list[LogEntry]
    has_newer: bool
    has_older: bool


def find_page(wanted: LogFilter, size: int, *, after: int | None = None, before: int | None = None) -> LogPage:
    """Return the newest entries, or those next to the entry with this number: `after` is the one above the page,
    `before` the one below it. If there is no such entry, return the newest. Raises Refused if it takes too long."""
    with limited_search():
        if before is not None and (position := _position(before)):
            rows = _rows(wanted, size + 1, low=position)
            if len(rows) > size:
                return LogPage(rows[1:], True, True)
            after = None  # fewer than a page are newer: show the whole first page
        position = None if after is None else _position(after)
        rows = _rows(wanted, size + 1, high=position)
        newer = bool(position and _rows(wanted, 1, low=(position[0], position[1] - 1)))  # this entry, or a newer one
    return LogPage(rows[:size], newer, len(rows) > size)


def count_entries(wanted: LogFilter) -> int:
    """Count the entries up to MAX_COUNTED; return one more if there are more. Raises Refused if it takes too long."""
    with limited_search(), connection.cursor() as cursor:
        cursor.execute(*count_statement(wanted, MAX_COUNTED + 1))
        return int(cursor.fetchone()[0])


def all_entries(wanted: LogFilter, until: datetime) -> Iterator[LogEntry]:
    """Yield every entry up to a time, the newest first. Memory does not depend on their number: each statement reads
    EXPORT_ROWS entries, and no transaction stays open between them."""
    bounded = replace(wanted, until=min(wanted.until or until, until))
    position: Position | None = None
    while True:
        with index_order():
            rows = _rows(bounded, EXPORT_ROWS, high=position)
        yield from rows
        if len(rows) < EXPORT_ROWS:
            return
        position = (rows[-1].at, rows[-1].pk)


def spaces_with_id(bounds: tuple[UUID, UUID]) -> tuple[UUID, ...]:
    """Return the Spaces with entries whose id is in this range. One jump in an index for each. Raises Refused if there
    are too many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE ids (id) AS ("
            " (SELECT space_id FROM archive_logentry WHERE space_id >= %s ORDER BY space_id LIMIT 1) UNION ALL"
            " SELECT (SELECT space_id FROM archive_logentry WHERE space_id > ids.id ORDER BY space_id LIMIT 1)"
            " FROM ids WHERE ids.id <= %s)"
            " SELECT id FROM ids WHERE id <= %s LIMIT %s",
            [*bounds, bounds[1], MAX_SPACES + 1],
        )
        ids = tuple(space_id for (space_id,) in cursor.fetchall())
    if len(ids) > MAX_SPACES:
        raise Refused("log.too_many_spaces", limit=MAX_SPACES)
    return ids


def spaces_of_hosts(host_ids: Collection[int], bounds: tuple[UUID, UUID] | None = None) -> tuple[UUID, ...]:
    """Return the Spaces of these hosts, including deleted ones; with `bounds`, those whose id is in this range. Raises
    Refused if there are too many."""
    spaces = Space.objects.filter(host__in=host_ids)
    if bounds:
        spaces = spaces.filter(pk__range=bounds)
    ids = tuple(spaces.values_list("pk", flat=True)[: MAX_SPACES + 1])
    if len(ids) > MAX_SPACES:
        raise Refused("log.too_many_of_host", limit=MAX_SPACES)
    return ids


def accounts_with_role(role: str) -> tuple[int, ...]:
    """Return the accounts that have or had this role: an admin's act stays one after the role is revoked."""
    granted = LogEntry.objects.filter(event=events.ACCOUNT_ROLE_GRANTED, detail__role=role)
    before = granted.values_list("detail__account", flat=True)
    now = RoleMembership.objects.filter(group__name=role).values_list("user_id", flat=True)
    return tuple(sorted({*before, *now}))


def accounts_named(name: str) -> tuple[int, ...]:
    """Return the accounts with this user name, display name, or number ("#17"), in any case; none if unknown."""
    if name.startswith("#") and name[1:].isascii() and name[1:].isdigit():
        return tuple(User.objects.filter(pk=min(int(name[1:]), 2**63 - 1)).values_list("pk", flat=True))
    full = Trim(Concat("first_name", Value(" "), "last_name"))
    named = User.objects.annotate(full=full).filter(Q(username__iexact=name) | Q(full__iexact=name))
    return tuple(named.order_by("pk").values_list("pk", flat=True)[:MAX_ACCOUNTS])


@contextmanager
def limited_search() -> Iterator[None]:
    """Limit the time of a search's statements. Raises Refused. Nested blocks are free."""
    if _IN_SEARCH.get():
        yield
        return
    token = _IN_SEARCH.set(True)
    try:
        with limited_time(), index_order():
            yield
    except Refused as error:
        raise Refused("log.too_slow") from error
    finally:
        _IN_SEARCH.reset(token)


def _position(number: int) -> Position | None:
    return LogEntry.objects.filter(pk=number).values_list("at", "pk").first()


def _rows(
    wanted: LogFilter, limit: int, *, low: Position | None = None, high: Position | None = None
) -> list[LogEntry]:
    """Return up to `limit` entries between two positions, the newest first: the oldest ones if only `low` is given."""
    order = "ASC" if low and not high else "DESC"
    with connection.cursor() as cursor:
        cursor.execute(*page_statement(wanted, low, high, limit, order))
        ids = [number for _at, number in cursor.fetchall()]
    entries = LogEntry.objects.in_bulk(ids)
    return [entries[number] for number in (reversed(ids) if order == "ASC" else ids)]
