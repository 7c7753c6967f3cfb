"""What if the rule were another one? A dry run: whom it would touch, and how. Changes nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from archive import dbtime, policy
from archive.models import Space


@dataclass(frozen=True)
class AffectedSpace:
    """A Space whose deadline another rule would move. `at_once`: its new deadline has passed already, so that it would
    be deleted now."""

    id: UUID
    host_id: int
    before: datetime
    after: datetime
    at_once: bool

    @property
    def longer(self) -> bool:
        return self.after > self.before


def simulate(rule: policy.RetentionPolicy, most: int | None = None, batch: int = 500) -> Iterator[AffectedSpace]:
    """Those that `rule` would touch among the Spaces that are kept now, shortest deadline first; of no more than `most`
    that were looked at. Held ones have no deadline under any rule."""
    now, looked_at = dbtime.now(), 0
    after: tuple[datetime, UUID] | None = None
    kept = Space.objects.kept(now).exclude(expires_at=None).order_by("expires_at", "id")
    while most is None or looked_at < most:
        rows = kept
        if after is not None:
            rows = rows.filter(Q(expires_at__gte=after[0]), Q(expires_at__gt=after[0]) | Q(id__gt=after[1]))
        wanted = batch if most is None else min(batch, most - looked_at)
        page = list(rows.prefetch_related("violations", "holds")[:wanted])
        for space in page:
            if (moved := _touched(space, rule, now)) is not None:
                yield moved
        if len(page) < wanted:
            return
        looked_at += len(page)
        last = page[-1]
        assert last.expires_at is not None
        after = (last.expires_at, last.id)


def _touched(space: Space, rule: policy.RetentionPolicy, now: datetime) -> AffectedSpace | None:
    due = policy.deadline(space.retention_facts(), rule).at
    if due is None or space.expires_at is None or due == space.expires_at:
        return None
    return AffectedSpace(space.id, space.host_id, space.expires_at, due, due <= now)
