"""A filter of log entries, and the statements that read its entries in order or count them.

Entries are ordered by time, then by number. For each selective filter (a Space, an account, a rule, an event) an index
has the matching entries as one range in this order, so a page reads one page of each range. With several filters, the
most selective one gives the ranges, and the others are checked row by row.

A range is written as a comparison of rows, `(space_id, at, id) > (...) AND (space_id, at, id) < (...)`, and is read in
the order of all three columns. With `space_id = ...` PostgreSQL may also walk all entries by time until it has found
enough of the Space. It does so if its sample of the table makes Spaces look frequent, and then it may read the whole
log.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from archive.log.groups import Choice

Position = tuple[datetime, int]  # time and number of an entry
Bound = Position | tuple[str, int]  # the time may be '-infinity' or 'infinity'
Statement = tuple[str, list[Any]]  # with its parameters


@dataclass(frozen=True)
class LogFilter:
    """Selects entries that meet all given conditions. Times are UTC, `until` is exclusive.

    `choices`: any of these events. `actor_kind`: system, recorder or command.
    """

    choices: tuple[Choice, ...] = ()
    space_ids: tuple[UUID, ...] | None = None
    actor_ids: tuple[int, ...] | None = None
    actor_kind: str = ""
    rule: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class _Index:
    """An index in the order of the log within each value of `columns`. `values`: the columns of the table of ranges, a
    row of `b`. `also`: a further condition of the index or the range."""

    columns: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    also: str = ""


# By the name of the filter that gives the ranges, after a colon its further condition; "": the index of all entries.
INDEXES = {
    "": _Index(),
    "space": _Index(("e.space_id",), ("b.space_id",)),
    "rule": _Index(("e.detail ->> 'rule'",), ("b.rule",), "e.detail ? 'rule'"),
    "actor": _Index(("e.actor_id",), ("b.actor_id",), "e.actor_id IS NOT NULL"),
    "event": _Index(("e.event",), ("b.event",)),  # counting needs no other column
    "event:kind": _Index(("e.event",), ("b.event",), "(b.kind IS NULL OR e.detail ->> 'kind' = b.kind)"),
}


def page_statement(wanted: LogFilter, low: Position | None, high: Position | None, limit: int, order: str) -> Statement:
    """Select (at, id) of the first `limit` entries strictly between two positions. `order` is ASC or DESC."""
    entries, params = _entries(wanted, low, high, limit, order)
    return f"{entries} ORDER BY at {order}, id {order} LIMIT %s", [*params, limit]


def count_statement(wanted: LogFilter, limit: int) -> Statement:
    """Count the entries, up to `limit`."""
    entries, params = _entries(wanted, None, None, limit, "DESC")
    return f"SELECT count(*) FROM ({entries} LIMIT %s) AS counted", [*params, limit]  # noqa: S608  # only constants


def _entries(wanted: LogFilter, low: Position | None, high: Position | None, limit: int, order: str) -> Statement:
    """Select (at, id) of the first `limit` entries of each range between two positions."""
    name, ranges, range_params = _ranges(wanted)
    index = INDEXES[name]
    bounds, params = _between(index, *_bounds(wanted, low, high))
    conditions = [bounds]
    for other, condition, values in _filters(wanted):
        if other != name.partition(":")[0]:
            conditions.append(condition)
            params += values
    where = " AND ".join(conditions)
    columns = ", ".join(f"{column} {order}" for column in (*index.columns, "e.at", "e.id"))
    one = f"SELECT e.at, e.id FROM archive_logentry e WHERE {where} ORDER BY {columns} LIMIT %s"  # noqa: S608
    return f"SELECT at, id FROM {ranges} CROSS JOIN LATERAL ({one}) AS r", [*range_params, *params, limit]  # noqa: S608


def _between(index: _Index, low: Bound, high: Bound) -> tuple[str, list[Any]]:
    """Return (condition, its parameters) for the entries of a range between two positions."""
    columns = ", ".join((*index.columns, "e.at", "e.id"))
    values = ", ".join((*index.values, "%s::timestamptz", "%s"))
    condition = f"({columns}) > ({values}) AND ({columns}) < ({values})"
    return " AND ".join(filter(None, (condition, index.also))), [*low, *high]


def _bounds(wanted: LogFilter, low: Position | None, high: Position | None) -> tuple[Bound, Bound]:
    """Return the positions within the period of the filter. No entry has the number 0, so these bounds are exact."""
    lows = [*filter(None, [low]), *([(wanted.since, 0)] if wanted.since else [])]
    highs = [*filter(None, [high]), *([(wanted.until, 0)] if wanted.until else [])]
    return max(lows) if lows else ("-infinity", 0), min(highs) if highs else ("infinity", 0)


def _ranges(wanted: LogFilter) -> tuple[str, str, list[Any]]:
    """Return (name of the most selective filter, its ranges as a table, their parameters)."""
    if wanted.space_ids is not None:
        return "space", "unnest(%s::uuid[]) AS b (space_id)", [list(wanted.space_ids)]
    if wanted.rule:
        return "rule", "unnest(%s::text[]) AS b (rule)", [[wanted.rule]]
    if wanted.actor_ids is not None:
        return "actor", "unnest(%s::bigint[]) AS b (actor_id)", [list(wanted.actor_ids)]
    if wanted.choices:
        merged = _merged(wanted.choices)
        name = "event:kind" if any(choice.kind for choice in merged) else "event"
        return name, "unnest(%s::text[], %s::text[]) AS b (event, kind)", _columns(merged)
    return "", "(VALUES (1)) AS b", []


def _filters(wanted: LogFilter) -> Iterator[tuple[str, str, list[Any]]]:
    """Yield (name, condition, parameters) of each given filter, except for the period."""
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


def _merged(choices: tuple[Choice, ...]) -> list[Choice]:
    """Drop kinds of an event that is selected as a whole, so that each entry is in one range only."""
    whole = {choice.event for choice in choices if choice.kind is None}
    return sorted(
        {choice for choice in choices if choice.kind is None or choice.event not in whole},
        key=lambda choice: (choice.event, choice.kind or ""),
    )


def _columns(choices: list[Choice]) -> list[Any]:
    return [[choice.event for choice in choices], [choice.kind for choice in choices]]
