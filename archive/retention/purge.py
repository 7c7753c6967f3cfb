"""Deleting Spaces. This module destroys recordings that exist nowhere else; read this before you change a line.

The dangers: deleting what must stay (a deadline that moved, a hold); saying "deleted" while a copy lives; a copy
that comes back afterwards; and stopping half way for ever.

The order of steps, and what each guarantees:

1. `begin`: one compare-and-set, `kept state -> expiring`, on the condition that the deadline has come by the database's
   clock. A flag that commits first moves the deadline, and the condition fails; one that comes later is told that it is
   too late. From here on nothing is served, and no writer gets past its check: an intake looks at this row, and the
   bundles, uploads and automatic transcripts that were not ready end in the same transaction. So do the parts that
   hold this Space among others (archive/export_revocation.py).
2. `claim`: lease and fence. One worker at a time; if it dies, the next goes on when the lease runs out. Never given up.
3. List everything under the Space's prefix: objects, old versions, delete markers, open uploads; and what there is of
   those parts. Add the inventory: the keys that our rows know. What was found is logged and committed before anything
   is destroyed, so that the log is complete even when we die in the middle.
4. End the open uploads, then delete. Uploads first, so that a writer that was asleep can't complete any more.
5. Read every per-key error. 404 is success. 403 or 5xx is "not known": give the claim back, and try again later.
6. List again. Only an empty answer lets us go on.
7. In one transaction: delete the rows that hold content, blank the names, and move to `deleted` with the log entry that
   says what was deleted and when it was seen to be empty, with the signed certificate that says the same to anybody
   (certificate.py), and with the notice to its host. The row that stays is a tombstone.

Dying between any two steps leaves the row in `expiring`, and the next claim starts again at step 3; each step can
be done twice.

A worker deletes one Space, `manage.py sweep` hundreds at a time: the same steps, each done for all of them before the
next one begins. That saves calls and statements, and changes no guarantee: every Space has a fence of its own, which
every write checks; what goes wrong for one is given back and leaves the others alone; and none is buried unless its own
places were listed empty. One that failed before shares no DeleteObjects with others: a key of it may be what spoils the
call.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from archive import dbtime, export_revocation, leases, lifecycle, log
from archive.errors import make_problem
from archive.leases import Claim
from archive.log import SYSTEM, events
from archive.models import Bundle, Derived, LogEntry, Recording, Space, Transcript, Transcription, UploadSession
from archive.models.space_queries import is_due
from archive.retention import due as due_spaces
from archive.retention.tombstone import write_tombstones
from archive.storage import Listing, StoredVersion, keys, store
from archive.storage.purge_prefix import Failures, delete_objects, list_remaining, listings, merge
from archive.storage.s3 import BATCH

SHOWN = 500  # at most so many found objects are named in one log entry; the rest is counted
AT_ONCE = 250  # Spaces that a sweep deletes together: with their four or so objects each, one full DeleteObjects
MOST = 1_000_000  # Spaces in one sweep

Inventory = dict[UUID, list[dict[str, Any]]]  # of each Space, what our rows know that the store had
Places = dict[UUID, list[str]]  # of each Space, where the store may have something of it: its prefix, and parts


def purge(space_id: UUID) -> bool:
    """Delete the Space if its deadline has come. True when it is deleted by this call; False when it is not due,
    somebody else is at it, or the store did not do its part (the row then says why, and waits for the next try)."""
    return purge_all([space_id]) == [space_id]


def purge_all(space_ids: Collection[UUID], keys_at_once: int = BATCH) -> list[UUID]:
    """`purge` for several at a time, `keys_at_once` in one DeleteObjects. Returns those that are deleted by this
    call."""
    begin_all(space_ids)
    claims = leases.claim_all(Space, space_ids, [Space.State.EXPIRING])
    if not claims:
        return []
    with ExitStack() as unforeseen:
        for claim in claims:
            unforeseen.enter_context(claim.report_unexpected())
        inventory = _inventory([claim.row for claim in claims])
        claims = _empty(claims, inventory, keys_at_once)
        return write_tombstones(claims, inventory)


def sweep_all(at_once: int = AT_ONCE, keys_at_once: int = BATCH) -> Iterator[UUID]:
    """Delete everything that is due, `at_once` Spaces at a time, the shortest deadline first. Yields what is deleted.
    Stops at a batch of which the store deleted nothing: it would say the same of the next ones."""
    waiting = [
        *(due.id for due in due_spaces.due_spaces()),
        *leases.claimable_ids(Space, [Space.State.EXPIRING], limit=MOST),
    ]
    for start in range(0, len(waiting), at_once):
        batch = waiting[start : start + at_once]
        gone = purge_all(batch, keys_at_once)
        yield from gone
        if not gone and Space.objects.filter(pk__in=batch, retry_at__gt=Now()).count() == len(batch):
            return


def begin(space_id: UUID) -> bool:
    """`-> expiring`, if the Space is due at this moment. False when it is not, or when it began before."""
    return bool(begin_all([space_id]))


def begin_all(space_ids: Collection[UUID]) -> list[Space]:
    """`begin` for several, in one transaction. Returns those that began. Of several, one that somebody changes at this
    moment is left for the next round."""
    spaces = list(Space.objects.due().filter(pk__in=space_ids))
    if not spaces:
        return []
    now = dbtime.now()
    began: list[Space] = []
    with transaction.atomic():
        for state in Space.KEPT:
            due = [space for space in spaces if space.state == state]
            told = {space.pk: _why(space, now) for space in due}
            began += lifecycle.transition_all(
                due, state, "expiring", actor=SYSTEM, condition=is_due(), details=told, problem={}, **leases.RESET
            )
        if began:
            _stop_work(began)
            export_revocation.revoke(began)
    return began


def _why(space: Space, now: datetime) -> dict[str, Any]:
    return {"deadline": log.rfc3339(space.expires_at), "why": "deadline" if space.is_gone(now) else "abandoned"}


# What may be at work for a Space, and how it ends when the deadline comes first.
WORK: list[tuple[type[Bundle] | type[Transcription] | type[UploadSession], str, str]] = [
    (Bundle, "requested", "failed"),
    (Bundle, "building", "failed"),
    (Bundle, "ready", "removed"),
    (Transcription, "requested", "failed"),
    (Transcription, "running", "failed"),
    (UploadSession, "open", "aborted"),
    (UploadSession, "uploaded", "rejected"),
]


def _stop_work(spaces: Sequence[Space]) -> None:
    """Whoever works for one of them looks at the row of that work: its next write, and the check before its first byte,
    must fail. Such a row is waited for."""
    for model, old, new in WORK:
        at_work = model._default_manager.filter(space__in=spaces, state=old).order_by("pk")
        rows: list[Any] = list(at_work.select_for_update(of=("self",)))
        reason = make_problem("work.deadline_first")
        lifecycle.transition_all(rows, old, new, actor=SYSTEM, condition=Q(), problem=reason, **leases.RESET)


def _empty(claims: list[Claim[Space]], inventory: Inventory, keys_at_once: int) -> list[Claim[Space]]:
    """Steps 3 to 6. Returns the claims of those that were seen empty."""
    bucket, places = store(), _places(claims)
    found, failed = listings(bucket, _all(claims, places))
    claims = _log_found(_without(claims, failed, places), found, places)
    doomed = {place: found[place] for place in _all(claims, places)}
    unlisted = {keys.prefix(claim.row.id): _unlisted(claim.row, found, inventory) for claim in claims}
    again = _all([claim for claim in claims if claim.attempt > 1], places)
    failed = delete_objects(bucket, doomed, unlisted, again, keys_at_once)
    claims = leases.renew_all(_without(claims, failed, places))
    if not claims:
        return []
    found, failed = listings(bucket, _all(claims, places))
    return _without(claims, failed | list_remaining(found), places)


def _places(claims: Sequence[Claim[Space]]) -> Places:
    ids = [claim.row.id for claim in claims]
    return {space_id: [keys.prefix(space_id), *beside] for space_id, beside in export_revocation.places_of(ids).items()}


def _all(claims: Sequence[Claim[Space]], places: Places) -> list[str]:
    """Each once: Spaces may share a part."""
    return list(dict.fromkeys(place for claim in claims for place in places[claim.row.id]))


def _without(claims: Sequence[Claim[Space]], failed: Failures, places: Places) -> list[Claim[Space]]:
    """Gives those back for which something went wrong in one of their places. Returns the others."""
    fine = []
    for claim in claims:
        if wrong := [failed[place] for place in places[claim.row.id] if place in failed]:
            claim.release_for_retry(wrong[0].problem)
        else:
            fine.append(claim)
    return fine


def _inventory(spaces: Sequence[Space]) -> Inventory:
    found: Inventory = {space.id: [] for space in spaces}
    for kind in (Recording, Transcript, Derived):
        for space_id, key, size, sha256 in kind._default_manager.filter(space__in=spaces).values_list(
            "space_id", "key", "size", "sha256"
        ):
            found[space_id].append({"key": key, "size": size, "sha256": sha256})
    for bundle in Bundle.objects.filter(space__in=spaces).exclude(key=""):
        found[bundle.space_id].append({"key": bundle.key, "size": bundle.size, "etag": bundle.etag})
    return found


def _unlisted(space: Space, found: Mapping[str, Listing], inventory: Inventory) -> list[StoredVersion]:
    """What our rows know, and the listing does not."""
    listed = {version.key for version in found[keys.prefix(space.id)].versions}
    return [StoredVersion(row["key"], "", row["size"]) for row in inventory[space.id] if row["key"] not in listed]


def _log_found(claims: Sequence[Claim[Space]], found: Mapping[str, Listing], places: Places) -> list[Claim[Space]]:
    """Log what is about to go. Returns the claims that were not lost meanwhile."""
    there = {claim.row.id: merge(found[place] for place in places[claim.row.id]) for claim in claims}
    told = {space_id: describe(listing) for space_id, listing in there.items() if listing}
    last = _told_last(told)
    with transaction.atomic():
        claims = leases.renew_all(claims)
        # A store that says no for days is told of once.
        new = [(c.row.id, told[c.row.id]) for c in claims if c.row.id in told and told[c.row.id] != last.get(c.row.id)]
        log.record_all(events.DELETION_INVENTORIED, new, actor=SYSTEM)
    return claims


def _told_last(space_ids: Collection[UUID]) -> dict[UUID | None, dict[str, Any]]:
    entries = LogEntry.objects.filter(space_id__in=space_ids, event=events.DELETION_INVENTORIED).order_by("id")
    return dict(entries.values_list("space_id", "detail"))


def describe(found: Listing) -> dict[str, Any]:
    """What a listing found, as the log tells it."""
    markers = sum(version.marker for version in found.versions)
    return {
        "objects": [{"key": v.key, "size": v.size} for v in found.versions[:SHOWN]],
        "object_count": len(found.versions),
        "old_versions": len(found.versions) - len({v.key for v in found.versions if not v.marker}) - markers,
        "delete_markers": markers,
        "open_uploads": len(found.uploads),
    }
