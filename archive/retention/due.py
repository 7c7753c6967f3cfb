"""Finding what is due. The cost follows what is due, not what is stored: one partial index over deadlines."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now

from archive.models import Space

ABANDONED = timedelta(hours=24)  # a Space in `receiving` without progress for so long is discarded


@dataclass(frozen=True)
class DueSpace:
    id: UUID
    expires_at: datetime | None
    state: str


def is_due(moment: Any) -> Q:
    """Due at `moment` (an aware datetime or a database expression). Held Spaces have no deadline, so they never are."""
    abandoned = Q(state=Space.State.RECEIVING) & _no_progress_since(moment - ABANDONED)
    return Q(state__in=Space.KEPT, expires_at__lte=moment) | (abandoned & Q(expires_at__isnull=False))


def _no_progress_since(moment: Any) -> Q:
    return Q(created_at__lt=moment) & (Q(lease_until=None) | Q(lease_until__lt=moment))


def due_spaces(moment: Any = None, batch: int = 500) -> Iterator[DueSpace]:
    """Everything that is due at `moment` (default: now, by the database's clock), shortest deadline first, read in
    batches by keyset. Changes nothing."""
    after: tuple[datetime, UUID] | None = None
    while True:
        rows = Space.objects.filter(is_due(Now() if moment is None else moment)).order_by("expires_at", "id")
        if after is not None:
            rows = rows.filter(Q(expires_at__gt=after[0]) | Q(expires_at=after[0], id__gt=after[1]))
        page = [DueSpace(*row) for row in rows.values_list("id", "expires_at", "state")[:batch]]
        yield from page
        if len(page) < batch:
            return
        last = page[-1]
        assert last.expires_at is not None  # is_due leaves out what has no deadline
        after = (last.expires_at, last.id)
