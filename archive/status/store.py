"""Read what is known of the object store without a request to it: rehearsals, rechecks, findings of reconcile."""

from dataclasses import dataclass
from datetime import datetime

from archive.models import DeletionRecheck, ReconcileFinding, StoreReport
from archive.models.space_queries import count_up_to
from archive.status.work import MAX_COUNTED
from archive.storage import store
from archive.storage.trials import Outcome


@dataclass(frozen=True)
class StoreStatus:
    """`rehearsed_at`: the time of the last rehearsal; None: never. `faults`: its failed trials without a fallback.
    `rechecked_at`: when all prefixes of deleted Spaces were last verified empty. `orphans` and `ghosts`: unresolved
    findings of reconcile, counted up to MAX_COUNTED."""

    rehearsed_at: datetime | None
    faults: tuple[str, ...]
    rechecked_at: datetime | None
    orphans: int
    ghosts: int


def read_store() -> StoreStatus:
    report = StoreReport.objects.filter(place=store().place).first()
    kind = ReconcileFinding.Kind
    found = {kind.ORPHAN: ReconcileFinding.objects.filter(kind=kind.ORPHAN)}
    found[kind.GHOST] = ReconcileFinding.objects.filter(kind=kind.GHOST)
    counts = count_up_to(MAX_COUNTED, found)
    return StoreStatus(
        rehearsed_at=report.tried_at if report else None,
        faults=tuple(f["name"] for f in report.findings if f["outcome"] == Outcome.FAULT) if report else (),
        rechecked_at=DeletionRecheck.objects.values_list("finished_at", flat=True).first(),
        orphans=counts[kind.ORPHAN],
        ghosts=counts[kind.GHOST],
    )
