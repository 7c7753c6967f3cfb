"""Writing down by machine what is said in a recording. The row Transcription is the work.

What happens when it dies, at each step: what was heard is in the row, window by window, together with how far that is;
the next claim goes on there. The recording was read back into a file without a name, and is gone with the process. The
finished transcript is written to a key that bears the row's id, so a second attempt writes the same bytes to the same
place; its row and `done` come in one transaction.

A long recording takes hours, and no task may run for as long as that: after a part of the lease a run ends by itself,
and the next one goes on. Only attempts in which no window was heard count against it.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from uuid import UUID

from django.db import transaction
from django.db.models import F, JSONField, Value
from django.db.models.expressions import CombinedExpression

from archive import cues, leases, lifecycle
from archive.cues import Cue
from archive.errors import (
    LeaseLost,
    ObjectChanged,
    ObjectMissing,
    Problem,
    Refused,
    SpacekeepError,
    StorageError,
    Unreadable,
    make_problem,
)
from archive.intake.audio import measure
from archive.intake.spool import spool_object
from archive.intake.store import save_transcript, store_transcript
from archive.intake.transcription.enqueue import enabled
from archive.leases import Claim
from archive.log import SYSTEM
from archive.models import Space, Transcript, Transcription
from archive.storage import StoredVersion, store

MOST_ATTEMPTS = 5  # in a row, without hearing a single window
SHARE = 0.7  # of the lease, that one run may take; Celery's soft limit is 0.8
TICK = 1.0  # seconds between two signs of life while the recording is read back


def transcribe(transcription_id: UUID) -> bool:
    """Listen, for as long as one run may take, and keep the transcript when the end is reached. True when there is
    more to hear, and another run should follow at once."""
    if not enabled():
        return False
    claim = leases.claim(Transcription, transcription_id, list(Transcription.LIVE))
    if claim is None:
        return False
    if claim.row.state == Transcription.State.REQUESTED and not lifecycle.transition(
        claim.row, "requested", "running", actor=SYSTEM, condition=claim.mine
    ):
        return False
    if claim.attempt > MOST_ATTEMPTS:
        _fail(claim, claim.row.problem or make_problem("transcription.gave_up"))
        return False
    try:
        with claim.report_unexpected():
            if not _listen(claim):
                return claim.release_for_retry({}, at_once=True)
            _keep(claim)
    except LeaseLost:
        pass
    except (SpacekeepError, OSError) as error:
        _stop(claim, error)
    return False


def _listen(claim: Claim[Transcription]) -> bool:
    """From where the last run stopped. True when the end was reached, False when the time was up."""
    from archive.intake.transcription import whisper, windows  # noqa: PLC0415  (they rest on the extra, which other processes lack)

    begun = time.monotonic()
    until = begun + SHARE * leases.lease().total_seconds()
    row, recording = claim.row, claim.row.space.recordings.get(number=1)
    row.total_ms = recording.duration_ms
    claim.renew(total_ms=row.total_ms, model=whisper.name())
    if row.done_ms >= row.total_ms:
        return True
    spoken, longest = cues.load(row.cues), 0.0
    with (
        spool_object(recording.key, recording.size, recording.etag, _alive(claim)) as file,
        measure.pcm(file.path, name="The recording", start_ms=row.done_ms) as sound,
    ):
        begun = time.monotonic()
        for window in windows.windows(sound, row.done_ms):
            heard = whisper.transcribe_window(window, row.language)
            new = whisper.without_repeats(spoken, heard.cues)
            spoken += new
            _progress(claim, new, window.end_ms, heard.language)
            longest, begun = max(longest, time.monotonic() - begun), time.monotonic()
            if begun + longest > until and row.done_ms < row.total_ms:
                return False
    row.cues = cues.dump(spoken)
    return True


def _alive(claim: Claim[Transcription]) -> Callable[[int], None]:
    """For the reading back: hold on to the lease, at most once a TICK."""
    told = 0.0

    def step(done: int) -> None:
        nonlocal told
        if time.monotonic() - told >= TICK:
            claim.renew()
            told = time.monotonic()

    return step


def _progress(claim: Claim[Transcription], new: Sequence[Cue], end_ms: int, language: str) -> None:
    """Commit what a window said. Raises LeaseLost, and Refused when it is not wanted any more."""
    row = claim.row
    row.done_ms, row.language = min(end_ms, row.total_ms), row.language or language
    # Appended in the database: of a day of speech, all that was heard before would go there again with each minute.
    said = CombinedExpression(F("cues"), "||", Value(cues.dump(new), JSONField()), output_field=JSONField())
    claim.renew(done_ms=row.done_ms, language=row.language, cues=said, attempts=0, problem={})
    if row.space.transcripts.exists():
        raise Refused("transcription.uploaded_meanwhile")


def _keep(claim: Claim[Transcription]) -> None:
    """Store it, then write its row and the transition to `done` in one transaction."""
    row, spoken = claim.row, cues.load(claim.row.cues)
    if not spoken:
        raise Refused("transcription.no_speech")
    language = row.language or "und"
    stored = store_transcript(row.space_id, str(row.id), spoken, language, claim.renew)
    try:
        with transaction.atomic():
            space = Space.objects.select_for_update().get(pk=row.space_id)
            if space.transcripts.exists():
                claim.renew()  # LeaseLost: another attempt kept it, under this very key
                raise Refused("transcription.uploaded_meanwhile")
            save_transcript(
                space.id, stored, spoken, language=language, source=Transcript.Source.AUTOMATIC, actor=SYSTEM
            )
            done = {
                "cues": [],
                "done_ms": row.total_ms,
                "problem": {},
                **leases.RESET,
            }  # its words are the transcript's now
            if not lifecycle.transition(row, "running", "done", actor=SYSTEM, condition=claim.mine, **done):
                raise LeaseLost("work.lease_lost", model="Transcription", id=row.pk, state=row.state)
    except Refused:
        with suppress(StorageError):  # if it stays, it goes with the Space
            store().delete((StoredVersion(stored.key, "", stored.size),))
        raise


def _stop(claim: Claim[Transcription], error: SpacekeepError | OSError) -> None:
    """The recording was heard before: where it can't be heard now it was the store, the disk or the child that failed,
    and trying again later helps."""
    if isinstance(error, OSError):
        claim.release_for_retry(make_problem("transcription.disk_failed", error=error.strerror))
    elif isinstance(error, ObjectMissing | ObjectChanged) or (
        isinstance(error, Refused) and not isinstance(error, Unreadable)
    ):
        _fail(claim, error.problem)
    else:
        claim.release_for_retry(error.problem)


def _fail(claim: Claim[Transcription], reason: Problem) -> None:
    lifecycle.transition(
        claim.row, "running", "failed", actor=SYSTEM, condition=claim.mine, problem=reason, **leases.RESET
    )
