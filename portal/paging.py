"""Keyset pagination: the cost of a page does not depend on how many pages come before it."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet

from archive.search import index_order

M = TypeVar("M", bound=Model)
S = TypeVar("S", bound=QuerySet[Any])
NONE = "-"  # in a cursor, for a row with NULL in the first column
LARGEST = 2**63 - 1


def page_of(
    rows: QuerySet[M],
    after: str | None,
    order: tuple[str, str],
    size: int,
    *,
    descending: bool = False,
    has_null: bool = True,
) -> tuple[list[M], str | None]:
    """Return one page of `rows` and the cursor of the next page, if there is one.

    `order` has two columns, the second unique; both may belong to a related row, as in `space__expires_at`. Rows with
    NULL in the first column (Spaces on hold have no deadline) come last; `has_null=False`: there are none. An invalid
    cursor starts at the beginning.
    """
    first, second = order
    sign, than = ("-", "lt") if descending else ("", "gt")
    ends_with_none = has_null and _field(rows.model, first).null
    position = _decode(rows.model, after, order)
    page: list[M] = []
    if position is None or position[0] is not None:
        timed = rows.exclude(**{first: None}) if ends_with_none else rows
        if position:
            timed = timed.filter(_beyond(order, than, *position))
        page = list(timed.order_by(f"{sign}{first}", f"{sign}{second}")[: size + 1])
    if ends_with_none and len(page) <= size:
        endless = rows.filter(**{first: None})
        if position and position[0] is None:
            endless = endless.filter(**{f"{second}__{than}": position[1]})
        # All have NULL there, but PostgreSQL uses the order of an index only if ORDER BY has all of its columns.
        page += endless.order_by(f"{sign}{first}", f"{sign}{second}")[: size + 1 - len(page)]
    if len(page) <= size:
        return page, None
    return page[:size], _encode(page[size - 1], order)


def rows_after(rows: S, row: Model, order: tuple[str, str], *, descending: bool = False) -> S:
    """Return the rows after the place of `row`, without those that have NULL in the first column; all rows if `row` has
    NULL there."""
    a, b = (_read(row, name) for name in order)
    return rows if a is None else rows.filter(_beyond(order, "lt" if descending else "gt", a, b))


def rows_around(
    rows: QuerySet[M], row: M, order: tuple[str, str], before: int, after: int, *, descending: bool = False
) -> tuple[list[M], list[M]]:
    """Return the rows around the place of `row`: up to `before` rows before it, and `after` rows from there on
    (including `row` if it is one of them), both in the order of `rows`. Neither column of `row` may be NULL; rows with
    NULL in the first one come last."""
    first, second = order
    a, b = (_read(row, name) for name in order)
    sign, back, on, than = ("-", "", "lt", "gt") if descending else ("", "-", "gt", "lt")
    earlier = rows.filter(_beyond(order, than, a, b)).order_by(f"{back}{first}", f"{back}{second}")[:before]
    later = list(
        rows.filter(_beyond(order, on, a, b, or_at=True)).order_by(f"{sign}{first}", f"{sign}{second}")[:after]
    )
    if len(later) < after and _field(rows.model, first).null:
        endless = rows.filter(**{first: None}).order_by(f"{sign}{first}", f"{sign}{second}")
        later += endless[: after - len(later)]
    return list(reversed(earlier)), later


def _beyond(order: tuple[str, str], than: str, a: Any, b: Any, *, or_at: bool = False) -> Q:
    """Return the rows beyond (a, b), with `or_at` also those at it. The first condition uses an index, so nothing may
    be combined with it by "or"."""
    first, second = order
    same = f"{second}__{than}e" if or_at else f"{second}__{than}"
    return Q(Q(**{f"{first}__{than}e": a}), Q(**{f"{first}__{than}": a}) | Q(**{same: b}))


@dataclass(frozen=True)
class Part(Generic[M]):
    """One of several groups of rows that follow each other, each with its own order. Fields as the arguments of
    `page_of`.

    `places`: both columns of the first rows in their order, if they have been read already; of all rows, or of those up
    to the place `known_to`. Beyond that, rows are searched one after the other in their order, because most do not
    match."""

    rows: QuerySet[M]
    order: tuple[str, str]
    descending: bool = False
    has_null: bool = True
    places: Sequence[tuple[Any, Any]] | None = None
    known_to: tuple[Any, Any] | None = None

    @property
    def columns(self) -> list[str]:
        """The order as arguments of `order_by`."""
        return [f"-{name}" if self.descending else name for name in self.order]

    def page(self, after: str | None, size: int) -> tuple[list[M], str | None]:
        """Like `page_of`. Rows made from `places` have only these two columns."""
        with nullcontext() if self.known_to is None else index_order():
            return self._page(after, size)

    def _page(self, after: str | None, size: int) -> tuple[list[M], str | None]:
        places = self.places or ()
        position = _decode(self.rows.model, after, self.order)
        start = next((n for n, place in enumerate(places, 1) if position and place[1] == position[1]), 0)
        if self.places is None or (position and not start):
            return page_of(self.rows, after, self.order, size, descending=self.descending, has_null=self.has_null)
        known = [self.rows.model(**dict(zip(self.order, place, strict=True))) for place in places[start : start + size]]
        if start + size < len(places):
            return known, _encode(known[-1], self.order)
        if self.known_to is None:
            return known, None
        beyond = _encode_place(self.known_to)
        rows, following = page_of(self.rows, beyond, self.order, size - len(known), descending=self.descending)
        page = known + rows
        return page, _encode(page[-1], self.order) if following else None


def page_of_parts(parts: Sequence[Part[M]], after: str | None, size: int) -> tuple[list[M], str | None]:
    """Return one page of several parts, one after the other, and the cursor of the next page. Like `page_of`."""
    number, _, cursor = (after or "").partition(".")
    start = int(number) if number in map(str, range(len(parts))) else 0
    page: list[M] = []
    for place, part in enumerate(parts[start:], start):
        if len(page) == size:
            if part.rows.exists():
                return page, f"{place}."
            continue
        rows, following = part.page(cursor, size - len(page))
        page, cursor = page + rows, ""
        if following:
            return page, f"{place}.{following}"
    return page, None


def _encode(row: Model, order: tuple[str, str]) -> str:
    value, key = (_read(row, name) for name in order)
    return _encode_place((value, key))


def _encode_place(place: tuple[Any, Any]) -> str:
    value, key = place
    text = NONE if value is None else value.isoformat() if isinstance(value, datetime) else str(value)
    return urlsafe_b64encode(f"{text} {key}".encode()).decode()


def _read(row: Any, name: str) -> Any:
    """Return the value of the column; None if there is no related row."""
    for step in name.split("__"):
        row = getattr(row, step, None)
    return row


def _decode(model: type[Model], cursor: str | None, order: tuple[str, str]) -> tuple[Any, Any] | None:
    try:
        text, key = urlsafe_b64decode(cursor or "").decode().rsplit(" ", 1)
        value = None if text == NONE else _value(model, order[0], text)
        return value, _value(model, order[1], key)
    except (ValueError, OverflowError, ValidationError):
        return None


def _value(model: type[Model], name: str, text: str) -> Any:
    """Convert to the column's type. Raises ValueError, OverflowError or ValidationError if that is impossible."""
    value = _field(model, name).to_python(text)
    if isinstance(value, str) and "\x00" in value:
        raise ValueError("PostgreSQL has no NUL in texts")
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone: {text}")
        return value.astimezone(UTC)
    return min(value, LARGEST) if isinstance(value, int) else value


def _field(model: type[Model], name: str) -> Any:
    *steps, last = name.split("__")
    for step in steps:
        related = model._meta.get_field(step).related_model
        assert isinstance(related, type)
        model = related
    return model._meta.get_field(last)
