"""Parts hold several Spaces, and each of these has a deadline of its own. What both the makers of parts and the
deletion of a Space need to know of them.

Whoever puts a Space into a part locks its row first; whoever begins to delete it changes that row first, and then
takes back every part that it is in, in the same transaction. So no part can come to hold a Space whose deletion has
begun, and none that holds it can be handed out or finished from then on.

The order of locks is the same for everybody: rows of Spaces first, then exports, then parts, each in the order of
their ids. A Space's row is locked without its key: its place in a successor is written while somebody else has it.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Q, QuerySet

from archive import leases, lifecycle
from archive.errors import make_problem
from archive.log import SYSTEM
from archive.models import Export, ExportPart, ExportPartEntry, Space
from archive.storage import keys


def parts_with(space_ids: Sequence[UUID]) -> QuerySet[ExportPartEntry]:
    """The places of these Spaces in parts that hold them, or held them: the store may have something of those."""
    return ExportPartEntry.objects.filter(space__in=space_ids, excluded=False)


def places_of(space_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """Of each Space, the keys outside of its own prefix at which the store may have something of it."""
    found: dict[UUID, list[str]] = {space_id: [] for space_id in space_ids}
    rows = parts_with(space_ids).order_by("export_part")
    for space_id, export_part_id in rows.values_list("space_id", "export_part_id"):
        found[space_id].append(keys.export_part(export_part_id))
    return found


def revoke(spaces: Sequence[Space]) -> list[UUID]:
    """In the transaction that begins the deletion of `spaces`, whose rows are locked by it: end each live part that
    one of them is in, and let a successor without them be made. Returns the successors' ids."""
    gone = [space.id for space in spaces]
    exports = Export.objects.filter(pk__in=parts_with(gone).values("export_part__export"))
    if not list(exports.select_for_update(no_key=True).order_by("pk")):
        return []
    # A statement of its own: somebody who had the export until now may have left a successor in it.
    inside = ExportPart.objects.filter(pk__in=parts_with(gone).values("export_part"), state__in=ExportPart.LIVE)
    live = list(inside.select_for_update(of=("self",)).order_by("pk"))
    ended: list[ExportPart] = []
    for old in ExportPart.LIVE:
        rows = [export_part for export_part in live if export_part.state == old]
        new = "removed" if old == ExportPart.State.READY else "failed"
        told = {export_part.pk: {"why": "space-deadline"} for export_part in rows}
        ended += lifecycle.transition_all(
            rows,
            old,
            new,
            actor=SYSTEM,
            condition=Q(),
            details=told,
            problem=make_problem("export.space_expired"),
            **leases.RESET,
        )
    return _succeed(ended, gone)


def _succeed(ended: Sequence[ExportPart], without: Sequence[UUID]) -> list[UUID]:
    """The same places in the same exports. When one was fetched last is carried over, so that parts that nobody
    wants come to an end although each deadline makes a new one."""
    made = {
        export_part.pk: ExportPart(
            export_id=export_part.export_id,
            number=export_part.number,
            requested_by_id=export_part.requested_by_id,
            fetched_at=export_part.fetched_at or export_part.ready_at,
        )
        for export_part in ended
    }
    if not made:
        return []
    ExportPart.objects.bulk_create(made.values())
    ExportPartEntry.objects.bulk_create(
        ExportPartEntry(
            export_part=made[place.export_part_id],
            space_id=place.space_id,
            excluded=place.excluded or place.space_id in without,
        )
        for place in ExportPartEntry.objects.filter(export_part__in=made).order_by("pk")
    )
    return [export_part.pk for export_part in made.values()]
