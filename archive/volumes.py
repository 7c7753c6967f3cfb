"""Volumes hold several Spaces, and each of these has a deadline of its own. What both the makers of volumes and the
deletion of a Space need to know of them.

Whoever puts a Space into a volume locks its row first; whoever begins to delete it changes that row first, and then
takes back every volume that it is in, in the same transaction. So no volume can come to hold a Space whose deletion has
begun, and none that holds it can be handed out or finished from then on.
"""

from uuid import UUID

from django.db.models import QuerySet

from archive import lifecycle, work
from archive.log import SYSTEM
from archive.models import Space, Volume, VolumeSpace
from archive.storage import keys

TAKEN_BACK = "A Space in it has come to its deadline."


def holding(space_id: UUID) -> QuerySet[Volume]:
    """Volumes that hold the Space, or held it: the store may have something of them."""
    return Volume.objects.filter(places__space=space_id, places__left_out=False)


def places(space_id: UUID) -> list[str]:
    """Keys outside of the Space's own prefix at which the store may have something of it."""
    return [keys.volume(pk) for pk in holding(space_id).order_by("id").values_list("pk", flat=True)]


def take_back(space: Space) -> list[UUID]:
    """In the transaction that begins the deletion of `space`: end each live volume that it is in, and let a successor
    without it be made. Returns the successors' ids."""
    made = []
    for volume in holding(space.id).filter(state__in=Volume.LIVE).select_for_update(of=("self",)).order_by("id"):
        new = "removed" if volume.state == Volume.State.READY else "failed"
        detail = {"why": "deadline of a Space in it"}
        if lifecycle.move(volume, volume.state, new, actor=SYSTEM, detail=detail, problem=TAKEN_BACK, **work.DONE):
            made.append(_successor(volume, space).id)
    return made


def _successor(volume: Volume, without: Space) -> Volume:
    """The same place in the same collection. When it was fetched last is carried over, so that volumes that nobody
    wants come to an end although each deadline makes a new one."""
    new = Volume.objects.create(
        collection=volume.collection,
        number=volume.number,
        requested_by_id=volume.requested_by_id,
        fetched_at=volume.fetched_at or volume.ready_at,
    )
    VolumeSpace.objects.bulk_create(
        VolumeSpace(volume=new, space_id=place.space_id, left_out=place.left_out or place.space_id == without.id)
        for place in volume.places.all()
    )
    return new
