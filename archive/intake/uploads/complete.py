"""The last byte of an upload has come: one object in the store, and then the row that says so."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from archive import leases, lifecycle
from archive.errors import Conflict, ObjectMissing, make_problem
from archive.intake.uploads import clean_up
from archive.intake.uploads.sessions import Uploader, lock_for_change, multipart, over, record_activity, refresh
from archive.intake.uploads.sign import size_of
from archive.log import SYSTEM
from archive.models import UploadSession
from archive.storage import ObjectInfo, StoredPart, newest, store, stored_parts


@dataclass(frozen=True)
class UploadedPart:
    """A part that is in the store. `sha256` (base64) is "" where it is not known for certain."""

    number: int
    size: int
    etag: str
    sha256: str


def list_parts(session: UploadSession, by: Uploader) -> list[UploadedPart]:
    """The parts that the store has, for going on after a break; none once the session is over. Finds out on the way
    when the upload was completed by somebody who died before saying so, or when the store has nothing of it any more:
    `session` is fresh afterwards. Raises StorageError, TooLate."""
    if session.state != UploadSession.State.OPEN:
        return []
    try:
        record_activity(session)
        parts = newest(stored_parts(multipart(session)))
    except ObjectMissing:
        _settle_without_parts(session, by)
        return []
    except Conflict:  # it is over since a moment
        refresh(session)
        return []
    signed = dict(session.parts.values_list("number", "sha256"))
    return [UploadedPart(p.number, p.size, p.etag, signed.get(p.number, "")) for p in parts.values()]


def complete(session: UploadSession, by: Uploader, etags: Mapping[int, str] | None = None) -> UploadSession:
    """`open -> arrived`, and for a recording its Space `receiving -> processing`. `etags`: what the one who uploaded
    got for each part; they must be the store's. Called again, it answers the same. Raises Conflict, with the parts
    named, when the store does not have what was announced; nothing is lost then. StorageError, TooLate."""
    if session.state != UploadSession.State.OPEN:
        return _told(session)
    upload = multipart(session)
    try:
        upload.parts = _checked(session, stored_parts(upload), etags)
        upload.complete()
        found = store().head(session.key)
    except ObjectMissing:  # completed before, or given up meanwhile
        _settle_without_parts(session, by)
    else:
        _settle(session, found, by)
    return _told(session)


def _told(session: UploadSession) -> UploadSession:
    if session.state == UploadSession.State.ABORTED:
        raise over(session)
    return session


def _checked(session: UploadSession, parts: list[StoredPart], etags: Mapping[int, str] | None) -> dict[int, str]:
    """{number: ETag} of all parts. Raises Conflict."""
    if etags is not None:  # they say which of several versions of a part is meant
        parts = [part for part in parts if part.number not in etags or _same(part.etag, etags[part.number])]
    there = newest(parts)
    wrong = [
        number
        for number in range(1, session.part_count + 1)
        if number not in there or there[number].size != size_of(session, number) or (etags and number not in etags)
    ]
    more = sorted({*there, *(etags or ())} - set(range(1, session.part_count + 1)))
    if not wrong and not more:
        return {number: part.etag for number, part in there.items()}
    raise Conflict("upload.parts_differ", count=session.part_count, parts=wrong + more)


def _same(one: str, other: str) -> bool:
    return one.strip('"') == other.strip('"')


def _settle_without_parts(session: UploadSession, by: Uploader) -> None:
    """The store knows no such upload. Either it was completed, and its object is there, or it is lost."""
    try:
        found = store().head(session.key)
    except ObjectMissing:
        found = None
    if found is not None and found.size == session.size:
        _settle(session, found, by)
        return
    clean_up.end(session, make_problem("upload.lost"), SYSTEM, detail=by.detail)
    refresh(session)


def _settle(session: UploadSession, found: ObjectInfo, by: Uploader) -> None:
    """The row, once the object is there. `session` is fresh afterwards, whoever won."""
    with transaction.atomic():
        space = lock_for_change(session.space_id)
        detail = {"size": found.size, **by.detail}
        arrived = lifecycle.transition(
            session, "open", "uploaded", actor=by.actor, detail=detail, etag=found.etag, problem={}, **leases.RESET
        )
        if arrived:
            session.parts.all().delete()
        if arrived and session.kind == UploadSession.Kind.RECORDING:
            detail["upload"] = str(session.pk)
            if not lifecycle.transition(
                space, "receiving", "processing", actor=by.actor, detail=detail, problem={}, **leases.RESET
            ):
                raise Conflict("upload.not_expected", kind=session.kind, state=space.state)
    refresh(session)
    if session.state == UploadSession.State.ABORTED:  # while the store completed it
        clean_up.clear(session.pk)
