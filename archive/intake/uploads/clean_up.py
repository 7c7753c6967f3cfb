"""Uploads that are over: given up, abandoned, refused, and transcripts that were read. None of their files stays in the
store. The file of a recording that was taken is no leftover: it is the recording.

The row first, the store second: whoever completes meanwhile loses the race at the row, and finds nothing to complete.
`upload_id` is blanked when the store has nothing more; until then the dispatcher comes back to it.
"""

from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from archive import dbtime, leases, lifecycle
from archive.errors import Conflict, LeaseLost, Problem, StorageError, make_problem
from archive.intake.transcription import enqueue
from archive.intake.uploads.sessions import STATES, Uploader, over, refresh
from archive.log import SYSTEM, Actor
from archive.models import Space, UploadSession
from archive.storage import StoredVersion, store

ABANDONED = timedelta(hours=24)  # without a touch
REFUSED_FOR = timedelta(hours=24)  # so long may be said what of a refused transcript to keep
State = UploadSession.State
READ = Q(state=State.ACCEPTED, kind=UploadSession.Kind.TRANSCRIPT)  # what was kept of it lies elsewhere

logger = structlog.get_logger()


def abort(session: UploadSession, by: Uploader) -> None:
    """`open -> aborted`, at somebody's wish; again: nothing. Raises Conflict when it arrived already. What the store
    has of it is removed now if the store answers, else by the dispatcher."""
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
    """`open -> aborted`. A Space that waited for this transcript need not wait for it any longer."""
    with transaction.atomic():
        space = Space.objects.select_for_update().get(pk=session.space_id)
        ended = lifecycle.transition(
            session, "open", "aborted", actor=actor, condition=condition, detail=detail, problem=problem, **leases.RESET
        )
        if ended and session.kind == UploadSession.Kind.TRANSCRIPT:
            enqueue.request(space, SYSTEM)


def accept_partial(session: UploadSession, by: Uploader) -> UploadSession:
    """`refused -> arrived`: look at the transcript again, and keep what can be read of it. Raises Conflict."""
    if session.kind != UploadSession.Kind.TRANSCRIPT:
        raise Conflict("upload.partial_needs_transcript")
    if session.state in (State.UPLOADED, State.ACCEPTED) and session.lenient:
        return session  # said before
    if session.state != State.REJECTED:
        raise over(session)
    if session.space.state not in STATES[UploadSession.Kind.TRANSCRIPT]:
        raise Conflict("upload.not_expected", kind=session.kind, state=session.space.state)
    # Not when it is old enough to be removed: who does that may have slept, and has the file in hand still.
    there = leases.claimable() & ~Q(upload_id="") & ~_refused_long_ago()
    changes = {"lenient": True, "last_activity_at": dbtime.now(), "problem": {}, **leases.RESET}
    if not lifecycle.transition(
        session, "rejected", "uploaded", actor=by.actor, condition=there, detail=by.detail, **changes
    ):
        raise Conflict("upload.partial_too_late")
    return session


def abandoned(limit: int = 1000) -> list[UUID]:
    """Sessions that nobody went on with for a day, and what is left of those that are over: for `give_up`."""
    rows = UploadSession.objects.filter(_idle() | (_over() & leases.claimable())).order_by("last_activity_at")
    return list(rows.values_list("pk", flat=True)[:limit])


def _idle() -> Q:
    return Q(state=State.OPEN, last_activity_at__lt=Now() - ABANDONED)


def _over() -> Q:
    return (Q(state=State.ABORTED) | _refused_long_ago() | READ) & ~Q(upload_id="")


def _refused_long_ago() -> Q:
    return Q(state=State.REJECTED, last_activity_at__lt=Now() - REFUSED_FOR)


def abandon(session_id: UUID) -> None:
    """`open -> aborted` if it is abandoned at this moment, and the store freed of what came to nothing."""
    session = UploadSession.objects.filter(_idle(), pk=session_id).first()
    if session is not None:
        problem = make_problem("upload.abandoned")
        end(session, problem, SYSTEM, condition=_idle())
    if UploadSession.objects.filter(_over(), pk=session_id).exists():
        clear(session_id)


def clear(session_id: UUID) -> bool:
    """Remove what the store has of a session that is aborted or refused, or a transcript that was read: open upload,
    object. False when it could not be done now; the dispatcher calls again."""
    states = [State.ABORTED, State.REJECTED]
    if UploadSession.objects.filter(READ, pk=session_id).exists():
        states = [State.ACCEPTED]
    claim = leases.claim(UploadSession, session_id, states)
    if claim is None:
        return False
    session, bucket = claim.row, store()
    with suppress(LeaseLost):
        try:
            if session.upload_id:
                bucket.abort(session.key, session.upload_id)
            failed = bucket.delete((StoredVersion(session.key, "", session.size),))
        except StorageError as error:
            claim.release_for_retry(session.problem)  # that stays: people read it
            logger.warning("upload_not_cleared", upload=str(session_id), error=str(error))
            return False
        if not failed:
            with transaction.atomic():
                claim.renew(upload_id="", **leases.RESET)
                session.parts.all().delete()
            return True
        claim.release_for_retry(session.problem)
    return False
