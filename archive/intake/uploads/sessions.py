"""Upload sessions: a file goes directly to the store, part by part, and a row tracks it.

If a process is killed:

1. while opening: the multipart upload is opened in the store first, then the session's row is written with the Space's
   row locked (archive/storage/multipart.py explains the order). In between there is an upload without parts, for which
   no URL was signed; the purge aborts it.
2. while signing: only the signed checksums are written. A URL is valid for one part of one upload, and ends with it.
3. while completing (uploads/complete.py): first in the store, then in the database. In between there is an open session
   whose object exists; completing again, or listing its parts, finds the object and continues.
4. while aborting (uploads/clean_up.py): first in the database, then in the store. `upload_id` is kept until the store
   has no data left, so the dispatcher finds unfinished clean-ups.

Each session has its own key, so that cleaning up one can't touch the object of another.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import PurePath
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Now

from archive import dbtime, log, restores
from archive.errors import Conflict, ObjectMissing, Refused, StorageError, TooLate
from archive.intake.limits import MAX_TRANSCRIPT_BYTES
from archive.language_tags import is_language_tag
from archive.log import Actor, events
from archive.models import RecorderToken, Recording, Space, Transcript, UploadSession, User
from archive.rate_limits import Caller
from archive.storage import MOST_PARTS, Upload, begin, keys, store
from archive.storage.capabilities import PartChecksums
from archive.storage.multipart import Checksums

State = UploadSession.State
MIB = 1024**2
# Known extensions. Others are dropped from the key, since the content decides.
EXTENSIONS = {"aac", "flac", "m4a", "mka", "mp3", "mp4", "ogg", "opus", "ts", "wav", "webm"}
STATES = {
    UploadSession.Kind.RECORDING: (Space.State.RECEIVING,),
    UploadSession.Kind.TRANSCRIPT: (Space.State.RECEIVING, Space.State.PROCESSING, Space.State.AVAILABLE),
}


@dataclass(frozen=True)
class Uploader:
    """The user, or the recorder with its token, that uploads a file."""

    user: User | None = None
    recorder: RecorderToken | None = None

    @property
    def actor(self) -> Actor:
        return Actor.of(self.user) if self.user else Actor("recorder")

    @property
    def detail(self) -> dict[str, str]:
        """What the log records besides the actor."""
        return {"recorder": str(self.recorder.pk)} if self.recorder else {}

    @property
    def sessions(self) -> Q:
        """Match the upload sessions of this uploader."""
        return Q(recorder=self.recorder) if self.recorder else Q(recorder=None, created_by=self.user)

    @property
    def caller(self) -> Caller:
        """The caller for rate limits."""
        if self.recorder:
            return Caller("recorder", str(self.recorder.pk))
        return Caller("user", str(self.user.pk if self.user else ""))

    def lock(self, host_id: int | None = None) -> None:
        """Serialize counting this uploader's open sessions, and the bytes of a host. Call inside a transaction."""
        if self.recorder:
            RecorderToken.objects.select_for_update(no_key=True).get(pk=self.recorder.pk)
        pks = {pk for pk in (self.user.pk if self.user else None, host_id) if pk is not None}
        # In key order, because an admin may also be a host for whom another admin uploads.
        list(User.objects.select_for_update(no_key=True).filter(pk__in=pks).order_by("pk").values_list("pk"))


@dataclass(frozen=True)
class FileSpec:
    """A file to be uploaded: its name, its size in bytes, and the SHA-256 of the whole (hex) if known. For a transcript
    also new speaker names by old ones (archive/intake/transcripts/import_upload.py)."""

    kind: str
    name: str
    size: int
    sha256: str = ""
    language: str = "und"
    speaker_names: Mapping[str, str] = field(default_factory=dict)


def open_session(
    space_id: UUID,
    file: FileSpec,
    by: Uploader,
    part_bytes: int | None = None,
    *,
    signs_parts: bool = True,
    check: Callable[[], None] = lambda: None,
) -> UploadSession:
    """Open an upload, in parts of `part_bytes` (by default, as in the settings). `signs_parts`: the uploader sends them
    to signed URLs. `check` is called with the Space's row locked, before the session is written, and raises if this
    worker may not continue. Raises Refused for an invalid file, Conflict when the Space does not wait for one or too
    many are open, TooLate, StorageError; then nothing is left of it."""
    validate_file(file)
    session = UploadSession(
        id=uuid4(),
        space_id=space_id,
        part_size=part_size(file.size, part_bytes),
        created_by=by.user,
        recorder=by.recorder,
        **vars(file),
    )
    with transaction.atomic():  # before opening anything: most refusals happen here
        _look(session, by)
    session.key = _key(session)
    if signs_parts:
        session.part_checksums = store().capabilities.part_checksums
    announced = session.part_checksums == PartChecksums.ANNOUNCED
    checksums = Checksums.PART_SHA256 if announced else Checksums.UNANNOUNCED
    upload = begin(store(), session.key, "application/octet-stream", checksums=checksums)
    session.upload_id = upload.id
    try:
        with transaction.atomic():
            _look(session, by)
            check()
            _insert(session, by)
    except BaseException:
        with suppress(StorageError):  # keep the first error; no URL was signed, and the purge aborts the upload
            store().abort(upload.key, upload.id)
        raise
    return session


