"""Settle an arrival that has ended: write its outcome beside the recording, and remove the source if it is accepted.

The order is: outcome, recording, sidecar. If a worker is killed in between, the row stays unsettled, and the next one
repeats everything; each step is idempotent. The fence is checked before each step, because the recorder may have
dropped another recording under this name in the meantime, whose outcome and files a late worker must not touch. Nothing
is removed before our store was seen to have the copy, with the size and ETag from the examination, nor while deletion
is paused (archive/restores.py). inbox_clean_up.py later removes the source of a refused recording.
"""

import json
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from archive import dbtime, leases, log, restores
from archive.errors import ObjectChanged, SpacekeepError
from archive.intake.arrivals.sources import source_of
from archive.leases import Claim
from archive.log import SYSTEM, events
from archive.models import Arrival, Space
from archive.storage import store

UNSETTLED = Q(settled=False)


def settle(arrival_id: UUID) -> bool:
    """Settle the arrival. Returns whether this call did so."""
    claim = leases.claim(Arrival, arrival_id, Arrival.OVER, condition=UNSETTLED)
    return leases.attempt(claim, _settle, retry=_retry)


def _settle(claim: Claim[Arrival]) -> bool:
    arrival = claim.row
    source = source_of(arrival)
    is_deleted = arrival.space is not None and arrival.space.state in Space.DELETING
    if arrival.source != Arrival.Source.LIVEKIT:
        source.write_outcome(json.dumps(outcome(arrival), ensure_ascii=False, indent=1).encode(), claim.renew)
    removes = arrival.state == Arrival.State.ACCEPTED and _may_remove(arrival)
    if removes:
        restores.require_no_pause()
        if not is_deleted:
            _require_stored(arrival)
        source.remove(arrival.etag, arrival.version, claim.renew)
    with transaction.atomic():
        claim.renew(settled=True, **leases.RESET)
        if removes:
            log.record(
                events.ARRIVAL_SOURCE_REMOVED,
                space_id=arrival.space_id,
                actor=SYSTEM,
                source=arrival.source,
                **arrival.log_subject,
            )
        if is_deleted:
            arrival.delete()  # it names a file of a deleted Space
    return True


def _may_remove(arrival: Arrival) -> bool:
    return arrival.source != Arrival.Source.LIVEKIT or settings.LIVEKIT_DELETE_SOURCE


def _require_stored(arrival: Arrival) -> None:
    """Raise ObjectChanged unless our store has the recording as it was examined; ObjectMissing, StorageError."""
    assert arrival.space is not None
    recording = arrival.space.recordings.order_by("number").first()
    if recording is None or recording.size != arrival.size:
        raise ObjectChanged("storage.object_differs", key=arrival.path)
    if not store().head(recording.key).is_one(recording.size, recording.etag):
        raise ObjectChanged("storage.object_differs", key=recording.key)


def outcome(arrival: Arrival) -> dict[str, Any]:
    """Return the outcome for the recorder (docs/how-to/watch-an-inbox.md)."""
    at = log.rfc3339(dbtime.now())
    if arrival.state == Arrival.State.ACCEPTED:
        return {"outcome": "accepted", "space": str(arrival.space_id), "at": at}
    advice = SpacekeepError("arrival.what_to_do", name=arrival.path)
    return {
        "outcome": "refused",
        "space": None,
        "at": at,
        "code": arrival.problem_code,
        "text": arrival.problem_text,
        "what_to_do": str(advice),
    }


def _retry(claim: Claim[Arrival], error: SpacekeepError) -> None:
    """Release the claim. The row of a refused arrival keeps the reason of the refusal, for people."""
    refused = claim.row.state == Arrival.State.REFUSED
    claim.release_for_retry(claim.row.problem if refused else error.problem, cause=error.problem)
