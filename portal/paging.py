"""Keyset pages: the cost of a page does not depend on how many come before it."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet

M = TypeVar("M", bound=Model)


def page_of(
    rows: QuerySet[M], after: str | None, order: tuple[str, str], size: int, *, descending: bool = False
) -> tuple[list[M], str | None]:
    """One page of `rows` in the order of two columns (the second one unique), and the cursor of the next, if there
    is one. A cursor that is not one of ours starts at the beginning."""
    first, second = order
    sign, than = ("-", "lt") if descending else ("", "gt")
    if place := _decode(after):
        a, b = place
        rows = rows.filter(Q(**{f"{first}__{than}": a}) | Q(**{first: a, f"{second}__{than}": b}))
    found = list(rows.order_by(f"{sign}{first}", f"{sign}{second}")[: size + 1])
    if len(found) <= size:
        return found, None
    last = found[size - 1]
    return found[:size], _encode(getattr(last, first), getattr(last, second))


def _encode(moment: datetime | None, key: object) -> str | None:
    if moment is None:
        return None  # held Spaces have no deadline and come last
    return urlsafe_b64encode(f"{moment.isoformat()} {key}".encode()).decode()


def _decode(cursor: str | None) -> tuple[datetime, UUID | int] | None:
    try:
        moment, key = urlsafe_b64decode(cursor or "").decode().split(" ")
        parsed = datetime.fromisoformat(moment).astimezone(UTC)
        number = int(key) if key.isdigit() else None
        return parsed, UUID(key) if number is None else min(number, 2**63 - 1)
    except (ValueError, OverflowError):
        return None
