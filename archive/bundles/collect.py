"""All Spaces of a host at once, in numbered volumes of a bounded size, each of which opens alone.

Volumes are filled in the order of deadlines: what is due together is taken back together (archive/volumes.py), and the
other volumes last. A Space that does not fit into a volume of the chosen size gets one of its own; people are told
before. How large a Space's bag will be is estimated from above, from what our rows know: the bag itself is only written
out by a worker.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, Sum

from archive import clock, lifecycle, log, work
from archive.bundles.build import attempt, composed
from archive.bundles.volume import contents
from archive.errors import Refused, TooLate
from archive.log import SYSTEM, Actor, events
from archive.models import Collection, Derived, Recording, Space, Transcript, User, Volume, VolumeSpace
from archive.storage import keys
from archive.work import Claim

MOST_SPACES = 500  # in a volume: its directory and manifests have to fit into memory
ROOM = 2 * 1024**2  # bytes for the page and the small members of a bag
SPELLINGS = 16  # a transcript is in a bag in five forms, none of them longer than three times its WebVTT
OVERTAKEN = "All Spaces were asked for again."


@dataclass(frozen=True)
class Share:
    """A Space, and the most bytes that its bag can have."""

    space_id: UUID
    size: int


def newest(host: User) -> Collection | None:
    return Collection.objects.filter(host=host).order_by("-requested_at").first()


def shares(host: User) -> list[Share]:
    """Those of the host's Spaces that can be downloaded now, the shortest clock first."""
    spaces = Space.objects.filter(_downloadable(), host=host).order_by(F("expires_at").asc(nulls_last=True), "id")
    ids = list(spaces.values_list("pk", flat=True))
    sizes = dict.fromkeys(ids, ROOM)
    for model, times in ((Recording, 1), (Derived, 2), (Transcript, SPELLINGS)):
        rows = model._default_manager.filter(space__in=ids).values_list("space").annotate(size=Sum("size"))
        for space_id, size in rows:
            sizes[space_id] += times * size
    return [Share(pk, sizes[pk]) for pk in ids]


def packed(found: Sequence[Share], most: int) -> list[list[Share]]:
    """Volumes of at most `most` bytes, in the given order; what is larger by itself gets one alone."""
    volumes: list[list[Share]] = []
    room = 0
    for share in found:
        if not volumes or share.size > room or len(volumes[-1]) == MOST_SPACES:
            volumes.append([])
            room = most
        volumes[-1].append(share)
        room -= share.size
    return volumes


def request(host: User, volume_size: int) -> Collection:
    """Ask for all Spaces of the host: the collection that is there, if it is of the same Spaces and size; else a new
    one, and the older one is taken back. Raises Refused when there is nothing to download."""
    if volume_size not in Collection.Size.values:
        raise Refused("A volume holds at most 2, 10 or 50 GB.")
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=host.pk)  # two clicks at once are one
        # Without the key, and in the order of the ids: a deletion locks alike, and then writes places of these Spaces.
        downloadable = Space.objects.select_for_update(no_key=True).filter(_downloadable(), host=host)
        list(downloadable.order_by("pk").values_list("pk"))
        found = shares(host)
        if not found:
            raise Refused("None of your Spaces can be downloaded right now.")
        last = newest(host)
        if last is not None and last.volume_size == volume_size and _is_of(last, found):
            return last
        _overtake(host)
        made = Collection.objects.create(host=host, volume_size=volume_size)
        for number, volume in enumerate(packed(found, volume_size), 1):
            _open(made, number, volume)
        log.record(
            events.COLLECTION_REQUESTED,
            space_id=None,
            actor=Actor.of(host),
            collection=str(made.id),
            spaces=[str(share.space_id) for share in found],
        )
    return made


def _downloadable() -> Q:
    heard = Exists(Recording.objects.filter(space=OuterRef("pk")))
    return Q(heard, Q(expires_at=None) | Q(expires_at__gt=clock.now()), state=Space.State.AVAILABLE)


def _is_of(last: Collection, found: Sequence[Share]) -> bool:
    """Whether it is of these Spaces, and everything of it is there or will be."""
    live = last.volumes.filter(state__in=Volume.LIVE)
    places = VolumeSpace.objects.filter(volume__in=live, left_out=False).values_list("space", flat=True)
    return set(places) == {share.space_id for share in found}


def _overtake(host: User) -> None:
    """The collections before: nobody will ask for them again."""
    # Locked as archive/volumes.py does it.
    list(Collection.objects.select_for_update(no_key=True).filter(host=host).order_by("pk").values_list("pk"))
    live = Volume.objects.filter(collection__host=host, state__in=Volume.LIVE)
    for volume in live.select_for_update(of=("self",)).order_by("pk"):
        new = "removed" if volume.state == Volume.State.READY else "failed"
        lifecycle.move(volume, volume.state, new, actor=SYSTEM, problem=OVERTAKEN, **work.DONE)


def _open(collection: Collection, number: int, volume: Sequence[Share]) -> None:
    made = Volume.objects.create(collection=collection, number=number, requested_by=collection.host)
    VolumeSpace.objects.bulk_create(VolumeSpace(volume=made, space_id=share.space_id) for share in volume)


def build(volume_id: UUID) -> bool:
    """Build it, or go on. True when it is ready by this call."""
    return attempt(Volume, volume_id, _build)


def _build(claim: Claim[Volume]) -> bool:
    volume = claim.row
    with contents(volume, clock.now()) as what:
        if what is None:
            raise TooLate("Every Space in it has come to its deadline.")
        claim.renew(content=what.id)
        return composed(claim, keys.volume(volume.id), what.segments, what.filename)


def waiting(collection: Collection) -> Iterator[Any]:
    """Ids of its volumes that somebody should build."""
    yield from collection.volumes.filter(state=Volume.State.REQUESTED).values_list("pk", flat=True)


def shown(collection: Collection) -> list[Volume]:
    """Its volumes as they stand: of each number the newest."""
    rows = collection.volumes.order_by("number", "-requested_at", "-id").distinct("number")
    return list(rows.prefetch_related("places__space"))
