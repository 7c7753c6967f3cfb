"""Export all Spaces of a host, or chosen ones, as numbered parts of a bounded size. Each part can be opened alone.

Parts are filled in the order of deadlines: Spaces that are due together are revoked together
(archive/export_revocation.py), and the other parts stay available. A Space that is too large for a part of the chosen
size gets a part of its own, which the page announces beforehand. Bag sizes are upper bounds computed from database
rows: only a worker writes the bag itself.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Sum

from archive import dbtime, leases, lifecycle, log, wakeups
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
    LogEntry,
    Recording,
    Space,
    SpaceQuerySet,
    Transcript,
    User,
)
from archive.storage import keys

MOST_SPACES = 500  # in a part: its directory and manifests have to fit into memory
ROOM = 2 * 1024**2  # bytes for the page and the small members of a bag
LOGGED = 1000  # Spaces named in one log entry, since the size of entries is limited
FORMS = 16  # a bag has each transcript in five forms, none longer than three times its WebVTT


@dataclass(frozen=True)
class SizedSpace:
    """A Space, and the maximum size of its bag in bytes."""

    space_id: UUID
    size: int


def newest(host: User, *, chosen: bool = False) -> Export | None:
    """Return the newest export of all Spaces, or the newest of `chosen` ones."""
    return Export.objects.filter(host=host, chosen=chosen).order_by("-requested_at").first()


def shares(host: User, space_ids: Collection[UUID] | None = None, most: int | None = None) -> list[SizedSpace]:
    """Return the host's Spaces that can be downloaded now, or those of them in `space_ids`, or the first `most`;
    earliest deadline first."""
    spaces = _downloadable(host, space_ids)
    ids = list(spaces.order_by(F("expires_at").asc(nulls_last=True), "id").values_list("pk", flat=True)[:most])
    sizes = dict.fromkeys(ids, ROOM)
    of_host = Space.objects.filter(host=host) if space_ids is None and most is None else ids
    for model, times in ((Recording, 1), (Derived, 2), (Transcript, FORMS)):
        rows = model._default_manager.filter(space__in=of_host).values_list("space").annotate(size=Sum("size"))
        for space_id, size in rows:
            if space_id in sizes:
                sizes[space_id] += times * size
    return [SizedSpace(pk, sizes[pk]) for pk in ids]


def count_served(host: User, most: int) -> int:
    """Count the Spaces of the host that are served now, up to `most`. Each has a recording."""
    return Space.objects.served().filter(host=host).order_by("expires_at").values("pk")[:most].count()


def packed(spaces: Sequence[SizedSpace], max_part_size: int) -> list[list[SizedSpace]]:
    """Pack Spaces, in this order, into parts of at most `max_part_size` bytes; a larger Space gets its own part."""
    export_parts: list[list[SizedSpace]] = []
    room = 0
    for share in spaces:
        if not export_parts or share.size > room or len(export_parts[-1]) == MOST_SPACES:
            export_parts.append([])
            room = max_part_size
        export_parts[-1].append(share)
        room -= share.size
    return export_parts


def smallest_size(spaces: Sequence[SizedSpace]) -> int:
    """Return the part size that gives the fewest parts, and of several such sizes the smallest."""
    return min(Export.Size.values, key=lambda size: (len(packed(spaces, size)), size))


def request(host: User, max_part_size: int, space_ids: Collection[UUID] | None = None) -> Export:
    """Request an export of all Spaces of the host, or of those in `space_ids`. Returns the newest export if it has the
    same Spaces and part size; otherwise makes a new one, and revokes the older ones of its kind (all, chosen).

    Raises Refused when there is nothing to download, or when one of `space_ids` can't be downloaded.
    """
    if max_part_size not in Export.Size.values:
        raise Refused("export.bad_part_size")
    chosen = space_ids is not None
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=host.pk)  # two simultaneous requests make one export
        # FOR NO KEY UPDATE in key order, as a deletion does before it writes entries of these Spaces.
        downloadable = _downloadable(host, space_ids).select_for_update(no_key=True)
        list(downloadable.order_by("pk").values_list("pk"))
        spaces = shares(host, space_ids)
        if space_ids is not None and len(spaces) < len(set(space_ids)):
            raise Refused("export.not_downloadable")
        if not spaces:
            raise Refused("export.nothing")
        last = newest(host, chosen=chosen)
        if last is not None and last.max_part_size == max_part_size and _is_of(last, spaces):
            return last
        _revoke_earlier(host, chosen)
        made = Export.objects.create(host=host, max_part_size=max_part_size, chosen=chosen)
        for number, content in enumerate(packed(spaces, max_part_size), 1):
            _create_part(made, number, content)
        ids = [str(share.space_id) for share in spaces]
        parts = [ids[start : start + LOGGED] for start in range(0, len(ids), LOGGED)]
        details = [(None, {"export": str(made.id), "spaces": part}) for part in parts]
        log.record_all(events.EXPORT_REQUESTED, details, actor=Actor.of(host))
    return made


def _downloadable(host: User, space_ids: Collection[UUID] | None) -> SpaceQuerySet:
    spaces = Space.objects.served().filter(Exists(Recording.objects.filter(space=OuterRef("pk"))), host=host)
    return spaces if space_ids is None else spaces.filter(pk__in=space_ids)


def _is_of(last: Export, spaces: Sequence[SizedSpace]) -> bool:
    """Return whether the export has these Spaces unchanged, and all of its parts are ready or will be."""
    ids = [share.space_id for share in spaces]
    later = LogEntry.objects.filter(space_id__in=ids, event__in=events.CONTENT_EDITED, at__gte=last.requested_at)
    if later.exists():
        return False
    live = last.parts.filter(state__in=ExportPart.LIVE)
    entries = ExportPartEntry.objects.filter(export_part__in=live, excluded=False).values_list("space", flat=True)
    return set(entries) == set(ids)


def _revoke_earlier(host: User, chosen: bool) -> None:
    """End the live parts of the host's earlier exports of this kind, so that a host has at most two exports stored."""
    earlier = Export.objects.filter(host=host, chosen=chosen)
    # The same lock order as in archive/export_revocation.py.
    list(earlier.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    live = ExportPart.objects.filter(export__in=earlier, state__in=ExportPart.LIVE)
    for part in live.select_for_update(of=("self",)).order_by("pk"):
        state = ExportPart.State(part.state)
        new = ExportPart.State.REMOVED if state == ExportPart.State.READY else ExportPart.State.FAILED
        lifecycle.transition(part, state, new, actor=SYSTEM, problem=make_problem("export.superseded"), **leases.RESET)
        wakeups.wake(ExportPart, part.pk)


def _create_part(export: Export, number: int, content: Sequence[SizedSpace]) -> None:
    part = ExportPart.objects.create(export=export, number=number, requested_by=export.host)
    ExportPartEntry.objects.bulk_create(ExportPartEntry(export_part=part, space_id=share.space_id) for share in content)
    wakeups.wake(ExportPart, part.pk)


def build(export_part_id: UUID) -> bool:
    """Build the part, or resume. Returns True when this call made it ready."""
    return attempt(ExportPart, export_part_id, _build)


def _build(claim: Claim[ExportPart]) -> bool:
    export_part = claim.row
    with contents(export_part, dbtime.now()) as what:
        if what is None:
            raise TooLate("export.all_expired")
        claim.renew(content_digest=what.id)
        return compose_and_finish(claim, keys.export_part(export_part.id), what.segments, what.filename)


def visible_parts(export: Export) -> list[ExportPart]:
    """Return the newest part of each number."""
    rows = export.parts.order_by("number", "-requested_at", "-id").distinct("number")
    return list(rows.prefetch_related("places__space"))
