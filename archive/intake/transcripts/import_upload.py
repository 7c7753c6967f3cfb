"""Import an uploaded transcript. Its upload's row is leased. The import waits until the recording was measured, because
captions have times of day, and the start of the recording depends on its length.

If the worker dies at any step, the upload stays `uploaded`, and the next claim reads it again and writes the same bytes
to the same key. If new speaker names came with the upload, they make a second version in the same transaction: the
first one is as in the file. Once the transcript's rows are written, the uploaded file is removed; if that fails, the
dispatcher retries it (archive/intake/uploads/clean_up.py), and at the latest the deletion of the Space removes it.
"""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid5

from django.db import transaction
from django.db.models import Q

from archive import leases, lifecycle
from archive.errors import LeaseLost, Refused, SpacekeepError, Unreadable, make_problem
from archive.intake import transcripts
from archive.intake.limits import MAX_TRANSCRIPT_BYTES
from archive.intake.persist import TranscriptEdit, TranscriptOrigin, save_transcript, store_transcript
from archive.intake.transcription import enqueue
from archive.intake.transcripts import Parsed
from archive.intake.transcripts.renaming import rename_apart
from archive.intake.uploads import clean_up
from archive.intake.uploads.verify import AnnouncedChecksums
from archive.language_tags import language_of_file
from archive.leases import Claim
from archive.log import SYSTEM, Actor
from archive.models import Space, Transcript, UploadSession
from archive.storage import store

State = UploadSession.State
PENDING = Q(kind=UploadSession.Kind.TRANSCRIPT, space__state=Space.State.AVAILABLE)


def pending_imports(space_id: UUID) -> list[UUID]:
    """Return the ids of this available Space's uploaded transcripts that are not imported yet."""
    rows = UploadSession.objects.filter(PENDING, space=space_id, state=State.UPLOADED)
    return list(rows.values_list("pk", flat=True))


def read(upload_id: UUID) -> bool:
    """Import the uploaded transcript. Returns True when this call stored it. An invalid file is `rejected`, with the
    problem of each line."""
    if not UploadSession.objects.filter(PENDING, pk=upload_id).exists():
        return False
    claim = leases.claim(UploadSession, upload_id, [State.UPLOADED])
    return leases.attempt(claim, _read, permanent=(Refused,), fail=_reject)


def _reject(claim: Claim[UploadSession], error: SpacekeepError) -> None:
    """Reject the upload. If no other transcript is being uploaded, an automatic one may be requested."""
    with transaction.atomic():
        space = Space.objects.select_for_update().get(pk=claim.row.space_id)
        if lifecycle.transition(
            claim.row,
            State.UPLOADED,
            State.REJECTED,
            actor=SYSTEM,
            condition=claim.still_held,
            problem=error.problem,
            **leases.RESET,
        ):
            enqueue.request(space, SYSTEM)


def _store(claim: Claim[UploadSession], parsed: Parsed, language: str) -> Callable[[], None]:
    """Store the transcript, and a second version if new speaker names came with the upload. Returns a function that
    saves their rows."""
    upload = claim.row
    renamed, shared = rename_apart(parsed.cues, upload.speaker_names)
    notes = [*parsed.problems, *([make_problem("transcript.names_shared", names=shared)] if shared else [])]
    stored = store_transcript(upload.space_id, str(upload.id), parsed.cues, language, claim.renew)
    edited = None
    if renamed.lines:
        name = str(uuid5(upload.id, "speakers"))
        edited = store_transcript(upload.space_id, name, renamed.cues, language, claim.renew)

    def save() -> None:
        source, by = Transcript.Source.GIVEN, upload.created_by
        origin = TranscriptOrigin(source, notes, upload)
        first = save_transcript(upload.space_id, stored, parsed.cues, language=language, origin=origin, actor=SYSTEM)
        if edited:
            edit = TranscriptEdit(by, first.number, renamed.lines, renamed.speakers)
            origin = TranscriptOrigin(source, notes, edit=edit)
            actor = Actor.of(by) if by else SYSTEM
            save_transcript(upload.space_id, edited, renamed.cues, language=language, origin=origin, actor=actor)

    return save


def _read(claim: Claim[UploadSession]) -> bool:
    upload = claim.row
    if upload.size > MAX_TRANSCRIPT_BYTES:
        raise Unreadable("transcript.too_large", file=upload.name, limit=MAX_TRANSCRIPT_BYTES)
    data = store().read(upload.key, 0, upload.size, upload.etag)
    announced = AnnouncedChecksums(upload)
    announced.update(data)
    announced.check()
    recording = upload.space.recordings.first()
    duration_ms = recording.duration_ms if recording else None
    began = upload.space.ended_at - timedelta(milliseconds=duration_ms) if duration_ms else None
    parsed = transcripts.parse(data, upload.name, lenient=upload.lenient, began=began, duration_ms=duration_ms)
    language = upload.language
    if language == "und":
        language = language_of_file(upload.name) or parsed.language or "und"
    save = _store(claim, parsed, language)
    with transaction.atomic():
        save()
        detail = {"notes": len(parsed.notes), "lines": len(parsed.cues)}
        if not lifecycle.transition(
            upload,
            State.UPLOADED,
            State.ACCEPTED,
            actor=SYSTEM,
            condition=claim.still_held,
            detail=detail,
            problem={},
            speaker_names={},
            **leases.RESET,
        ):
            raise LeaseLost("work.lease_lost", model="UploadSession", id=upload.pk, state=upload.state)
    clean_up.clear(upload.pk)
    return True
