"""Find the Spaces whose deadline has passed. With a partial index over deadlines, the cost depends on the number of due
Spaces, not on the number of stored ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from archive.models import Space


@dataclass(frozen=True)
class DueSpace:
    id: UUID
    expires_at: datetime | None
    state: str


def due_ids(condition: Q | None = None, limit: int = 1000) -> list[UUID]:
    """Return the ids of the Spaces that are due now, earliest deadline first."""
    rows = Space.objects.due().filter(condition or Q()).order_by("expires_at", "id")
    return list(rows.values_list("pk", flat=True)[:limit])


def due_spaces(moment: Any = None, batch: int = 500) -> Iterator[DueSpace]:
    """Yield the Spaces that are due at `moment` (default: now, by the database's clock), earliest deadline first, read
    in batches by keyset. Read-only."""
    after: tuple[datetime, UUID] | None = None
    while True:
        rows = Space.objects.due(moment).order_by("expires_at", "id")
        if after is not None:
            rows = rows.filter(Q(expires_at__gt=after[0]) | Q(expires_at=after[0], id__gt=after[1]))
        page = [DueSpace(*row) for row in rows.values_list("id", "expires_at", "state")[:batch]]
        yield from page
        if len(page) < batch:
            return
        last = page[-1]
        assert last.expires_at is not None  # is_due excludes Spaces without a deadline
        after = (last.expires_at, last.id)
