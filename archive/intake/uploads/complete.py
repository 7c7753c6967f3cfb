"""Complete uploads: join the parts into one object in the store, then write the row.

The object keeps the key that the session chose when it was opened (sessions.py). Then a worker examines it
(archive/intake/publish.py).
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from archive import leases, lifecycle, wakeups
from archive.errors import Conflict, ObjectMissing, make_problem
from archive.intake.uploads import clean_up
from archive.intake.uploads.sessions import Uploader, lock_for_change, multipart, over, record_activity, refresh
from archive.intake.uploads.sign import size_of
from archive.log import SYSTEM
from archive.models import Space, UploadSession
from archive.storage import ObjectInfo, StoredPart, newest, store, stored_parts
from archive.storage.capabilities import PartChecksums

State = UploadSession.State


@dataclass(frozen=True)
class UploadedPart:
    """A part in the store. `announced_sha256` (base64) is the checksum that its URL was signed for, or "" for none or
    several. Not every store compares it with the bytes: verify.py does, once all parts are there."""

    number: int
    size: int
    etag: str
    announced_sha256: str


def list_parts(session: UploadSession, by: Uploader) -> list[UploadedPart]:
    """Return the parts in the store, to resume an upload; none once the session has ended. Updates `session` if the
    store has completed the upload but the process died before writing the row, or if the store has lost it. Raises
    StorageError, TooLate."""
    if session.state != State.OPEN:
        return []
    try:
        record_activity(session)
        parts = newest(stored_parts(multipart(session)))
    except ObjectMissing:
        _settle_without_parts(session, by)
        return []
    except Conflict:  # it ended in the meantime
        refresh(session)
        return []
    signed = dict(session.parts.values_list("number", "sha256"))
    return [UploadedPart(p.number, p.size, p.etag, signed.get(p.number, "")) for p in parts.values()]


def complete(session: UploadSession, by: Uploader, etags: Mapping[int, str] | None = None) -> UploadSession:
    """Complete the upload; for a recording, also move its Space from `receiving` to `processing`. `etags`: the
    uploader's ETag of each part, which must match the store's. Idempotent. Raises Conflict, which names the parts, when
    the store lacks what was announced; then nothing is lost. StorageError, TooLate."""
    if session.state != State.OPEN:
        return _unless_aborted(session)
    upload = multipart(session)
    try:
        upload.parts = _checked(session, stored_parts(upload), etags)
        stored = upload.complete(sha256=_announced(session))
        if stored.size != session.size:
            raise Conflict("upload.parts_differ", count=session.part_count, parts=[])
    except ObjectMissing:  # it was completed before, or aborted in the meantime
        _settle_without_parts(session, by)
    except Conflict:  # perhaps only because another process is completing it: MinIO removes the parts first
        if not (completed := _stored_object(session)):
            raise
        _settle(session, completed, by)
    else:
        _settle(session, stored, by)
    return _unless_aborted(session)


def _unless_aborted(session: UploadSession) -> UploadSession:
    if session.state == State.ABORTED:
        raise over(session)
    return session


def _checked(session: UploadSession, parts: list[StoredPart], etags: Mapping[int, str] | None) -> dict[int, str]:
    """Return {number: ETag} of all parts. Raises Conflict."""
    if etags is not None:  # they select among several versions of a part
        parts = [part for part in parts if part.number not in etags or _same(part.etag, etags[part.number])]
    stored = newest(parts)
    wrong = [
        number
        for number in range(1, session.part_count + 1)
        if number not in stored or stored[number].size != size_of(session, number) or (etags and number not in etags)
    ]
    more = sorted({*stored, *(etags or ())} - set(range(1, session.part_count + 1)))
    if not wrong and not more:
        return {number: part.etag for number, part in stored.items()}
    raise Conflict("upload.parts_differ", count=session.part_count, parts=wrong + more)


def _announced(session: UploadSession) -> dict[int, str] | None:
    """Return {part: SHA-256}, if the store requires them again at the end."""
    if session.part_checksums != PartChecksums.ANNOUNCED:
        return None
    return dict(session.parts.values_list("number", "sha256"))


def _same(one: str, other: str) -> bool:
    return one.strip('"') == other.strip('"')


def _settle_without_parts(session: UploadSession, by: Uploader) -> None:
    """Handle a missing upload: either it was completed, and its object exists, or it is lost."""
    if stored := _stored_object(session):
        _settle(session, stored, by)
        return
    clean_up.end(session, make_problem("upload.lost"), SYSTEM, detail=by.detail)
    refresh(session)


def _stored_object(session: UploadSession) -> ObjectInfo | None:
    """Return the object of this upload, if the store has completed it."""
    with suppress(ObjectMissing):
        stored = store().head(session.key)
        return stored if stored.size == session.size else None
    return None


def _settle(session: UploadSession, stored: ObjectInfo, by: Uploader) -> None:
    """Write the row, once the object exists. Refreshes `session`, also if another process won the race."""
    detail = {"size": stored.size, **by.detail}
    with transaction.atomic():
        space = lock_for_change(session.space_id)
        if lifecycle.transition(
            session,
            State.OPEN,
            State.UPLOADED,
            actor=by.actor,
            detail=detail,
            etag=stored.etag,
            problem={},
            **leases.RESET,
        ):
            if session.kind == UploadSession.Kind.RECORDING:
                _start_processing(space, by, detail | session.log_subject)
            else:
                wakeups.wake(UploadSession, session.pk)
    refresh(session)
    if session.state == State.ABORTED:  # while the store completed it
        clean_up.clear(session.pk)


def _start_processing(space: Space, by: Uploader, detail: dict[str, Any]) -> None:
    if not lifecycle.transition(
        space,
        Space.State.RECEIVING,
        Space.State.PROCESSING,
        actor=by.actor,
        detail=detail,
        problem={},
        **leases.RESET,
    ):
        raise Conflict("upload.not_expected", kind=UploadSession.Kind.RECORDING, state=space.state)
    wakeups.wake(Space, space.pk)
