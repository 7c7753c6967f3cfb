"""Copy the bytes of an arrival into an upload session of its Space, part by part.

The session is like that of any upload (archive/intake/uploads/): the Space's deadline, the recorder's quotas and the
clean-up apply to it. If the worker dies, the next run lists the parts in the store, and sends the missing ones. Each
part is conditional on the ETag in the row, so parts of two different files are never combined.
"""

from pathlib import PurePath

from archive.errors import Conflict
from archive.intake.arrivals.sources import Source
from archive.intake.uploads.complete import complete, list_parts
from archive.intake.uploads.sessions import FileSpec, Uploader, multipart, open_session
from archive.intake.uploads.sign import size_of
from archive.leases import Claim
from archive.models import Arrival, Space, UploadSession
from archive.storage import PART

State = UploadSession.State
LONGEST_NAME = 255  # characters, of UploadSession.name


def file_spec(arrival: Arrival) -> FileSpec:
    """Return the recording as an upload announces it."""
    assert arrival.size is not None
    name = PurePath(arrival.path).name[-LONGEST_NAME:]
    return FileSpec(UploadSession.Kind.RECORDING, name, arrival.size, arrival.sha256)


def copy(claim: Claim[Arrival], space: Space, source: Source) -> bool:
    """Copy the missing parts, and complete the upload. Returns False when the time of this run is up before that.
    Raises ObjectChanged when the source is not the registered file, Conflict, TooLate, StorageError, LeaseLost."""
    by, budget = Uploader(recorder=claim.row.recorder), claim.budget()
    session = _session(claim, space, by)
    stored = {part.number: part.size for part in list_parts(session, by)}
    upload = multipart(session)
    for number in range(1, session.part_count + 1):
        if session.state != State.OPEN:
            break
        if stored.get(number) == size_of(session, number):
            continue
        if budget.is_used_up():
            return False
        source.send(upload, number, (number - 1) * session.part_size, size_of(session, number), claim.row.etag)
        budget.heartbeat()
    complete(session, by)
    return True


def _session(claim: Claim[Arrival], space: Space, by: Uploader) -> UploadSession:
    """Return the session of an earlier run, or a new one. Makes none if another worker has refused the arrival, which
    locks the Space as well, and ends its sessions. Raises Conflict, TooLate, StorageError, LeaseLost."""
    arrival = claim.row
    begun = space.uploads.filter(kind=UploadSession.Kind.RECORDING, state__in=[State.OPEN, State.UPLOADED]).first()
    if begun is None:
        # PART, whatever the settings say, because a part is held in memory.
        return open_session(space.pk, file_spec(arrival), by, PART, signs_parts=False, check=claim.renew)
    if begun.recorder_id != arrival.recorder_id:  # the host is uploading a recording
        raise Conflict("upload.recording_exists")
    return begun
