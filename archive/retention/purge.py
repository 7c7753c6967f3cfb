"""Delete Spaces. This module destroys recordings that exist nowhere else: read this before you change a line.

The dangers: to delete what must stay (a deadline that moved, a hold); to report "deleted" while a copy exists; to miss
a copy that appears afterwards; to stop half way for ever. A database that was restored from a backup lacks the newest
holds, so no deletion starts or continues unless archive/restores.py has ruled out a restore.

The order of steps, and what each guarantees:

1. `begin`: one compare-and-set, `kept state -> expiring`, on the condition that the deadline has passed by the
   database's clock. A flag that commits first moves the deadline, and the condition fails; a later one is refused as
   too late. Serving already stopped at the deadline, whatever the state (`is_served` in models/space_queries.py). This
   step stops the writers: an intake checks this row before it writes; unfinished bundles, uploads and automatic
   transcripts end in the same transaction, and so do the export parts that contain this Space
   (archive/export_revocation.py).
2. `claim`: lease and fence. One worker at a time; if it dies, another one continues when the lease expires. Deletions
   are retried until they succeed.
3. List everything under the Space's prefix: objects, old versions, delete markers, open uploads; and the objects of
   those parts. Add the inventory: the keys that our rows name. The result is logged and committed before anything is
   destroyed, so that the log is complete even if the worker dies half way.
4. Abort the open uploads, then delete. Uploads come first, so that a paused writer can't complete one afterwards.
5. Read every per-key error. 404 is success. 403 or 5xx means "not known": release the claim, and retry later.
6. List again. Only an empty listing lets the deletion proceed.
7. In one transaction (tombstone.py): delete the rows that hold content, blank the names, move to `deleted`, and write
   the log entry (the deleted objects, and when the prefix was verified empty), the signed certificate of the same facts
   (certificate.py), and the notice to the host. The remaining row is a tombstone.

A crash between any two steps leaves the row in `expiring`, and the next claim restarts at step 3; each step is
idempotent.

A worker deletes one Space, `manage.py sweep` hundreds at a time: the same steps, each done for all of them before the
next one begins. That saves requests and statements, and weakens no guarantee: every Space has a fence of its own, which
every write checks; an error of one Space releases only that Space; and no tombstone is written unless all prefixes of
that Space were listed empty. A Space that failed before shares no DeleteObjects call with others, because one of its
keys may make the whole call fail.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from itertools import accumulate, islice
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from archive import dbtime, export_revocation, leases, lifecycle, log, restores
from archive.errors import Problem, make_problem
from archive.leases import Claim
from archive.log import SYSTEM, events
from archive.models import Bundle, Derived, LogEntry, Recording, Space, Transcript, Transcription, UploadSession
from archive.models.space_queries import is_due
from archive.retention import certificate
from archive.retention import due as due_spaces
from archive.retention.tombstone import write_tombstones
from archive.storage import Listing, StoredVersion, keys, store
from archive.storage.purge_prefix import Failures, delete_objects, list_remaining, listings, merge
from archive.storage.s3 import BATCH

SHOWN = 500  # objects named in one log entry at most; the rest is counted
MAX_SHOWN_BYTES = 40_000
AT_ONCE = 250  # Spaces per batch of a sweep: with about four objects each, they fill one DeleteObjects call
MAX_CONTINUED = 1_000_000  # Spaces with a started deletion that one sweep continues at most

Inventory = dict[UUID, list[dict[str, Any]]]  # {Space: the objects in our rows}
Places = dict[UUID, list[str]]  # {Space: where the store may have its data: its prefix, and export parts}


def purge(space_id: UUID) -> bool:
    """Delete the Space if its deadline has passed. Returns True when this call deleted it; False when it is not due,
    another worker has it, or the store failed (the row then has the problem, and waits for the next attempt)."""
    return purge_all([space_id]) == [space_id]


def purge_all(space_ids: Collection[UUID], keys_at_once: int = BATCH) -> list[UUID]:
    """Like `purge`, for several Spaces together, with `keys_at_once` keys per DeleteObjects call. Returns the ids of
    the Spaces that this call deleted: none while deletion is paused (archive/restores.py)."""
    certificate.require_key()
    if pause := restores.find_pause():
        _postpone(space_ids, pause)
        return []
    return _purge_now(space_ids, keys_at_once)


def _purge_now(space_ids: Collection[UUID], keys_at_once: int) -> list[UUID]:
    """Do `purge_all` without checking for a pause."""
    begin_all(space_ids)
    claims = leases.claim_all(Space, space_ids, [Space.State.EXPIRING])
    if not claims:
        return []
    with ExitStack() as unexpected:
        for claim in claims:
            unexpected.enter_context(claim.report_unexpected())
        inventory = _inventory([claim.row for claim in claims])
        claims = _empty(claims, inventory, keys_at_once)
        return write_tombstones(claims, inventory)


def _postpone(space_ids: Collection[UUID], pause: Problem) -> None:
    """Store the reason for the wait on the rows of deletions that have started."""
    for claim in leases.claim_all(Space, space_ids, [Space.State.EXPIRING]):
        claim.release_for_retry(pause)


def sweep_all(at_once: int = AT_ONCE, keys_at_once: int = BATCH) -> Iterator[UUID]:
    """Delete everything that is due, `at_once` Spaces at a time, earliest deadline first. Yields the ids of the deleted
    Spaces. Stops when the store deleted nothing of a batch, since the next batch would fail too, and while deletion is
    paused."""
    certificate.require_key()
    pending = [
        *(due.id for due in due_spaces.due_spaces()),
        *leases.claimable_ids(Space, [Space.State.EXPIRING], limit=MAX_CONTINUED),
    ]
    for start in range(0, len(pending), at_once):
        batch = pending[start : start + at_once]
        if pause := restores.find_pause():
            _postpone(batch, pause)
            return
        deleted = _purge_now(batch, keys_at_once)
        yield from deleted
        if not deleted and Space.objects.filter(pk__in=batch, retry_at__gt=Now()).count() == len(batch):
            return


def begin(space_id: UUID) -> bool:
    """Move the Space to `expiring` if it is due now. Returns False when it is not, or was moved before."""
    return bool(begin_all([space_id]))


def begin_all(space_ids: Collection[UUID]) -> list[Space]:
    """Like `begin`, for several Spaces in one transaction. Returns those that moved. If there are several, a Space
    whose row is locked waits for the next round."""
    spaces = list(Space.objects.due().filter(pk__in=space_ids))
    if not spaces:
        return []
    now = dbtime.now()
    began: list[Space] = []
    with transaction.atomic():
        for state in Space.KEPT:
            due = [space for space in spaces if space.state == state]
            began += lifecycle.transition_all(
                due,
                state,
                Space.State.EXPIRING,
                actor=SYSTEM,
                condition=is_due(),
                details={space.pk: _why(space, now) for space in due},
                problem={},
                **leases.RESET,
            )
        if began:
            _stop_work(began)
            export_revocation.revoke(began)
    return began


def _why(space: Space, now: datetime) -> dict[str, Any]:
    return {"deadline": log.rfc3339(space.expires_at), "why": "deadline" if space.is_gone(now) else "abandoned"}


# Unfinished work for a Space, and its end when the deadline passes first: (model, from, to).
WORK: list[tuple[type[Bundle] | type[Transcription] | type[UploadSession], lifecycle.State, lifecycle.State]] = [
    (Bundle, Bundle.State.REQUESTED, Bundle.State.FAILED),
    (Bundle, Bundle.State.BUILDING, Bundle.State.FAILED),
    (Bundle, Bundle.State.READY, Bundle.State.REMOVED),
    (Transcription, Transcription.State.REQUESTED, Transcription.State.FAILED),
    (Transcription, Transcription.State.RUNNING, Transcription.State.FAILED),
    (UploadSession, UploadSession.State.OPEN, UploadSession.State.ABORTED),
    (UploadSession, UploadSession.State.UPLOADED, UploadSession.State.REJECTED),
]


def _stop_work(spaces: Sequence[Space]) -> None:
    """End the unfinished work for these Spaces, so that its workers' next write, and their check before the first byte,
    fail. Waits for locked rows."""
    for model, old, new in WORK:
        unfinished = model._default_manager.filter(space__in=spaces, state=old).order_by("pk")
        rows: list[Any] = list(unfinished.select_for_update(of=("self",)))
        reason = make_problem("work.deadline_first")
        lifecycle.transition_all(rows, old, new, actor=SYSTEM, condition=Q(), problem=reason, **leases.RESET)


def _empty(claims: list[Claim[Space]], inventory: Inventory, keys_at_once: int) -> list[Claim[Space]]:
    """Do steps 3 to 6. Returns the claims of the Spaces whose places were listed empty."""
    bucket, places = store(), _places(claims)
    found, failed = listings(bucket, _all(claims, places))
    claims = _log_found(_without(claims, failed, places), found, places)
    doomed = {place: found[place] for place in _all(claims, places)}
    unlisted = {keys.prefix(claim.row.id): _unlisted(claim.row, found, inventory) for claim in claims}
    retried = _all([claim for claim in claims if claim.attempt > 1], places)
    failed = delete_objects(bucket, doomed, unlisted, retried, keys_at_once)
    claims = leases.renew_all(_without(claims, failed, places))
    if not claims:
        return []
    found, failed = listings(bucket, _all(claims, places))
    return _without(claims, failed | list_remaining(found), places)


def _places(claims: Sequence[Claim[Space]]) -> Places:
    ids = [claim.row.id for claim in claims]
    return {space_id: [keys.prefix(space_id), *parts] for space_id, parts in export_revocation.places_of(ids).items()}


def _all(claims: Sequence[Claim[Space]], places: Places) -> list[str]:
    """Return the places of all claims, each once: Spaces may share an export part."""
    return list(dict.fromkeys(place for claim in claims for place in places[claim.row.id]))


def _without(claims: Sequence[Claim[Space]], failed: Failures, places: Places) -> list[Claim[Space]]:
    """Release the claims with an error in one of their places. Returns the others."""
    others = []
    for claim in claims:
        if errors := [failed[place] for place in places[claim.row.id] if place in failed]:
            claim.release_for_retry(errors[0].problem)
        else:
            others.append(claim)
    return others


def _inventory(spaces: Sequence[Space]) -> Inventory:
    inventory: Inventory = {space.id: [] for space in spaces}
    for model in (Recording, Transcript, Derived):
        rows = model._default_manager.filter(space__in=spaces).values_list("space_id", "key", "size", "sha256")
        for space_id, key, size, sha256 in rows:
            inventory[space_id].append({"key": key, "size": size, "sha256": sha256})
    for bundle in Bundle.objects.filter(space__in=spaces).exclude(key=""):
        inventory[bundle.space_id].append({"key": bundle.key, "size": bundle.size, "etag": bundle.etag})
    return inventory


def _unlisted(space: Space, found: Mapping[str, Listing], inventory: Inventory) -> list[StoredVersion]:
    """Return the objects that our rows name and the listing lacks."""
    listed = {version.key for version in found[keys.prefix(space.id)].versions}
    return [StoredVersion(row["key"], "", row["size"]) for row in inventory[space.id] if row["key"] not in listed]


def _log_found(claims: Sequence[Claim[Space]], found: Mapping[str, Listing], places: Places) -> list[Claim[Space]]:
    """Log what is about to be deleted. Returns the claims that are still held."""
    combined = {claim.row.id: merge(found[place] for place in places[claim.row.id]) for claim in claims}
    details = {space_id: describe(listing) for space_id, listing in combined.items() if listing}
    logged = _last_logged(details)
    with transaction.atomic():
        claims = leases.renew_all(claims)
        held = {claim.row.id for claim in claims}
        # Log the same objects once, even if the store refuses to delete them for days.
        new = [(pk, detail) for pk, detail in details.items() if pk in held and detail != logged.get(pk)]
        log.record_all(events.DELETION_INVENTORIED, new, actor=SYSTEM)
    return claims


def _last_logged(space_ids: Collection[UUID]) -> dict[UUID | None, dict[str, Any]]:
    entries = LogEntry.objects.filter(space_id__in=space_ids, event=events.DELETION_INVENTORIED).order_by("id")
    return dict(entries.values_list("space_id", "detail"))


def _shown(listing: Listing) -> list[dict[str, Any]]:
    """Return the first SHOWN objects, or fewer if a log entry has no room: a key may have 1,024 bytes."""
    sizes = accumulate(len(version.key.encode()) + 40 for version in listing.versions)
    room = sum(size <= MAX_SHOWN_BYTES for size in islice(sizes, SHOWN))
    return [{"key": version.key, "size": version.size} for version in listing.versions[:room]]


def describe(listing: Listing) -> dict[str, Any]:
    """Return the detail of a log entry about these objects."""
    markers = sum(version.marker for version in listing.versions)
    return {
        "objects": _shown(listing),
        "object_count": len(listing.versions),
        "old_versions": len(listing.versions) - len({v.key for v in listing.versions if not v.marker}) - markers,
        "delete_markers": markers,
        "open_uploads": len(listing.uploads),
    }
