"""Which export parts contain a Space, and how to revoke them. Bundling and deletion share this.

A part contains several Spaces, each with a deadline of its own. Adding a Space to a part locks the Space's row first;
starting its deletion changes that row first, and then revokes every part that contains it, in the same transaction. So
once a Space's deletion has started, no part can get it, and no part that contains it can be finished or downloaded.

The lock order is always the same: Spaces first, then exports, then parts, each in key order. Space rows are locked
FOR NO KEY UPDATE, because another transaction has to be able to write a replacement part's entry, whose foreign key
points to the row.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Q, QuerySet

from archive import leases, lifecycle, wakeups
from archive.errors import make_problem
from archive.log import SYSTEM
from archive.models import Export, ExportPart, ExportPartEntry, Space
from archive.storage import keys


def parts_with(space_ids: Sequence[UUID]) -> QuerySet[ExportPartEntry]:
    """Return the entries of these Spaces in parts that contain or contained them: the store may still have copies."""
    return ExportPartEntry.objects.filter(space__in=space_ids, excluded=False)


def places_of(space_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """Return {Space id: keys outside of its own prefix at which the store may have a copy of it}."""
    places: dict[UUID, list[str]] = {space_id: [] for space_id in space_ids}
    rows = parts_with(space_ids).order_by("export_part")
    for space_id, export_part_id in rows.values_list("space_id", "export_part_id"):
        places[space_id].append(keys.export_part(export_part_id))
    return places


def revoke(spaces: Sequence[Space]) -> list[UUID]:
    """End each live part that contains one of `spaces`, and request a replacement without them. Call in the transaction
    that starts their deletion and has their rows locked. Returns the ids of the replacements."""
    deleted = [space.id for space in spaces]
    exports = Export.objects.filter(pk__in=parts_with(deleted).values("export_part__export"))
    if not list(exports.select_for_update(no_key=True).order_by("pk")):
        return []
    # A second statement: the transaction that held the lock may have added a replacement.
    inside = ExportPart.objects.filter(pk__in=parts_with(deleted).values("export_part"), state__in=ExportPart.LIVE)
    live = list(inside.select_for_update(of=("self",)).order_by("pk"))
    ended: list[ExportPart] = []
    for old in ExportPart.LIVE:
        parts = [part for part in live if part.state == old]
        new = ExportPart.State.REMOVED if old == ExportPart.State.READY else ExportPart.State.FAILED
        details = {part.pk: {"why": "space-deadline"} for part in parts}
        ended += lifecycle.transition_all(
            parts,
            old,
            new,
            actor=SYSTEM,
            condition=Q(),
            details=details,
            problem=make_problem("export.space_expired"),
            **leases.RESET,
        )
    wakeups.wake(ExportPart, *(part.pk for part in ended))
    return _replace(ended, deleted)


def _replace(ended: Sequence[ExportPart], without: Sequence[UUID]) -> list[UUID]:
    """Request successors with the remaining Spaces, in the same exports.

    A replacement inherits the time of the last download, so unused parts expire even if every deadline replaces them.
    """
    replacements = {
        export_part.pk: ExportPart(
            export_id=export_part.export_id,
            number=export_part.number,
            requested_by_id=export_part.requested_by_id,
            fetched_at=export_part.fetched_at or export_part.ready_at,
        )
        for export_part in ended
    }
    if not replacements:
        return []
    ExportPart.objects.bulk_create(replacements.values())
    ExportPartEntry.objects.bulk_create(
        ExportPartEntry(
            export_part=replacements[entry.export_part_id],
            space_id=entry.space_id,
            excluded=entry.excluded or entry.space_id in without,
        )
        for entry in ExportPartEntry.objects.filter(export_part__in=replacements).order_by("pk")
    )
    pks = [part.pk for part in replacements.values()]
    wakeups.wake(ExportPart, *pks)
    return pks
