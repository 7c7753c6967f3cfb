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

from archive import lifecycle, log, words, work
from archive.bundles.proof import proof
from archive.errors import Changed, LeaseLost, Missing, StorageError, Unavailable
from archive.log import SYSTEM, events
from archive.models import Bundle, Package, Volume
from archive.storage import keys, store
from archive.storage.emptying import remove, seen_empty
from archive.work import Claim

P = TypeVar("P", Bundle, Volume)
TICK = 1.0  # seconds between two signs of life while a package is read back
PROVEN = {Bundle: events.BUNDLE_PROVEN, Volume: events.VOLUME_PROVEN}
MOST_PROOFS = 20  # some hours; a package that can't be read back in one run does without a checksum then
SHARE = 0.7  # of the lease, that one reading may take
UNPROVEN = Q(sha256="", attempts__lt=MOST_PROOFS)
UNCLEARED = Q(cleared=False)
DAMAGED = "It was read back after it was made, and did not hold what was taken in ({}). Ask for it again."

logger = structlog.get_logger()


def place(package: Bundle | Volume) -> str:
    """The key of its object, which follows from the row."""
    if isinstance(package, Volume):
        return keys.volume(package.id)
    return keys.bundle(package.space_id, package.id)


def is_to_be_proven(package: Package) -> bool:
    """Whether its SHA-256 will be known soon."""
    return package.state == Package.State.READY and not package.sha256 and package.attempts < MOST_PROOFS


def prove(model: type[P], package_id: UUID) -> bool:
    """Read it back, and keep its SHA-256. One that does not hold what was taken in is `failed`. True when the SHA-256
    is known by this call."""
    claim = work.claim(model, package_id, [Package.State.READY], only_if=UNPROVEN)
    if claim is None:
        return False
    try:
        with claim.reported():
            return _prove(claim)
    except Missing:
        forget(claim.row)
    except Changed as error:
        _condemn(claim, error)
    except StorageError as error:
        claim.give_back(str(error))
    except LeaseLost:
        pass
    return False


def _prove(claim: Claim[P]) -> bool:
    package = claim.row
    whole = package.size
    assert whole is not None
    told = time.monotonic()
    until = told + SHARE * work.lease().total_seconds()

    def step(count: int) -> None:
        nonlocal told
        if time.monotonic() > until:
            raise Unavailable(f"Only {words.size(count)} of {words.size(whole)} were read when the time was up.")
        if time.monotonic() - told > TICK:
            claim.renew()
            told = time.monotonic()

    sha256 = proof(store().stream(package.key, whole, package.etag), step)
    with transaction.atomic():
        claim.renew(sha256=sha256, problem="", **work.DONE)
        log.record(
            PROVEN[type(package)],
            space_id=lifecycle.space_id_of(package),
            actor=SYSTEM,
            **lifecycle.subject_of(package),
            size=package.size,
            sha256=sha256,
        )
    return True


def _condemn(claim: Claim[P], error: Changed) -> None:
    reason = DAMAGED.format(error)
    blank: dict[str, Any] = {"key": "", "size": None, "etag": "", "ready_at": None}
    lifecycle.move(claim.row, "ready", "failed", actor=SYSTEM, only_if=claim.mine, problem=reason, **blank, **work.DONE)
    logger.error("package_damaged", package=str(claim.row.pk), error=str(error))


def forget(package: Bundle | Volume) -> bool:
    """Its object is not in the store any more: `ready -> removed`, so that it can be asked for again."""
    return lifecycle.move(
        package, "ready", "removed", actor=SYSTEM, detail={"why": "missing in the store"}, **work.DONE
    )


def unfetched() -> Q:
    """Nobody began a download of it for BUNDLE_DAYS, by the database's clock."""
    before = Now() - timedelta(days=settings.BUNDLE_DAYS)
    return Q(state=Package.State.READY) & (Q(fetched_at__lte=before) | Q(fetched_at=None, ready_at__lte=before))


def let_go(model: type[Bundle] | type[Volume], limit: int = 1000) -> int:
    """`ready -> removed` for those that nobody fetched. Returns how many. They can be asked for again."""
    gone = 0
    for package in model._default_manager.filter(unfetched())[:limit]:
        why = {"why": "not fetched"}
        gone += lifecycle.move(
            package, "ready", "removed", actor=SYSTEM, only_if=unfetched(), detail=why, problem="", **work.DONE
        )
    return gone


def clear(model: type[P], package_id: UUID) -> bool:
    """Remove what the store has of a package that is over. True when it was seen empty by this call."""
    claim = work.claim(model, package_id, Package.OVER, only_if=UNCLEARED)
    if claim is None:
        return False
    bucket, key = store(), place(claim.row)
    try:
        remove(bucket, bucket.listing(key))
        seen_empty(bucket, key)
        claim.renew(cleared=True, **work.DONE)
    except StorageError as error:
        claim.give_back(claim.row.problem)  # that stays: people read it
        logger.warning("package_not_cleared", package=str(package_id), error=str(error))
        return False
    except LeaseLost:
        return False
    return True
