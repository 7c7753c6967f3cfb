"""Publish an uploaded recording: examine it if needed, then `processing -> available`, or `-> rejected`."""

from uuid import UUID

from django.db import transaction

from archive import leases, lifecycle, wakeups
from archive.errors import DiskFailed, ObjectChanged, Refused
from archive.intake.examine import examine, refuse
from archive.intake.transcription import enqueue
from archive.intake.transcripts import import_upload
from archive.leases import Claim
from archive.log import SYSTEM
from archive.models import Arrival, Space, UploadSession
from archive.storage import store


def finish(space_id: UUID) -> bool:
    """Examine an uploaded recording if needed, verify its objects in the store, and make the Space available.

    `ingest` and a worker call this. Returns False when this call did not make the Space available. A recording whose
    upload was acknowledged is never given up: after errors of the store or the decoder it is retried.
    """
    return leases.attempt(leases.claim(Space, space_id, [Space.State.PROCESSING]), _finish)


def _finish(claim: Claim[Space]) -> bool:
    space = claim.row
    if space.processing_step == Space.ProcessingStep.REJECTING:
        refuse(claim, space.problem)
        _wake_arrivals(space)
        return False
    try:
        if not space.recordings.exists():
            examine(claim)
    except Refused as error:
        refuse(claim, error.problem)
        _wake_arrivals(space)
        return False
    except OSError as error:
        raise DiskFailed("audio.no_disk_space", error=error.strerror) from error
    for stored in [*space.recordings.all(), *space.derived.all(), *space.transcripts.all()]:
        if not store().head(stored.key).is_one(stored.size, stored.etag):
            raise ObjectChanged("storage.object_differs", key=stored.key)
    return _make_available(claim)


def _make_available(claim: Claim[Space]) -> bool:
    space = claim.row
    with transaction.atomic():
        moved = lifecycle.transition(
            space,
            Space.State.PROCESSING,
            Space.State.AVAILABLE,
            actor=SYSTEM,
            condition=claim.still_held,
            problem={},
            **leases.RESET,
        )
        if moved:
            enqueue.request(space, SYSTEM)
            wakeups.wake(UploadSession, *import_upload.pending_imports(space.pk))
            _wake_arrivals(space)
    return moved


def _wake_arrivals(space: Space) -> None:
    """A recorder that left this recording somewhere waits for its outcome (archive/intake/arrivals/)."""
    wakeups.wake(Arrival, *space.arrivals.values_list("pk", flat=True))
