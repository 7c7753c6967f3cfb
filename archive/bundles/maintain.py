"""Maintain packages: verify ready ones, remove those without downloads, clear the storage of ended ones.

The row changes first, the store second: once a row is not `ready`, its object gets no new download address, and no
worker completes it. A crash in between leaves a row that is not `storage_cleared`; the dispatcher retries it. While
deletion is paused (archive/restores.py), the store keeps the objects: the bundle of a lost recording is its last copy.
"""

from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from archive import leases, lifecycle, restores, wakeups
from archive.bundles.build import log_verification
from archive.bundles.pace import Pace
from archive.bundles.read_back import read_back
from archive.errors import ObjectChanged, ObjectMissing, SpacekeepError, StoreUnavailable, make_problem
from archive.leases import Claim
from archive.log import SYSTEM
from archive.models import Bundle, ExportPart, Package
from archive.storage import keys, store
from archive.storage.purge_prefix import purge_listing, require_empty

P = TypeVar("P", Bundle, ExportPart)
State = Package.State
MAX_READ_BACKS = 20  # some hours; after that, the package stays without a checksum
UNVERIFIED = Q(verified_by="", attempts__lt=MAX_READ_BACKS)
UNCLEARED = Q(storage_cleared=False)

logger = structlog.get_logger()


def place(package: Bundle | ExportPart) -> str:
    """Return the key of the package's object, which depends only on the row's id."""
    if isinstance(package, ExportPart):
        return keys.export_part(package.id)
    return keys.bundle(package.space_id, package.id)


def awaits_verification(package: Package) -> bool:
    """Return whether the package is still to be read back."""
    return package.state == Package.State.READY and not package.verified_by and package.attempts < MAX_READ_BACKS


def verify(model: type[P], package_id: UUID) -> bool:
    """Read back a ready package that the store could not verify. Set it to `failed` if a member differs from the
    upload.

    Returns True if this call stored the SHA-256.
    """
    claim = leases.claim(model, package_id, [State.READY], condition=UNVERIFIED)
    return leases.attempt(claim, _verify, permanent=(ObjectMissing, ObjectChanged), fail=_condemn)


def _verify(claim: Claim[P]) -> bool:
    package, budget = claim.row, claim.budget()
    size = package.size
    assert size is not None

    pace = Pace(size, budget.seconds_left())

    def step(count: int) -> None:
        if budget.is_used_up():
            raise StoreUnavailable("bundle.read_too_slow", done=count, size=size)
        budget.heartbeat()
        pace.keep(count)

    sha256 = read_back(store().stream(package.key, size, package.etag), step)
    with transaction.atomic():
        claim.renew(sha256=sha256, verified_by=Package.Verification.READ_BACK, problem={}, **leases.RESET)
        log_verification(package, {"size": size, "sha256": sha256})
    return True


def _condemn(claim: Claim[P], error: SpacekeepError) -> None:
    if isinstance(error, ObjectMissing):
        mark_missing(claim.row)
        return
    blank: dict[str, Any] = {"key": "", "size": None, "etag": "", "ready_at": None, "crc32": None, "verified_by": ""}
    if lifecycle.transition(
        claim.row,
        State.READY,
        State.FAILED,
        actor=SYSTEM,
        condition=claim.still_held,
        problem=make_problem("bundle.damaged", reason=error.problem),
        **blank,
        **leases.RESET,
    ):
        wakeups.wake(type(claim.row), claim.row.pk)
        logger.error("package_damaged", package=str(claim.row.pk), error=error.code)


def mark_missing(package: Bundle | ExportPart) -> bool:
    """Set the package from `ready` to `removed`, as the store has lost its object. It can be requested again."""
    return _remove(package, "object-missing")


def unfetched() -> Q:
    """Match ready packages without a download for BUNDLE_KEEP_DAYS, by the database's clock."""
    before = Now() - timedelta(days=settings.BUNDLE_KEEP_DAYS)
    return Q(state=State.READY) & (Q(fetched_at__lte=before) | Q(fetched_at=None, ready_at__lte=before))


def remove_unfetched(model: type[Bundle] | type[ExportPart], limit: int = 1000) -> int:
    """Remove ready packages without recent downloads. Returns how many. They can be requested again."""
    packages = model._default_manager.filter(unfetched())[:limit]
    return sum(_remove(package, "not-fetched", condition=unfetched(), problem={}) for package in packages)


def _remove(package: Bundle | ExportPart, why: str, condition: Q | None = None, **changes: Any) -> bool:
    removed = lifecycle.transition(
        package,
        State.READY,
        State.REMOVED,
        actor=SYSTEM,
        condition=condition,
        detail={"why": why},
        **changes,
        **leases.RESET,
    )
    if removed:
        wakeups.wake(type(package), package.pk)
    return removed


def clear_storage(model: type[P], package_id: UUID) -> bool:
    """Remove all data of an ended package from the store. Returns True when this call saw the store empty."""
    claim = leases.claim(model, package_id, Package.OVER, condition=UNCLEARED)
    return leases.attempt(claim, _clear_storage, retry=_retry_clearing, parks=False)


def _clear_storage(claim: Claim[P]) -> bool:
    restores.require_no_pause()
    bucket, key = store(), place(claim.row)
    purge_listing(bucket, bucket.listing(key))
    require_empty(bucket, key)
    claim.renew(storage_cleared=True, **leases.RESET)
    return True


def _retry_clearing(claim: Claim[P], error: SpacekeepError) -> None:
    claim.release_for_retry(claim.row.problem, cause=error.problem)  # the row's problem says why the package ended
