"""Clean up after uploads that ended: aborted, abandoned or rejected ones, and imported transcripts. The store keeps
none of their files. The file of an accepted recording stays: it is the recording.

The row changes first, the store second: a concurrent `complete` loses the race at the row, and finds nothing to
complete. `upload_id` is blanked when the store has no data of the upload left; until then the dispatcher retries.

While deletion is paused (archive/restores.py), rows and files stay as they are: an upload that is open in a database
from a backup may have been completed and published since, and its file is the only copy of that recording.
"""

from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from archive import dbtime, leases, lifecycle, policy, restores, wakeups
from archive.errors import Conflict, Problem, SpacekeepError, StorageError, make_problem
from archive.intake.transcription import enqueue
from archive.intake.uploads.sessions import STATES, Uploader, over, refresh
from archive.leases import Claim
from archive.log import SYSTEM, Actor
from archive.models import Space, UploadSession
from archive.storage import StoredVersion, store

State = UploadSession.State
REJECTED_LONG_AGO = Q(state=State.REJECTED, last_activity_at__lt=Now() - policy.ABANDONED_AFTER)
IMPORTED = Q(state=State.ACCEPTED, kind=UploadSession.Kind.TRANSCRIPT)  # the transcript has its own file
UNCLEARED = (Q(state=State.ABORTED) | REJECTED_LONG_AGO | IMPORTED) & ~Q(upload_id="")
IDLE = Q(state=State.OPEN, last_activity_at__lt=Now() - policy.ABANDONED_AFTER)


def abort(session: UploadSession, by: Uploader) -> None:
    """Abort the upload at its uploader's request. Idempotent. Raises Conflict when it was completed already, and while
    a restore is not confirmed. Its data in the store is removed now if the store answers, else by the dispatcher."""
    if restores.find_known():
        raise Conflict("upload.not_aborted_now")
    end(session, {}, by.actor, detail=by.detail)
    refresh(session)
    if session.state != State.ABORTED:
        raise over(session)
    clear(session.pk)


def end(
    session: UploadSession,
    problem: Problem,
    actor: Actor,
    detail: dict[str, str] | None = None,
    condition: Q | None = None,
) -> None:
    """Abort an open upload. A Space that waited for this transcript may get an automatic one instead."""
    with transaction.atomic():
        space = Space.objects.select_for_update().get(pk=session.space_id)
        ended = lifecycle.transition(
            session,
            State.OPEN,
            State.ABORTED,
            actor=actor,
            condition=condition,
            detail=detail,
            problem=problem,
            **leases.RESET,
        )
        if ended and session.kind == UploadSession.Kind.TRANSCRIPT:
            enqueue.request(space, SYSTEM)


def accept_partial(session: UploadSession, by: Uploader) -> UploadSession:
    """Import a rejected transcript again, and accept its readable lines. Raises Conflict."""
    if session.kind != UploadSession.Kind.TRANSCRIPT:
        raise Conflict("upload.partial_needs_transcript")
    if session.state in (State.UPLOADED, State.ACCEPTED) and session.lenient:
        return session  # requested before
    if session.state != State.REJECTED:
        raise over(session)
    if session.space.state not in STATES[UploadSession.Kind.TRANSCRIPT]:
        raise Conflict("upload.not_expected", kind=session.kind, state=session.space.state)
    # Not if it is old enough to be removed: a paused worker may be about to delete its file.
    still_stored = leases.claimable() & ~Q(upload_id="") & ~REJECTED_LONG_AGO
    changes = {"lenient": True, "last_activity_at": dbtime.now(), "problem": {}, **leases.RESET}
    if not lifecycle.transition(
        session, State.REJECTED, State.UPLOADED, actor=by.actor, condition=still_stored, detail=by.detail, **changes
    ):
        raise Conflict("upload.partial_too_late")
    wakeups.wake(UploadSession, session.pk)
    return session


def abandoned(condition: Q | None = None, limit: int = 1000) -> list[UUID]:
    """Return ids for `abandon`: uploads without progress for a day, and those that ended and still have data in the
    store. Empty while a restore is not confirmed."""
    if restores.current():
        return []
    rows = UploadSession.objects.filter(IDLE | (UNCLEARED & leases.claimable()), condition or Q())
    return list(rows.order_by("last_activity_at").values_list("pk", flat=True)[:limit])


def abandon(session_id: UUID) -> None:
    """Abort the upload if it had no progress for a day, and clear the store if it ended. Does nothing while deletion is
    paused."""
    if restores.find_pause():
        return
    session = UploadSession.objects.filter(IDLE, pk=session_id).first()
    if session is not None:
        problem = make_problem("upload.abandoned")
        end(session, problem, SYSTEM, condition=IDLE)
    if UploadSession.objects.filter(UNCLEARED, pk=session_id).exists():
        clear(session_id)


def clear(session_id: UUID) -> bool:
    """Remove the data of an aborted or rejected upload, or of an imported transcript, from the store. Returns False
    when that was not possible; the dispatcher retries."""
    is_imported = UploadSession.objects.filter(IMPORTED, pk=session_id).exists()
    states = [State.ACCEPTED] if is_imported else [State.ABORTED, State.REJECTED]
    return leases.attempt(leases.claim(UploadSession, session_id, states), _clear, retry=_retry_clearing, parks=False)


def _clear(claim: Claim[UploadSession]) -> bool:
    restores.require_no_pause()
    session, bucket = claim.row, store()
    if session.upload_id:
        bucket.abort(session.key, session.upload_id)
    if failed := bucket.delete((StoredVersion(session.key, "", session.size),)):
        raise StorageError("storage.not_removed", key=session.key, error=failed[session.key])
    with transaction.atomic():
        claim.renew(upload_id="", **leases.RESET)
        session.parts.all().delete()
    return True


def _retry_clearing(claim: Claim[UploadSession], error: SpacekeepError) -> None:
    claim.release_for_retry(claim.row.problem, cause=error.problem)  # the row's problem says why the upload ended
