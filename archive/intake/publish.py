"""The last steps of intake: `processing -> available`, or `-> rejected`."""

from uuid import UUID

from django.db import transaction

from archive import leases, lifecycle
from archive.errors import DecoderFailed, LeaseLost, ObjectChanged, Refused, StorageError, make_problem
from archive.intake.examine import examine, refuse
from archive.intake.transcription import enqueue
from archive.leases import Claim
from archive.log import SYSTEM
from archive.models import Space
from archive.storage import store


def finish(space_id: UUID) -> bool:
    """Examine an uploaded recording if needed, verify its objects in the store, and make the Space available.

    `ingest` and a worker call this. False when this call did not make the Space available.
    """
    claim = leases.claim(Space, space_id, [Space.State.PROCESSING])
    if claim is None:
        return False
    try:
        with claim.report_unexpected():
            return _finish(claim)
    except (StorageError, DecoderFailed) as error:
        # An acknowledged upload is never given up: it is retried, and the page says why.
        claim.release_for_retry(error.problem)
    except LeaseLost:
        pass
    return False


def _finish(claim: Claim[Space]) -> bool:
    space = claim.row
    if space.processing_step == Space.ProcessingStep.REJECTING:
        refuse(claim, space.problem)
        return False
    try:
        if not space.recordings.exists():
            examine(claim)
    except Refused as error:
        refuse(claim, error.problem)
        return False
    except OSError as error:
        claim.release_for_retry(make_problem("audio.no_disk_space", error=error.strerror))
        return False
    for kept in [*space.recordings.all(), *space.derived.all(), *space.transcripts.all()]:
        if not store().head(kept.key).is_one(kept.size, kept.etag):
            raise ObjectChanged("storage.object_differs", key=kept.key)
    with transaction.atomic():
        moved = lifecycle.transition(
            space, "processing", "available", actor=SYSTEM, condition=claim.mine, problem={}, **leases.RESET
        )
        if moved:
            enqueue.request(space, SYSTEM)
    return moved
