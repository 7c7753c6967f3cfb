"""Daily check that the storage prefixes of deleted Spaces are still empty.

One listing of the folders below `spaces/` shows every Space with data in the store, a thousand per request; the
prefixes of all others are empty. So the cost grows with what is stored, not with what was ever deleted. (Some stores,
such as SeaweedFS, list empty folders too; each of these takes one more request.) Export parts that contained a deleted
Space are checked as well. Any object under the prefix of a deleted Space raises an alert: a copy came back (from a
restored backup, a replica, a person). It is logged, removed, verified to be gone, and logged again, as a supplement to
the certificate. The certificate stays true: the prefix was empty at the time that it names.

A round reads a bounded number of pages and prefixes, and the next round continues there. If something on a page can't
be removed, the page is checked again, with pauses of at most ten minutes, until all of it is removed. No round runs
while deletion is paused (archive/restores.py).
"""

from collections.abc import Collection, Sequence
from datetime import timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from archive import dbtime, leases, log, restores
from archive.errors import StorageError
from archive.leases import Claim
from archive.log import SYSTEM, events
from archive.models import DeletionCertificate, DeletionRecheck, ExportPartEntry, LogEntry, Space
from archive.retention import certificate
from archive.retention.purge import describe
from archive.storage import Listing, Store, keys, store
from archive.storage.purge_prefix import listings, purge_listing, require_empty

EVERY = timedelta(hours=24)
PAGES = 100  # folder listings in one round, a thousand folders each
PREFIXES = 1000  # prefixes listed one by one in a round; the last page may double the number

logger = structlog.get_logger()


def is_due() -> bool:
    """Return whether a round is due and no other worker is running it."""
    return not DeletionRecheck.objects.filter(~(_due() & leases.claimable())).exists()


def _due() -> Q:
    return ~Q(marker="") | Q(finished_at=None) | Q(finished_at__lte=Now() - EVERY)


def run_round(pages: int = PAGES) -> bool:
    """Run one round. Returns True when it reached the end of the daily check."""
    row, _ = DeletionRecheck.objects.get_or_create(pk=1)
    claim = leases.claim(DeletionRecheck, row.pk, ["listing"], condition=_due())
    return leases.attempt(claim, lambda claim: _round(claim, pages), parks=False)


def _round(claim: Claim[DeletionRecheck], pages: int) -> bool:
    restores.require_no_pause()
    bucket, marker = store(), claim.row.marker
    checked = 0
    if not marker:
        checked += recheck(bucket, {keys.prefix_of(key) for key, _ in bucket.uploads(keys.SPACES)})
        checked += recheck_exports(bucket)
    for _ in range(pages):
        folders, marker = bucket.folders(keys.SPACES, marker)
        checked += recheck(bucket, folders)
        claim.renew(marker=marker)
        if not marker:
            with transaction.atomic():
                claim.renew(finished_at=Now(), problem={}, **leases.RESET)
                log.record(events.DELETION_RECHECKED, space_id=None, actor=SYSTEM, spaces=_deleted().count())
            return True
        if checked >= PREFIXES:
            break
    claim.renew(**leases.RESET)
    return False


def recheck(bucket: Store, prefixes: Collection[str]) -> int:
    """Remove everything under those of `prefixes` that belong to deleted Spaces. Returns how many of them do. Raises
    StorageError after trying all of them."""
    ids = [space_id for prefix in prefixes if (space_id := keys.space_of(prefix))]
    deleted = {keys.prefix(pk): pk for pk in _deleted().filter(pk__in=ids).values_list("pk", flat=True)}
    if not deleted:
        return 0
    found, failed = listings(bucket, sorted(deleted))
    for prefix, listing in found.items():
        if listing and (error := _remove(bucket, prefix, listing, [deleted[prefix]])):
            failed[prefix] = error
    if failed:
        raise next(iter(failed.values()))
    return len(deleted)


def recheck_exports(bucket: Store) -> int:
    """Recheck the export parts that contained a deleted Space: its deletion verified that they were gone
    (archive/export_revocation.py). There are few parts, so all of them are listed at once."""
    listing, listed = bucket.listing(keys.EXPORTS), dict[UUID, Listing]()
    for key in {*(version.key for version in listing.versions), *(key for key, _ in listing.uploads)}:
        if export_part_id := keys.export_part_of(key):
            listed[export_part_id] = _of(key, listing)
    deleted: dict[UUID, list[UUID]] = {}
    entries = ExportPartEntry.objects.filter(export_part__in=listed, excluded=False, space__state=Space.State.DELETED)
    for export_part_id, space_id in entries.order_by("space").values_list("export_part_id", "space_id"):
        deleted.setdefault(export_part_id, []).append(space_id)
    errors = [_remove(bucket, keys.export_part(pk), listed[pk], space_ids) for pk, space_ids in deleted.items()]
    if failed := [error for error in errors if error]:
        raise failed[0]
    return len(deleted)


def _of(key: str, listing: Listing) -> Listing:
    versions = tuple(version for version in listing.versions if version.key == key)
    return Listing(versions, tuple(upload for upload in listing.uploads if upload[0] == key))


def _remove(bucket: Store, prefix: str, listing: Listing, space_ids: Sequence[UUID]) -> StorageError | None:
    """Log the copy, remove it, verify that the prefix is empty, and log that. Returns the error, if any."""
    try:
        for space_id in space_ids:
            _log_copy(space_id, listing)
        purge_listing(bucket, listing)
        require_empty(bucket, prefix)
        for space_id in space_ids:
            _log_removal(space_id, listing)
    except StorageError as error:
        return error
    return None


def _deleted() -> QuerySet[Space]:
    return Space.objects.filter(state=Space.State.DELETED)


def _log_copy(space_id: UUID, listing: Listing) -> None:
    """Alert, and log a copy before it is removed. A copy that can't be removed is logged once."""
    entries = LogEntry.objects.filter(space_id=space_id, event__in=[events.COPY_FOUND, events.COPY_REMOVED])
    last = entries.order_by("-id").values_list("event", "detail").first()
    detail = describe(listing)
    logger.error("deleted_copy_came_back", space=str(space_id), objects=len(listing.versions))
    if last != (events.COPY_FOUND, detail):
        with transaction.atomic():
            log.record(events.COPY_FOUND, space_id=space_id, actor=SYSTEM, **detail)


def _log_removal(space_id: UUID, listing: Listing) -> None:
    """Log the removal as a supplement to the certificate, which was made earlier."""
    proof = DeletionCertificate.objects.filter(pk=space_id).first()
    with transaction.atomic():
        log.record(
            events.COPY_REMOVED,
            space_id=space_id,
            actor=SYSTEM,
            object_count=len(listing.versions),
            listed_empty_at=log.rfc3339(dbtime.now()),
            certificate=certificate.digest(proof) if proof else None,
        )