def validate_file(file: FileSpec) -> None:
    """Raise Refused for a file that no Space can accept."""
    largest = MAX_TRANSCRIPT_BYTES if file.kind == UploadSession.Kind.TRANSCRIPT else settings.MAX_UPLOAD_BYTES
    if file.size > largest:
        raise Refused("upload.too_large", kind=file.kind, size=file.size, limit=largest)
    if not is_language_tag(file.language):
        raise Refused("upload.bad_language", language=file.language)


def part_size(size: int, part_bytes: int | None = None) -> int:
    """Return the bytes of each part but the last: as requested or as in the settings, or more if 10,000 such parts are
    too few."""
    needed = -(-size // MOST_PARTS)
    return max(part_bytes or settings.UPLOAD_PART_BYTES, -(-needed // MIB) * MIB)


def _key(session: UploadSession) -> str:
    if session.kind == UploadSession.Kind.TRANSCRIPT:
        return keys.incoming(session.space_id, session.id)
    rows = UploadSession.objects.filter(space_id=session.space_id, kind=UploadSession.Kind.RECORDING)
    earlier = list(rows.values_list("key", flat=True))
    extension = PurePath(session.name).suffix.lower().lstrip(".")
    extension = extension if extension in EXTENSIONS else "bin"
    numbered = (keys.recording(session.space_id, number, extension) for number in count(len(earlier) + 1))
    return next(key for key in numbered if key not in earlier and not _is_taken(key))


def _is_taken(key: str) -> bool:
    """Return whether the store has a recording there that this database lacks, since it was restored from a backup."""
    if not restores.current():
        return False
    try:
        store().head(key)
    except ObjectMissing:
        return False
    return True


def _look(session: UploadSession, by: Uploader) -> None:
    """Lock the Space's row, so that its deletion waits, and check that it still waits for this file."""
    host_id = Space.objects.filter(pk=session.space_id).values_list("host_id", flat=True).first()
    by.lock(host_id)
    if UploadSession.objects.filter(by.sessions, state=UploadSession.State.OPEN).count() >= settings.MAX_OPEN_UPLOADS:
        raise Conflict("upload.too_many_open", limit=settings.MAX_OPEN_UPLOADS)
    space = lock_for_change(session.space_id)
    if space.state not in STATES[UploadSession.Kind(session.kind)]:
        raise Conflict("upload.not_expected", kind=session.kind, state=space.state)
    if space.state == Space.State.RECEIVING and space.fingerprint:
        raise Conflict("upload.ingest_running")
    check_host_bytes(space.host_id, session.size)
    begun = space.uploads.filter(kind=session.kind, state__in=[State.OPEN, State.UPLOADED, State.ACCEPTED])
    if session.kind == UploadSession.Kind.RECORDING and begun.exists():
        raise Conflict("upload.recording_exists")


def check_host_bytes(host_id: int, size: int) -> None:
    """Raise Conflict if a file of this size exceeds the host's limit. The host must be locked: see Uploader.lock."""
    kept: tuple[QuerySet[Any], ...] = (
        Recording.objects.filter(space__host=host_id),
        Transcript.objects.filter(space__host=host_id),
        UploadSession.objects.filter(space__host=host_id, state__in=[State.OPEN, State.UPLOADED]),
    )
    total = size + sum(rows.aggregate(total=Sum("size"))["total"] or 0 for rows in kept)
    if total > settings.MAX_HOST_BYTES:
        raise Conflict("upload.host_full", total=total - size, size=size, limit=settings.MAX_HOST_BYTES)


def lock_for_change(space_id: UUID) -> Space:
    """Lock the Space until the transaction ends, and return it. Raises TooLate from its deadline on."""
    space = Space.objects.select_for_update().get(pk=space_id)
    if space.is_gone(dbtime.now()):
        raise TooLate("upload.too_late")
    return space


def _insert(session: UploadSession, by: Uploader) -> None:
    if UploadSession.objects.filter(space_id=session.space_id, key=session.key).exists():
        raise Conflict("upload.race")
    session.save(force_insert=True)
    session.refresh_from_db()
    log.record(
        events.UPLOAD_OPENED,
        space_id=session.space_id,
        actor=by.actor,
        upload=str(session.pk),
        kind=session.kind,
        size=session.size,
        **by.detail,
    )
    record_activity(session)


def record_activity(session: UploadSession) -> None:
    """Record progress, so that neither the session nor its Space counts as abandoned. Locks the Space first, as all
    code that locks both does. Raises Conflict when the session is no longer open."""
    with transaction.atomic():
        Space.objects.filter(pk=session.space_id, state=Space.State.RECEIVING, fingerprint="").update(lease_until=Now())
        if not UploadSession.objects.filter(pk=session.pk, state=UploadSession.State.OPEN).update(
            last_activity_at=Now()
        ):
            refresh(session)
            raise over(session)


def refresh(session: UploadSession) -> None:
    """Update `session` from the database. Raises TooLate when it was deleted with its Space."""
    try:
        session.refresh_from_db()
    except UploadSession.DoesNotExist:
        raise TooLate("upload.too_late") from None


def over(session: UploadSession) -> Conflict:
    if not session.problem:
        return Conflict("upload.over", state=session.state)
    return Conflict("upload.over_because", state=session.state, reason=session.problem)


def multipart(session: UploadSession) -> Upload:
    return Upload(store(), session.key, session.upload_id)
