"""Make an automatic transcript. The Transcription row is leased.

If the worker dies at any step, the row has the lines so far, window by window, and their end; the next claim continues
there. The recording was read into an unnamed file, which disappears with the process. The finished transcript is
written to a key with the row's id, so a second attempt writes the same bytes to the same key; its row and `done` are
written in one transaction.

A long recording takes hours, longer than any task may run: a run ends by itself after a part of the lease, and the next
one continues. Only attempts without a finished window count against it.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

from django.db import transaction
from django.db.models import F, JSONField, Value
from django.db.models.expressions import CombinedExpression

from archive import cues, leases, lifecycle, restores
from archive.cues import Cue
from archive.errors import (
    DecoderFailed,
    DeletionPaused,
    DiskFailed,
    LeaseLost,
    ObjectChanged,
    ObjectMissing,
    Refused,
    SpacekeepError,
    StorageError,
    Unreadable,
)
from archive.intake.audio import measure
from archive.intake.persist import TranscriptOrigin, save_transcript, store_transcript
from archive.intake.spool import spool_object
from archive.intake.transcription.enqueue import enabled
from archive.leases import Claim
from archive.log import SYSTEM
from archive.models import Space, Transcript, Transcription
from archive.storage import StoredVersion, store

State = Transcription.State
MAX_ATTEMPTS = 5  # in a row, without a finished window


def transcribe(transcription_id: UUID) -> bool:
    """Transcribe for as long as one run may take, and store the transcript when the end is reached. Returns True when
    the time was up before the end, so that the next run continues."""
    if not enabled():
        return False
    claim = leases.claim(Transcription, transcription_id, Transcription.LIVE)
    return leases.attempt(
        claim, _run, permanent=(ObjectMissing, ObjectChanged, Refused), fail=_fail, max_attempts=MAX_ATTEMPTS
    )


def _run(claim: Claim[Transcription]) -> bool:
    row = claim.row
    if row.state == State.REQUESTED and not lifecycle.transition(
        row, State.REQUESTED, State.RUNNING, actor=SYSTEM, condition=claim.still_held
    ):
        return False
    try:
        if not _listen(claim):
            return claim.release_for_retry({}, at_once=True)
        _store(claim)
    except Unreadable as error:  # it was decoded before, so the recording is not to blame
        raise DecoderFailed.of(error.problem) from error
    except OSError as error:
        raise DiskFailed("transcription.disk_failed", error=error.strerror) from error
    return False


def _listen(claim: Claim[Transcription]) -> bool:
    """Continue where the last run stopped. Returns True at the end of the recording, False when the time is up."""
    from archive.intake.transcription import whisper, windows  # noqa: PLC0415  (need the extra, which other processes lack)

    budget = claim.budget()
    row, recording = claim.row, claim.row.space.recordings.get(number=1)
    row.total_ms = recording.duration_ms
    claim.renew(total_ms=row.total_ms, model=whisper.name())
    if row.done_ms >= row.total_ms:
        return True
    spoken, longest = cues.load(row.cues), 0.0
    with (
        spool_object(recording.key, recording.size, recording.etag, lambda _: budget.heartbeat()) as file,
        measure.pcm(file.path, name="The recording", start_ms=row.done_ms) as sound,
    ):
        started = time.monotonic()
        for window in windows.windows(sound, row.done_ms):
            heard = whisper.transcribe_window(window, row.language)
            new = whisper.without_repeats(spoken, heard.cues)
            spoken += new
            _save_progress(claim, new, window.end_ms, heard.language)
            longest, started = max(longest, time.monotonic() - started), time.monotonic()
            if budget.is_used_up(longest) and row.done_ms < row.total_ms:
                return False
    row.cues = cues.dump(spoken)
    return True


def _save_progress(claim: Claim[Transcription], new: Sequence[Cue], end_ms: int, language: str) -> None:
    """Commit the lines of a window. Raises LeaseLost, and Refused when the Space has got a transcript."""
    row = claim.row
    row.done_ms, row.language = min(end_ms, row.total_ms), row.language or language
    # Append in the database, so that earlier lines are not sent again with each window.
    appended = CombinedExpression(F("cues"), "||", Value(cues.dump(new), JSONField()), output_field=JSONField())
    claim.renew(done_ms=row.done_ms, language=row.language, cues=appended, attempts=0, problem={})
    if row.space.transcripts.exists():
        raise Refused("transcription.uploaded_meanwhile")


def _store(claim: Claim[Transcription]) -> None:
    """Store the transcript, then write its row and `done` in one transaction."""
    row, spoken = claim.row, cues.load(claim.row.cues)
    if not spoken:
        raise Refused("transcription.no_speech")
    language = row.language or "und"
    stored = store_transcript(row.space_id, str(row.id), spoken, language, claim.renew)
    try:
        with transaction.atomic():
            space = Space.objects.select_for_update().get(pk=row.space_id)
            if space.transcripts.exists():
                claim.renew()  # raises LeaseLost if another attempt stored it, under this same key
                raise Refused("transcription.uploaded_meanwhile")
            origin = TranscriptOrigin(Transcript.Source.AUTOMATIC)
            save_transcript(space.id, stored, spoken, language=language, origin=origin, actor=SYSTEM)
            # The transcript now has the lines.
            changes = {"cues": [], "done_ms": row.total_ms, "problem": {}, **leases.RESET}
            if not lifecycle.transition(
                row, State.RUNNING, State.DONE, actor=SYSTEM, condition=claim.still_held, **changes
            ):
                raise LeaseLost("work.lease_lost", model="Transcription", id=row.pk, state=row.state)
    except Refused:
        with suppress(StorageError, DeletionPaused):  # if it stays, the deletion of the Space removes it
            restores.require_no_pause()  # a database from a backup may lack the row of the object at this key
            store().delete((StoredVersion(stored.key, "", stored.size),))
        raise


def _fail(claim: Claim[Transcription], error: SpacekeepError) -> None:
    lifecycle.transition(
        claim.row,
        State(claim.row.state),
        State.FAILED,
        actor=SYSTEM,
        condition=claim.still_held,
        problem=error.problem,
        **leases.RESET,
    )
