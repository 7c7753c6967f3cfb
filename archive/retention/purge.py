"""Deleting a Space. This module destroys recordings that exist nowhere else; read this before you change a line.

The dangers: deleting what must stay (a deadline that moved, a hold); saying "deleted" while a copy lives; a copy
that comes back afterwards; and stopping half way for ever.

The order of steps, and what each guarantees:

1. `begin`: one compare-and-set, `kept state -> expiring`, on the condition that the deadline has come by the database's
   clock. A flag that commits first moves the deadline, and the condition fails; one that comes later is told that it is
   too late. From here on nothing is served, and no writer gets past its check: an intake looks at this row, and the
   bundles, uploads and automatic transcripts that were not ready end in the same transaction.
2. `claim`: lease and fence. One worker at a time; if it dies, the next goes on when the lease runs out. Never given up.
3. List everything under the Space's prefix: objects, old versions, delete markers, open uploads. Add the inventory: the
   keys that our rows know. What was found is logged and committed before anything is destroyed, so that the log is
   complete even when we die in the middle.
4. End the open uploads, then delete. Uploads first, so that a writer that was asleep can't complete any more.
5. Read every per-key error. 404 is success. 403 or 5xx is "not known": give the claim back, and try again later.
6. List again. Only an empty answer lets us go on.
7. In one transaction: delete the rows that hold content, blank the names, and move to `deleted` with the log entry that
   says what was deleted and when it was seen to be empty, and with the signed certificate that says the same to anybody
   (certificate.py). The row that stays is a tombstone.

Dying between any two steps leaves the row in `expiring`, and the next claim starts again at step 3; each step can
be done twice.
"""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from archive import clock, lifecycle, log, work
from archive.errors import LeaseLost, StorageError
from archive.log import SYSTEM, events
from archive.models import Bundle, LogEntry, Space, Transcription, UploadSession
from archive.retention import certificate
from archive.retention.sweep import is_due
from archive.storage import Listing, StoredVersion, keys, store
from archive.storage.emptying import remove, seen_empty
from archive.work import Claim

SHOWN = 500  # at most so many found objects are named in one log entry; the rest is counted


def purge(space_id: UUID) -> bool:
    """Delete the Space if its deadline has come. True when it is deleted by this call; False when it is not due,
    somebody else is at it, or the store did not do its part (the row then says why, and waits for the next try)."""
    begin(space_id)
    claim = work.claim(Space, space_id, [Space.State.EXPIRING])
    if claim is None:
        return False
    try:
        with claim.reported():
            removed = _empty(claim)
            return _bury(claim, removed)
    except StorageError as error:
        claim.give_back(str(error))
        return False
    except LeaseLost:
        return False


def begin(space_id: UUID) -> bool:
    """`-> expiring`, if the Space is due at this moment. False when it is not, or when it began before."""
    space = Space.objects.filter(is_due(Now()), pk=space_id).first()
    if space is None:
        return False
    why = "deadline" if space.is_gone(clock.now()) else "abandoned"
    detail = {"deadline": log.moment(space.expires_at), "why": why}
    with transaction.atomic():
        began = lifecycle.move(
            space, space.state, "expiring", actor=SYSTEM, only_if=is_due(Now()), detail=detail, problem="", **work.DONE
        )
        if began:
            _stop_work(space)
    return began


# What may be at work for a Space, and how it ends when the deadline comes first.
WORK: list[tuple[type[Bundle] | type[Transcription] | type[UploadSession], str, str]] = [
    (Bundle, "requested", "failed"),
    (Bundle, "building", "failed"),
    (Transcription, "requested", "failed"),
    (Transcription, "running", "failed"),
    (UploadSession, "open", "aborted"),
    (UploadSession, "arrived", "refused"),
]


def _stop_work(space: Space) -> None:
    """Whoever works for it looks at the row of that work: its next write, and the check before its first byte, must
    fail."""
    for model, old, new in WORK:
        for row in model._default_manager.select_for_update().filter(space=space, state=old):
            lifecycle.move(row, old, new, actor=SYSTEM, problem="Its deadline came before it was done.", **work.DONE)


def _empty(claim: Claim[Space]) -> list[dict[str, Any]]:
    """Steps 3 to 6. Returns the inventory: what our rows know that the store had."""
    space, bucket = claim.row, store()
    prefix = keys.prefix(space.id)
    inventory = _inventory(space)
    found = bucket.listing(prefix)
    if found and (told := _told(found)) != _told_last(space):  # a store that says no for days is told of once
        with transaction.atomic():
            claim.renew()
            log.record(events.DELETION_LISTED, space_id=space.id, actor=SYSTEM, **told)
    listed = {version.key for version in found.versions}
    unlisted = tuple(StoredVersion(row["key"], "", row["size"]) for row in inventory if row["key"] not in listed)
    remove(bucket, found, unlisted)
    claim.renew()
    seen_empty(bucket, prefix)
    return inventory


def _inventory(space: Space) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for kind in (space.recordings, space.transcripts, space.derived):
        rows += [{"key": o.key, "size": o.size, "sha256": o.sha256} for o in kind.all()]
    ready = Bundle.objects.filter(space=space).exclude(key="")
    return rows + [{"key": b.key, "size": b.size, "etag": b.etag} for b in ready]


def _told_last(space: Space) -> dict[str, Any] | None:
    entries = LogEntry.objects.filter(space_id=space.id, event=events.DELETION_LISTED).order_by("-id")
    told: dict[str, Any] | None = entries.values_list("detail", flat=True).first()
    return told


def _told(found: Listing) -> dict[str, Any]:
    markers = sum(version.marker for version in found.versions)
    return {
        "objects": [{"key": v.key, "size": v.size} for v in found.versions[:SHOWN]],
        "object_count": len(found.versions),
        "old_versions": len(found.versions) - len({v.key for v in found.versions if not v.marker}) - markers,
        "delete_markers": markers,
        "open_uploads": len(found.uploads),
    }


def _bury(claim: Claim[Space], removed: list[dict[str, Any]]) -> bool:
    """Step 7: the tombstone and its certificate."""
    space = claim.row
    now = clock.now()
    detail = {"removed": removed, "listed_empty_at": log.moment(now), "attempts": claim.attempt}
    with transaction.atomic():
        entries = certificate.story([space.id])[space.id]
        proof = certificate.make(space, entries, certificate.Emptied(removed, now, claim.attempt), now)
        detail["certificate"] = certificate.digest(proof)
        gone = lifecycle.move(
            space,
            "expiring",
            "deleted",
            actor=SYSTEM,
            only_if=claim.mine,
            detail=detail,
            deleted_at=now,
            title="",
            salt="",
            fingerprint="",
            problem="",
            audience="",
            step="",
            **work.DONE,
        )
        if gone:
            proof.save(force_insert=True)
            for content in (
                space.recordings,
                space.transcripts,
                space.derived,
                space.bundles,
                space.participants,
                space.uploads,
                space.transcriptions,
            ):
                content.all().delete()
            space.violations.update(reason="", lift_reason="")
    return gone
