"""Reading a transcript that was uploaded. The row of its upload is the work. It waits until the recording was measured:
captions tell the time of the day, and only the recording's length says when it began.

What happens when it dies, at each step: the upload stays `arrived`, and the next claim reads it again and writes the
same bytes to the same key. Once its rows are there, the file as it was uploaded is removed; if that fails it goes with
what is left over (archive/intake/uploads/clean_up.py), and with the Space at the latest.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from archive import leases, lifecycle
from archive.errors import LeaseLost, Problem, Refused, StorageError, Unreadable
from archive.intake import transcripts
from archive.intake.store import save_transcript, store_transcript
from archive.intake.transcription import enqueue
from archive.intake.transcripts.draft import LARGEST
from archive.intake.uploads import clean_up
from archive.leases import Claim
from archive.log import SYSTEM
from archive.models import Space, Transcript, UploadSession
from archive.storage import store

PENDING = Q(kind=UploadSession.Kind.TRANSCRIPT, space__state=Space.State.AVAILABLE)


def pending_imports(space_id: UUID) -> list[UUID]:
    """Ids of the transcripts of an available Space that wait to be read."""
    rows = UploadSession.objects.filter(PENDING, space=space_id, state=UploadSession.State.UPLOADED)
    return list(rows.values_list("pk", flat=True))


def read(upload_id: UUID) -> bool:
    """Take in the transcript that arrived. True when it is kept by this call; when it is not one, the upload is
    `refused` and says why, line by line."""
    if not UploadSession.objects.filter(PENDING, pk=upload_id).exists():
        return False
    claim = leases.claim(UploadSession, upload_id, [UploadSession.State.UPLOADED])
    if claim is None:
        return False
    try:
        with claim.report_unexpected():
            return _read(claim)
    except Refused as error:
        _refuse(claim, error.problem)
    except StorageError as error:
        claim.release_for_retry(error.problem)
    except LeaseLost:
        pass
    return False


def _refuse(claim: Claim[UploadSession], reason: Problem) -> None:
    """`arrived -> refused`. If nothing else is on its way, a machine may write down what was said."""
    with transaction.atomic():
        space = Space.objects.select_for_update().get(pk=claim.row.space_id)
        if lifecycle.transition(
            claim.row, "uploaded", "rejected", actor=SYSTEM, condition=claim.mine, problem=reason, **leases.RESET
        ):
            enqueue.request(space, SYSTEM)


def _read(claim: Claim[UploadSession]) -> bool:
    upload = claim.row
    if upload.size > LARGEST:
        raise Unreadable("transcript.too_large", file=upload.name, limit=LARGEST)
    data = store().read(upload.key, 0, upload.size, upload.etag)
    found = transcripts.parse(data, upload.name, lenient=upload.lenient, began=_began(upload.space))
    language = found.language if upload.language == "und" and found.language else upload.language
    stored = store_transcript(upload.space_id, str(upload.id), found.cues, language, claim.renew)
    with transaction.atomic():
        save_transcript(
            upload.space_id, stored, found.cues, language=language, source=Transcript.Source.GIVEN, actor=SYSTEM
        )
        detail = {"notes": len(found.notes), "lines": len(found.cues)}
        if not lifecycle.transition(
            upload,
            "uploaded",
            "accepted",
            actor=SYSTEM,
            condition=claim.mine,
            detail=detail,
            problem={},
            **leases.RESET,
        ):
            raise LeaseLost("work.lease_lost", model="UploadSession", id=upload.pk, state=upload.state)
    clean_up.clear(upload.pk)
    return True


def _began(space: Space) -> datetime | None:
    """When the recording began: it ended when the Space did."""
    recording = space.recordings.first()
    return space.ended_at - timedelta(milliseconds=recording.duration_ms) if recording else None
