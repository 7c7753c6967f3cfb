"""Find entries of the log, a page at a time. The cost of a page does not depend on how long the log is.

Entries are ordered by time, then by number. Each filter that few entries pass (a Space, an account, a rule, an event)
is one range of an index that is in this order, so that a page reads one page of each range. With several filters the
narrowest gives the ranges, and the others are checked row by row; a search in which that takes too long is refused.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q, Value
from django.db.models.functions import Concat, Trim

from archive.errors import Refused
from archive.log import events
from archive.log.groups import Choice
from archive.models import LogEntry, RoleMembership, Space, User
from archive.search import limited_time

MAX_COUNTED = 10_000
MAX_SPACES = 1000  # whose entries are merged: of the beginning of an id, or of a host
MAX_ACCOUNTS = 100  # of one name
EXPORT_ROWS = 1000  # read at once
_IN_SEARCH: ContextVar[bool] = ContextVar("in_search", default=False)
WITHIN = "SELECT at, id FROM archive_logentry e"


@dataclass(frozen=True)
class LogFilter:
    """Which entries: all that meet every condition that is given. Times are UTC, `until` is exclusive.

    `choices` are any of these events. `actor_kind` is system, recorder or command.
    """

    choices: tuple[Choice, ...] = ()
    space_ids: tuple[UUID, ...] | None = None
    actor_ids: tuple[int, ...] | None = None
    actor_kind: str = ""
    rule: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class LogPage:
    """Entries, the newest first; whether there are newer and older ones."""

    entries: list[LogEntry]
    has_newer: bool
    has_older: bool


def find_page(wanted: LogFilter, size: int, *, after: int | None = None, before: int | None = None) -> LogPage:
    """The newest entries; or those next to the entry with this number: `after` is the one above the page, `before` the
    one below it. Without such an entry, the newest. Raises Refused if it takes too long."""
    with limited_search():
        if before is not None and (position := _position(before)):
            rows = _rows(wanted, size + 1, newer_than=position)
            if len(rows) > size:
                return LogPage(rows[1:], True, True)
            after = None  # fewer than a page are newer: show the first page whole
        position = None if after is None else _position(after)
        rows = _rows(wanted, size + 1, older_than=position)
        newer = bool(position and _rows(wanted, 1, newer_than=position, or_same=True))
    return LogPage(rows[:size], newer, len(rows) > size)


def count_entries(wanted: LogFilter) -> int:
    """How many entries there are: up to MAX_COUNTED, one more if there are more. Raises Refused if it takes too
    long."""
    where, params, source, source_params = _conditions(wanted)
    joined = f"SELECT 1 FROM archive_logentry e{source} WHERE {where} LIMIT %s"  # noqa: S608  # only constants
    with limited_search(), connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({joined}) AS counted", [*source_params, *params, MAX_COUNTED + 1])  # noqa: S608
        return int(cursor.fetchone()[0])


def all_entries(wanted: LogFilter, until: datetime) -> Iterator[LogEntry]:
    """Every entry up to a time, the newest first. Memory does not depend on how many there are: each statement reads
    EXPORT_ROWS entries, and no transaction stays open between them."""
    bounded = LogFilter(**{**vars(wanted), "until": min(wanted.until or until, until)})
    position: tuple[datetime, int] | None = None
    while True:
        with transaction.atomic():
            rows = _rows(bounded, EXPORT_ROWS, older_than=position)
        yield from rows
        if len(rows) < EXPORT_ROWS:
            return
        position = (rows[-1].at, rows[-1].pk)


def spaces_with_id(bounds: tuple[UUID, UUID]) -> tuple[UUID, ...]:
    """The Spaces of which there are entries, and whose id is in this range. A jump in an index for each. Raises Refused
    if they are too many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE ids (id) AS ("
            " (SELECT space_id FROM archive_logentry WHERE space_id >= %s ORDER BY space_id LIMIT 1) UNION ALL"
            " SELECT (SELECT space_id FROM archive_logentry WHERE space_id > ids.id ORDER BY space_id LIMIT 1)"
            " FROM ids WHERE ids.id <= %s)"
            " SELECT id FROM ids WHERE id <= %s LIMIT %s",
            [*bounds, bounds[1], MAX_SPACES + 1],
        )
        return _few([space_id for (space_id,) in cursor.fetchall()])


def spaces_of_hosts(host_ids: Collection[int]) -> tuple[UUID, ...]:
    """The Spaces of these hosts, also deleted ones. Raises Refused if they are too many."""
    return _few(list(Space.objects.filter(host__in=host_ids).values_list("pk", flat=True)[: MAX_SPACES + 1]))


def accounts_with_role(role: str) -> tuple[int, ...]:
    """The accounts that have this role or had it: what an admin did stays an admin's act when the role is revoked."""
    granted = LogEntry.objects.filter(event=events.ACCOUNT_ROLE_GRANTED, detail__role=role)
    before = granted.values_list("detail__account", flat=True)
    now = RoleMembership.objects.filter(group__name=role).values_list("user_id", flat=True)
    return tuple(sorted({*before, *now}))


def accounts_named(name: str) -> tuple[int, ...]:
    """The accounts with this user name, display name, or number ("#17"), in any case. Empty if there is none."""
    if name.startswith("#") and name[1:].isascii() and name[1:].isdigit():
        return tuple(User.objects.filter(pk=min(int(name[1:]), 2**63 - 1)).values_list("pk", flat=True))
    full = Trim(Concat("first_name", Value(" "), "last_name"))
    named = User.objects.annotate(full=full).filter(Q(username__iexact=name) | Q(full__iexact=name))
    return tuple(named.order_by("pk").values_list("pk", flat=True)[:MAX_ACCOUNTS])


