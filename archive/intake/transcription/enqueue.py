"""Request automatic transcripts, if the host wants one and one can be made (by transcribe.py)."""

from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Case, QuerySet, Value, When

from archive import dbtime, log, wakeups
from archive.errors import Refused, TooLate
from archive.log import Actor, events
from archive.models import Space, Transcription, UploadSession
from archive.models.compiled_query import CompiledQuery


def enabled() -> bool:
    """Return whether a model is configured. (portal/checks.py checks that it is installed.)"""
    return bool(settings.TRANSCRIPTION_MODEL)


def current(space: Space) -> Transcription | None:
    """Return the live transcription, or else the newest."""
    return next(iter(_CURRENT.objects(space.pk)), None)


def _current(space_id: UUID) -> QuerySet[Transcription]:
    is_over = Case(When(state__in=Transcription.LIVE, then=Value(False)), default=Value(True))
    return Transcription.objects.filter(space=space_id).order_by(is_over, "-requested_at")[:1]


_CURRENT = CompiledQuery(_current, UUID)


def will_be_requested(space: Space) -> bool:
    """Return whether an automatic transcript will be requested once the Space is available: the host left that on, none
    was requested before, and no transcript exists or is being uploaded."""
    uploading = space.uploads.filter(
        kind=UploadSession.Kind.TRANSCRIPT, state__in=[UploadSession.State.OPEN, UploadSession.State.UPLOADED]
    )
    has_one = space.transcripts.exists() or space.transcriptions.exists()
    return enabled() and space.transcribe and not has_one and not uploading.exists()


def request(space: Space, actor: Actor) -> Transcription | None:
    """Request an automatic transcript if it is wanted. Call inside a transaction, with the Space's row locked."""
    return _request(space, actor) if space.state == Space.State.AVAILABLE and will_be_requested(space) else None


def ask(space_id: UUID, actor: Actor) -> Transcription:
    """Request an automatic transcript for the host, for the first time or again. Returns the live one if there is one,
    or a new one that continues where the last one failed. Raises TooLate, Refused."""
    with transaction.atomic():
        space = Space.objects.select_for_update().get(pk=space_id)
        if space.is_gone(dbtime.now()):
            raise TooLate("transcription.too_late")
        if not enabled():
            raise Refused("transcription.off")
        if space.state != Space.State.AVAILABLE:
            raise Refused("transcription.not_available", state=space.state)
        if space.transcripts.exists():
            raise Refused("transcription.exists")
        last = current(space)
        return last if last and last.state in Transcription.LIVE else _request(space, actor, last)


def _request(space: Space, actor: Actor, last: Transcription | None = None) -> Transcription:
    row = Transcription(space=space, language=settings.TRANSCRIPTION_LANGUAGE)
    if last and last.done_ms < last.total_ms:  # keep the lines so far
        row.language, row.cues = last.language, last.cues
        row.done_ms, row.total_ms = last.done_ms, last.total_ms
    row.save()
    log.record(events.TRANSCRIPTION_REQUESTED, space_id=space.id, actor=actor, **row.log_subject)
    wakeups.wake(Transcription, row.pk)
    return row
