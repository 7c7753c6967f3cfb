"""The last steps of intake: `processing -> available`, or `-> rejected`."""

from uuid import UUID

from django.db import transaction

from archive import lifecycle, work
from archive.errors import Changed, DecoderFailed, LeaseLost, Refused, StorageError
from archive.intake import speech
from archive.intake.examine import examine, refuse
from archive.log import SYSTEM
from archive.models import Space
from archive.storage import store
from archive.work import Claim

NO_ROOM = "The worker's disk has no room for it ({})."


def finish(space_id: UUID) -> bool:
    """Look at a recording that was uploaded, or only once more, in the store, whether each object is there and whole.
    Called by the one who brought it, and by a worker. False when it is not available by this call."""
    claim = work.claim(Space, space_id, [Space.State.PROCESSING])
    if claim is None:
        return False
    try:
        with claim.reported():
            return _finish(claim)
    except (StorageError, DecoderFailed) as error:
        claim.give_back(str(error))  # what was acknowledged is never given up: it is tried again, and the page says why
    except LeaseLost:
        pass
    return False


def _finish(claim: Claim[Space]) -> bool:
    space = claim.row
    if space.step == Space.Step.REJECTING:
        refuse(claim, space.problem)
        return False
    try:
        if not space.recordings.exists():
            examine(claim)
    except Refused as error:
        refuse(claim, str(error))
        return False
    except OSError as error:
        claim.give_back(NO_ROOM.format(error.strerror))
        return False
    for kept in [*space.recordings.all(), *space.derived.all(), *space.transcripts.all()]:
        if not store().head(kept.key).is_one(kept.size, kept.etag):
            raise Changed(f"{kept.key} is not what was stored")
    with transaction.atomic():
        moved = lifecycle.move(
            space, "processing", "available", actor=SYSTEM, only_if=claim.mine, problem="", **work.DONE
        )
        if moved:
            speech.request(space, SYSTEM)
    return moved
