"""All Spaces of a host at once, in numbered parts of a bounded size, each of which opens alone.

Parts are filled in the order of deadlines: Spaces that are due together are revoked together
(archive/export_revocation.py), and the other parts stay available. A Space that does not fit into a part of the
chosen size gets a part of its own, which the page announces beforehand. Bag sizes are upper bounds computed from
database rows: only a worker writes the bag itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Sum

from archive import dbtime, leases, lifecycle, log
from archive.bundles.build import attempt, compose_and_finish
from archive.bundles.export_contents import contents
from archive.errors import Refused, TooLate, make_problem
from archive.leases import Claim
from archive.log import SYSTEM, Actor, events
from archive.models import (
    Derived,
    Export,
    ExportPart,
    ExportPartEntry,
    Recording,
    Space,
    SpaceQuerySet,
    Transcript,
    User,
)
from archive.storage import keys

MOST_SPACES = 500  # in a part: its directory and manifests have to fit into memory
ROOM = 2 * 1024**2  # bytes for the page and the small members of a bag
SPELLINGS = 16  # a transcript is in a bag in five forms, none of them longer than three times its WebVTT


@dataclass(frozen=True)
class SizedSpace:
    """A Space, and the most bytes that its bag can have."""

    space_id: UUID
    size: int


def newest(host: User) -> Export | None:
    return Export.objects.filter(host=host).order_by("-requested_at").first()


def shares(host: User) -> list[SizedSpace]:
    """Those of the host's Spaces that can be downloaded now, the shortest clock first."""
    spaces = _downloadable(host).order_by(F("expires_at").asc(nulls_last=True), "id")
    ids = list(spaces.values_list("pk", flat=True))
    sizes = dict.fromkeys(ids, ROOM)
    for model, times in ((Recording, 1), (Derived, 2), (Transcript, SPELLINGS)):
        rows = model._default_manager.filter(space__in=ids).values_list("space").annotate(size=Sum("size"))
        for space_id, size in rows:
            sizes[space_id] += times * size
    return [SizedSpace(pk, sizes[pk]) for pk in ids]


def packed(found: Sequence[SizedSpace], most: int) -> list[list[SizedSpace]]:
    """Parts of at most `most` bytes, in the given order; what is larger by itself gets one alone."""
    export_parts: list[list[SizedSpace]] = []
    room = 0
    for share in found:
        if not export_parts or share.size > room or len(export_parts[-1]) == MOST_SPACES:
            export_parts.append([])
            room = most
        export_parts[-1].append(share)
        room -= share.size
    return export_parts


def request(host: User, max_part_size: int) -> Export:
    """Ask for all Spaces of the host: the export that is there, if it is of the same Spaces and size; else a new
    one, and the older one is taken back. Raises Refused when there is nothing to download."""
    if max_part_size not in Export.Size.values:
        raise Refused("export.bad_part_size")
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=host.pk)  # two clicks at once are one
        # Without the key, and in the order of the ids: a deletion locks alike, and then writes places of these Spaces.
        downloadable = _downloadable(host).select_for_update(no_key=True)
        list(downloadable.order_by("pk").values_list("pk"))
        found = shares(host)
        if not found:
            raise Refused("export.nothing")
        last = newest(host)
        if last is not None and last.max_part_size == max_part_size and _is_of(last, found):
            return last
        _overtake(host)
        made = Export.objects.create(host=host, max_part_size=max_part_size)
        for number, export_part in enumerate(packed(found, max_part_size), 1):
            _open(made, number, export_part)
        log.record(
            events.EXPORT_REQUESTED,
            space_id=None,
            actor=Actor.of(host),
            export=str(made.id),
            spaces=[str(share.space_id) for share in found],
        )
    return made


def _downloadable(host: User) -> SpaceQuerySet:
    return Space.objects.served().filter(Exists(Recording.objects.filter(space=OuterRef("pk"))), host=host)


def _is_of(last: Export, found: Sequence[SizedSpace]) -> bool:
    """Whether it is of these Spaces, and everything of it is there or will be."""
    live = last.parts.filter(state__in=ExportPart.LIVE)
    places = ExportPartEntry.objects.filter(export_part__in=live, excluded=False).values_list("space", flat=True)
    return set(places) == {share.space_id for share in found}


def _overtake(host: User) -> None:
    """The exports before: nobody will ask for them again."""
    # Locked as archive/export_revocation.py does it.
    list(Export.objects.select_for_update(no_key=True).filter(host=host).order_by("pk").values_list("pk"))
    live = ExportPart.objects.filter(export__host=host, state__in=ExportPart.LIVE)
    for export_part in live.select_for_update(of=("self",)).order_by("pk"):
        new = "removed" if export_part.state == ExportPart.State.READY else "failed"
        lifecycle.transition(
            export_part, export_part.state, new, actor=SYSTEM, problem=make_problem("export.superseded"), **leases.RESET
        )


def _open(export: Export, number: int, export_part: Sequence[SizedSpace]) -> None:
    made = ExportPart.objects.create(export=export, number=number, requested_by=export.host)
    ExportPartEntry.objects.bulk_create(
        ExportPartEntry(export_part=made, space_id=share.space_id) for share in export_part
    )


def build(export_part_id: UUID) -> bool:
    """Build it, or go on. True when it is ready by this call."""
    return attempt(ExportPart, export_part_id, _build)


def _build(claim: Claim[ExportPart]) -> bool:
    export_part = claim.row
    with contents(export_part, dbtime.now()) as what:
        if what is None:
            raise TooLate("export.all_expired")
        claim.renew(content_digest=what.id)
        return compose_and_finish(claim, keys.export_part(export_part.id), what.segments, what.filename)


def pending_parts(export: Export) -> Iterator[Any]:
    """Ids of its parts that somebody should build."""
    yield from export.parts.filter(state=ExportPart.State.REQUESTED).values_list("pk", flat=True)


def visible_parts(export: Export) -> list[ExportPart]:
    """Its parts as they stand: of each number the newest."""
    rows = export.parts.order_by("number", "-requested_at", "-id").distinct("number")
    return list(rows.prefetch_related("places__space"))
