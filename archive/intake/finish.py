"""The last step of intake: `processing -> available`."""

from uuid import UUID

from archive import lifecycle, work
from archive.errors import Changed, StorageError
from archive.log import SYSTEM
from archive.models import Space
from archive.storage import store


def finish(space_id: UUID) -> bool:
    """`processing -> available`: look once more, in the store, that each object is there and whole. Called by the
    one who brought it, and again by a worker when that one died. False when it is not available by this call."""
    claim = work.claim(Space, space_id, [Space.State.PROCESSING])
    if claim is None:
        return False
    space = claim.row
    try:
        with claim.reported():
            for kept in [*space.recordings.all(), *space.transcripts.all()]:
                if not store().head(kept.key).is_one(kept.size, kept.etag):
                    raise Changed(f"{kept.key} is not what was stored")
    except StorageError as error:
        claim.give_back(str(error))  # what was acknowledged is never given up: it is tried again, and the page says why
        return False
    return lifecycle.move(space, "processing", "available", actor=SYSTEM, only_if=claim.mine, problem="", **work.DONE)
