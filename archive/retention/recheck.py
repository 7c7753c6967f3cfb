"""Deleted stays deleted: once a day, the places of all deleted Spaces are looked at again.

One listing of the folders below `spaces/` shows every Space that the store has anything of, a thousand a call; whose
place is not among them is empty. So the cost follows what is kept, and not what was ever deleted. (Stores that show
empty folders too, as SeaweedFS does, are asked for each of these.) The parts that held one are looked at as well.
Anything in the place of a deleted Space is an alarm: a copy came back (a restored backup, a replica, a person). It is
logged, removed, seen empty, and logged again, as a supplement to the certificate, which stays true: the place was empty
when it says so.

A round asks for a bounded number of pages and places, and the next one goes on there. A page of which something could
not be removed is looked at again, with pauses of at most ten minutes, until nothing of it is left.
"""

from collections.abc import Collection, Sequence
from datetime import timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from archive import dbtime, leases, log
from archive.errors import LeaseLost, StorageError
from archive.leases import Claim
from archive.log import SYSTEM, events
from archive.models import DeletionCertificate, DeletionRecheck, ExportPartEntry, LogEntry, Space
from archive.retention import certificate
from archive.retention.purge import describe
from archive.storage import Listing, Store, keys, store
from archive.storage.purge_prefix import listings, purge_listing, require_empty

EVERY = timedelta(hours=24)
PAGES = 100  # of a thousand folders each, in one round
PLACES = 1000  # that are listed one by one, in one round; the last page may make it twice as many

logger = structlog.get_logger()


def is_due() -> bool:
    """Whether there is something to look at now."""
    return not DeletionRecheck.objects.filter(~(_due() & leases.claimable())).exists()


def _due() -> Q:
    return ~Q(marker="") | Q(finished_at=None) | Q(finished_at__lte=Now() - EVERY)


def run_round(pages: int = PAGES) -> bool:
    """One round. True when it came to the end of a day's look."""
    row, _ = DeletionRecheck.objects.get_or_create(pk=1)
    claim = leases.claim(DeletionRecheck, row.pk, ["listing"], condition=_due())
    if claim is None:
        return False
    try:
        with claim.report_unexpected():
            return _round(claim, pages)
    except StorageError as error:
        claim.release_for_retry(error.problem)
        logger.warning("relisting_failed", error=str(error))
    except LeaseLost:
        pass
    return False


def _round(claim: Claim[DeletionRecheck], pages: int) -> bool:
    bucket, marker = store(), claim.row.marker
    looked = 0
    if not marker:
        looked += recheck(bucket, {keys.prefix_of(key) for key, _ in bucket.uploads(keys.SPACES)})
        looked += recheck_exports(bucket)
    for _ in range(pages):
        folders, marker = bucket.folders(keys.SPACES, marker)
        looked += recheck(bucket, folders)
        claim.renew(marker=marker)
        if not marker:
            with transaction.atomic():
                claim.renew(finished_at=Now(), problem={}, **leases.RESET)
                log.record(events.DELETION_RECHECKED, space_id=None, actor=SYSTEM, spaces=_deleted().count())
            return True
        if looked >= PLACES:
            break
    claim.renew(**leases.RESET)
    return False


def recheck(bucket: Store, prefixes: Collection[str]) -> int:
    """Remove what there is under those of `prefixes` that belong to deleted Spaces. Returns how many of these there
    are. Raises StorageError, but not before all of them were tried."""
    ids = [space_id for prefix in prefixes if (space_id := keys.space_of(prefix))]
    places = {keys.prefix(pk): pk for pk in _deleted().filter(pk__in=ids).values_list("pk", flat=True)}
    if not places:
        return 0
    found, failed = listings(bucket, sorted(places))
    for prefix, listing in found.items():
        if listing and (error := _removed(bucket, prefix, listing, [places[prefix]])):
            failed[prefix] = error
    if failed:
        raise next(iter(failed.values()))
    return len(places)


def recheck_exports(bucket: Store) -> int:
    """The same for the parts that held a deleted Space: its deletion saw their places empty as well
    (archive/export_revocation.py). There are few parts, so one listing of all of them does. Raises as `look_at`."""
    listing, there = bucket.listing(keys.EXPORTS), dict[UUID, Listing]()
    for key in {*(version.key for version in listing.versions), *(key for key, _ in listing.uploads)}:
        if export_part_id := keys.export_part_of(key):
            there[export_part_id] = _of(key, listing)
    deleted: dict[UUID, list[UUID]] = {}
    holding = ExportPartEntry.objects.filter(export_part__in=there, excluded=False, space__state=Space.State.DELETED)
    for export_part_id, space_id in holding.order_by("space").values_list("export_part_id", "space_id"):
        deleted.setdefault(export_part_id, []).append(space_id)
    errors = [_removed(bucket, keys.export_part(pk), there[pk], space_ids) for pk, space_ids in deleted.items()]
    if failed := [error for error in errors if error]:
        raise failed[0]
    return len(deleted)


def _of(key: str, found: Listing) -> Listing:
    versions = tuple(version for version in found.versions if version.key == key)
    return Listing(versions, tuple(upload for upload in found.uploads if upload[0] == key))


def _removed(bucket: Store, place: str, found: Listing, space_ids: Sequence[UUID]) -> StorageError | None:
    """Tell of it, remove it, see it empty, and tell that; or what went wrong."""
    try:
        for space_id in space_ids:
            _tell(space_id, found)
        purge_listing(bucket, found)
        require_empty(bucket, place)
        for space_id in space_ids:
            _supplement(space_id, found)
    except StorageError as error:
        return error
    return None


def _deleted() -> QuerySet[Space]:
    return Space.objects.filter(state=Space.State.DELETED)


def _tell(space_id: UUID, found: Listing) -> None:
    """Before it is removed; of a copy that can't be removed, once."""
    entries = LogEntry.objects.filter(space_id=space_id, event__in=[events.COPY_FOUND, events.COPY_REMOVED])
    last = entries.order_by("-id").values_list("event", "detail").first()
    told = describe(found)
    logger.error("deleted_copy_came_back", space=str(space_id), objects=len(found.versions))
    if last != (events.COPY_FOUND, told):
        with transaction.atomic():
            log.record(events.COPY_FOUND, space_id=space_id, actor=SYSTEM, **told)


def _supplement(space_id: UUID, found: Listing) -> None:
    """What the certificate can't say, for it was made before."""
    proof = DeletionCertificate.objects.filter(pk=space_id).first()
    with transaction.atomic():
        log.record(
            events.COPY_REMOVED,
            space_id=space_id,
            actor=SYSTEM,
            object_count=len(found.versions),
            listed_empty_at=log.rfc3339(dbtime.now()),
            certificate=certificate.digest(proof) if proof else None,
        )
