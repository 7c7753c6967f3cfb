"""Volumes hold several Spaces, and each of these has a deadline of its own. What both the makers of volumes and the
deletion of a Space need to know of them.

Whoever puts a Space into a volume locks its row first; whoever begins to delete it changes that row first, and then
takes back every volume that it is in, in the same transaction. So no volume can come to hold a Space whose deletion has
begun, and none that holds it can be handed out or finished from then on.

The order of locks is the same for everybody: rows of Spaces first, then collections, then volumes, each in the order of
their ids. A Space's row is locked without its key: its place in a successor is written while somebody else has it.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Q, QuerySet

from archive import lifecycle, work
from archive.log import SYSTEM
from archive.models import Collection, Space, Volume, VolumeSpace
from archive.storage import keys

TAKEN_BACK = "A Space in it has come to its deadline."


def holding(space_ids: Sequence[UUID]) -> QuerySet[VolumeSpace]:
    """The places of these Spaces in volumes that hold them, or held them: the store may have something of those."""
    return VolumeSpace.objects.filter(space__in=space_ids, left_out=False)


def places_of(space_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """Of each Space, the keys outside of its own prefix at which the store may have something of it."""
    found: dict[UUID, list[str]] = {space_id: [] for space_id in space_ids}
    rows = holding(space_ids).order_by("volume")
    for space_id, volume_id in rows.values_list("space_id", "volume_id"):
        found[space_id].append(keys.volume(volume_id))
    return found


def take_back(spaces: Sequence[Space]) -> list[UUID]:
    """In the transaction that begins the deletion of `spaces`, whose rows are locked by it: end each live volume that
    one of them is in, and let a successor without them be made. Returns the successors' ids."""
    gone = [space.id for space in spaces]
    collections = Collection.objects.filter(pk__in=holding(gone).values("volume__collection"))
    if not list(collections.select_for_update(no_key=True).order_by("pk")):
        return []
    # A statement of its own: somebody who had the collection until now may have left a successor in it.
    inside = Volume.objects.filter(pk__in=holding(gone).values("volume"), state__in=Volume.LIVE)
    live = list(inside.select_for_update(of=("self",)).order_by("pk"))
    ended: list[Volume] = []
    for old in Volume.LIVE:
        rows = [volume for volume in live if volume.state == old]
        new = "removed" if old == Volume.State.READY else "failed"
        told = {volume.pk: {"why": "deadline of a Space in it"} for volume in rows}
        ended += lifecycle.move_all(
            rows, old, new, actor=SYSTEM, only_if=Q(), details=told, problem=TAKEN_BACK, **work.DONE
        )
    return _succeed(ended, gone)


def _succeed(ended: Sequence[Volume], without: Sequence[UUID]) -> list[UUID]:
    """The same places in the same collections. When one was fetched last is carried over, so that volumes that nobody
    wants come to an end although each deadline makes a new one."""
    made = {
        volume.pk: Volume(
            collection_id=volume.collection_id,
            number=volume.number,
            requested_by_id=volume.requested_by_id,
            fetched_at=volume.fetched_at or volume.ready_at,
        )
        for volume in ended
    }
    if not made:
        return []
    Volume.objects.bulk_create(made.values())
    VolumeSpace.objects.bulk_create(
        VolumeSpace(
            volume=made[place.volume_id],
            space_id=place.space_id,
            left_out=place.left_out or place.space_id in without,
        )
        for place in VolumeSpace.objects.filter(volume__in=made).order_by("pk")
    )
    return [volume.pk for volume in made.values()]
