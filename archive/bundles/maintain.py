"""What follows after a package is ready or over: reading it back, removing it when nobody fetches it, clearing the
store of what came to nothing.

The row first, the store second: from the moment that a row is not `ready` nobody is sent to its object, and no worker
completes it any more. Dying in between leaves a row that is not `cleared`; the dispatcher comes back to it.
"""

import time
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from archive import leases, lifecycle, log
from archive.bundles.read_back import read_back
from archive.errors import LeaseLost, ObjectChanged, ObjectMissing, StorageError, StoreUnavailable, make_problem
from archive.leases import Claim
from archive.log import SYSTEM, events
from archive.models import Bundle, ExportPart, Package
from archive.storage import keys, store
from archive.storage.purge_prefix import purge_listing, require_empty

P = TypeVar("P", Bundle, ExportPart)
TICK = 1.0  # seconds between two signs of life while a package is read back
PROVEN = {Bundle: events.BUNDLE_VERIFIED, ExportPart: events.EXPORT_PART_VERIFIED}
MOST_PROOFS = 20  # some hours; a package that can't be read back in one run does without a checksum then
SHARE = 0.7  # of the lease, that one reading may take
UNVERIFIED = Q(sha256="", attempts__lt=MOST_PROOFS)
UNCLEARED = Q(storage_cleared=False)

logger = structlog.get_logger()


def place(package: Bundle | ExportPart) -> str:
    """The key of its object, which follows from the row."""
    if isinstance(package, ExportPart):
        return keys.export_part(package.id)
    return keys.bundle(package.space_id, package.id)


def is_to_be_proven(package: Package) -> bool:
    """Whether its SHA-256 will be known soon."""
    return package.state == Package.State.READY and not package.sha256 and package.attempts < MOST_PROOFS


def verify(model: type[P], package_id: UUID) -> bool:
    """Read it back, and keep its SHA-256. One that does not hold what was taken in is `failed`. True when the SHA-256
    is known by this call."""
    claim = leases.claim(model, package_id, [Package.State.READY], condition=UNVERIFIED)
    if claim is None:
        return False
    try:
        with claim.report_unexpected():
            return _prove(claim)
    except ObjectMissing:
        mark_missing(claim.row)
    except ObjectChanged as error:
        _condemn(claim, error)
    except StorageError as error:
        claim.release_for_retry(error.problem)
    except LeaseLost:
        pass
    return False


def _prove(claim: Claim[P]) -> bool:
    package = claim.row
    whole = package.size
    assert whole is not None
    told = time.monotonic()
    until = told + SHARE * leases.lease().total_seconds()

    def step(count: int) -> None:
        nonlocal told
        if time.monotonic() > until:
            raise StoreUnavailable("bundle.read_too_slow", done=count, size=whole)
        if time.monotonic() - told > TICK:
            claim.renew()
            told = time.monotonic()

    sha256 = read_back(store().stream(package.key, whole, package.etag), step)
    with transaction.atomic():
        claim.renew(sha256=sha256, problem={}, **leases.RESET)
        log.record(
            PROVEN[type(package)],
            space_id=lifecycle.space_id_of(package),
            actor=SYSTEM,
            **lifecycle.subject_of(package),
            size=package.size,
            sha256=sha256,
        )
    return True


def _condemn(claim: Claim[P], error: ObjectChanged) -> None:
    reason = make_problem("bundle.damaged", reason=error.problem)
    blank: dict[str, Any] = {"key": "", "size": None, "etag": "", "ready_at": None}
    lifecycle.transition(
        claim.row, "ready", "failed", actor=SYSTEM, condition=claim.mine, problem=reason, **blank, **leases.RESET
    )
    logger.error("package_damaged", package=str(claim.row.pk), error=str(error))


def mark_missing(package: Bundle | ExportPart) -> bool:
    """Its object is not in the store any more: `ready -> removed`, so that it can be asked for again."""
    return lifecycle.transition(
        package, "ready", "removed", actor=SYSTEM, detail={"why": "object-missing"}, **leases.RESET
    )


def unfetched() -> Q:
    """Nobody began a download of it for BUNDLE_KEEP_DAYS, by the database's clock."""
    before = Now() - timedelta(days=settings.BUNDLE_KEEP_DAYS)
    return Q(state=Package.State.READY) & (Q(fetched_at__lte=before) | Q(fetched_at=None, ready_at__lte=before))


def remove_unfetched(model: type[Bundle] | type[ExportPart], limit: int = 1000) -> int:
    """`ready -> removed` for those that nobody fetched. Returns how many. They can be asked for again."""
    gone = 0
    for package in model._default_manager.filter(unfetched())[:limit]:
        why = {"why": "not-fetched"}
        gone += lifecycle.transition(
            package, "ready", "removed", actor=SYSTEM, condition=unfetched(), detail=why, problem={}, **leases.RESET
        )
    return gone


def clear_storage(model: type[P], package_id: UUID) -> bool:
    """Remove what the store has of a package that is over. True when it was seen empty by this call."""
    claim = leases.claim(model, package_id, Package.OVER, condition=UNCLEARED)
    if claim is None:
        return False
    bucket, key = store(), place(claim.row)
    try:
        purge_listing(bucket, bucket.listing(key))
        require_empty(bucket, key)
        claim.renew(storage_cleared=True, **leases.RESET)
    except StorageError as error:
        claim.release_for_retry(claim.row.problem)  # that stays: people read it
        logger.warning("package_not_cleared", package=str(package_id), error=str(error))
        return False
    except LeaseLost:
        return False
    return True