@contextmanager
def limited_search() -> Iterator[None]:
    """A block whose statements find entries, in limited time. Raises Refused. One block in another costs nothing."""
    if _IN_SEARCH.get():
        yield
        return
    token = _IN_SEARCH.set(True)
    try:
        with limited_time():
            yield
    except Refused as error:
        raise Refused("log.too_slow") from error
    finally:
        _IN_SEARCH.reset(token)


def _few(ids: list[UUID]) -> tuple[UUID, ...]:
    if len(ids) > MAX_SPACES:
        raise Refused("log.too_many_spaces", limit=MAX_SPACES)
    return tuple(ids)


def _position(number: int) -> tuple[datetime, int] | None:
    return LogEntry.objects.filter(pk=number).values_list("at", "pk").first()


def _rows(
    wanted: LogFilter,
    limit: int,
    *,
    older_than: tuple[datetime, int] | None = None,
    newer_than: tuple[datetime, int] | None = None,
    or_same: bool = False,
) -> list[LogEntry]:
    """Up to `limit` entries next to the position, the newest first."""
    where, params, ranges, range_params = _conditions(wanted, lateral=True)
    direction = "ASC" if newer_than else "DESC"
    if position := newer_than or older_than:
        where += f" AND (e.at, e.id) {'>' if newer_than else '<'}{'=' if or_same else ''} (%s, %s)"
        params += position
    order = f"ORDER BY at {direction}, id {direction} LIMIT %s"
    page = f"{WITHIN} WHERE {where} {order}"  # only constants
    if ranges:
        page = f"SELECT at, id FROM {ranges} CROSS JOIN LATERAL ({page}) AS r {order}"  # noqa: S608  # only constants
        params = [*range_params, *params, limit]
    with connection.cursor() as cursor:
        cursor.execute(page, [*params, limit])
        ids = [number for _at, number in cursor.fetchall()]
    entries = LogEntry.objects.in_bulk(ids)
    return [entries[number] for number in (reversed(ids) if newer_than else ids)]


def _conditions(wanted: LogFilter, *, lateral: bool = False) -> tuple[str, list[Any], str, list[Any]]:
    """(condition, its parameters, the ranges to join, their parameters). Without `lateral` no range needs to be joined:
    the order does not matter."""
    ranged, ranges, range_params = _ranges(wanted) if lateral else ("", "", [])
    parts, params = ["true"], []
    for name, condition, values in _filters(wanted):
        if name == ranged:
            parts.append(RANGES[name])
        else:
            parts.append(condition)
            params += values
    return " AND ".join(parts), params, ranges, range_params


# The condition on each range of an index; the ranges are the rows of `b`.
RANGES = {
    "space": "e.space_id = b.space_id",
    "rule": "e.detail ->> 'rule' = b.rule AND e.detail ? 'rule'",
    "actor": "e.actor_id = b.actor_id",
    "event": "e.event = b.event AND (b.kind IS NULL OR e.detail ->> 'kind' = b.kind)",
}


def _ranges(wanted: LogFilter) -> tuple[str, str, list[Any]]:
    """The narrowest filter, and its ranges as a table."""
    if wanted.space_ids is not None:
        return "space", "unnest(%s::uuid[]) AS b (space_id)", [list(wanted.space_ids)]
    if wanted.rule:
        return "rule", "unnest(%s::text[]) AS b (rule)", [[wanted.rule]]
    if wanted.actor_ids is not None:
        return "actor", "unnest(%s::bigint[]) AS b (actor_id)", [list(wanted.actor_ids)]
    if wanted.choices:
        return "event", "unnest(%s::text[], %s::text[]) AS b (event, kind)", _columns(_merged(wanted.choices))
    return "", "", []


def _filters(wanted: LogFilter) -> Iterator[tuple[str, str, list[Any]]]:
    """(name, condition, parameters) of each filter that is given."""
    if wanted.space_ids is not None:
        yield "space", "e.space_id = ANY(%s::uuid[])", [list(wanted.space_ids)]
    if wanted.rule:
        yield "rule", "e.detail ->> 'rule' = %s AND e.detail ? 'rule'", [wanted.rule]
    if wanted.actor_ids is not None:
        yield "actor", "e.actor_id = ANY(%s::bigint[])", [list(wanted.actor_ids)]
    if wanted.choices:
        merged = _merged(wanted.choices)
        whole = [choice.event for choice in merged if choice.kind is None]
        condition, params = "e.event = ANY(%s::text[])", [whole]
        for choice in merged:
            if choice.kind is not None:
                condition += " OR (e.event = %s AND e.detail ->> 'kind' = %s)"
                params += [choice.event, choice.kind]  # type: ignore[list-item]
        yield "event", f"({condition})", params
    if wanted.actor_kind:
        yield "kind", "e.actor_kind = %s AND e.actor_id IS NULL", [wanted.actor_kind]
    if wanted.since:
        yield "since", "e.at >= %s", [wanted.since]
    if wanted.until:
        yield "until", "e.at < %s", [wanted.until]


def _merged(choices: tuple[Choice, ...]) -> list[Choice]:
    """Each entry in one range only: kinds of an event that is chosen whole are left out."""
    whole = {choice.event for choice in choices if choice.kind is None}
    return sorted(
        {choice for choice in choices if choice.kind is None or choice.event not in whole},
        key=lambda choice: (choice.event, choice.kind or ""),
    )


def _columns(choices: list[Choice]) -> list[Any]:
    return [[choice.event for choice in choices], [choice.kind for choice in choices]]
