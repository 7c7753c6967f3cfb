"""Simulate another retention policy: which deadlines would move. Read-only."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from archive import dbtime, policy
from archive.models import Space


@dataclass(frozen=True)
class AffectedSpace:
    """A Space whose deadline another policy would move. `at_once`: its new deadline has passed, so it would be deleted
    now."""

    id: UUID
    host_id: int
    before: datetime
    after: datetime
    at_once: bool

    @property
    def longer(self) -> bool:
        return self.after > self.before


def simulate(rule: policy.RetentionPolicy, limit: int | None = None, batch: int = 500) -> Iterator[AffectedSpace]:
    """Yield the kept Spaces whose deadline `rule` would move, earliest deadline first, among the first `limit`. Spaces
    on hold have no deadline under any policy; rejected Spaces have nothing stored."""
    now, read_count = dbtime.now(), 0
    after: tuple[datetime, UUID] | None = None
    kept = Space.objects.timed_copies(now).order_by("expires_at", "id")
    while limit is None or read_count < limit:
        rows = kept
        if after is not None:
            rows = rows.filter(Q(expires_at__gte=after[0]), Q(expires_at__gt=after[0]) | Q(id__gt=after[1]))
        wanted = batch if limit is None else min(batch, limit - read_count)
        page = list(rows.prefetch_related("violations", "holds")[:wanted])
        for space in page:
            if (affected := _affected(space, rule, now)) is not None:
                yield affected
        if len(page) < wanted:
            return
        read_count += len(page)
        last = page[-1]
        assert last.expires_at is not None
        after = (last.expires_at, last.id)


def _affected(space: Space, rule: policy.RetentionPolicy, now: datetime) -> AffectedSpace | None:
    due = policy.deadline(space.retention_facts(), rule).at
    if due is None or space.expires_at is None or due == space.expires_at:
        return None
    return AffectedSpace(space.id, space.host_id, space.expires_at, due, due <= now)
