"""Request automatic transcripts: who wants one, and whether one can be made (transcribe.py makes it)."""

from uuid import UUID

from django.conf import settings
from django.db import transaction

from archive import dbtime, log
from archive.errors import Refused, TooLate
from archive.log import Actor, events
from archive.models import Space, Transcription, UploadSession


def enabled() -> bool:
    """Whether transcripts are made here: a model is set (portal/checks.py sees to it that it is really there)."""
    return bool(settings.TRANSCRIPTION_MODEL)


def current(space: Space) -> Transcription | None:
    """The one that is being made, or the newest."""
    made = space.transcriptions.all()
    return made.filter(state__in=Transcription.LIVE).first() or made.order_by("-requested_at").first()


def will_be_requested(space: Space) -> bool:
    """Whether a machine is to write down what is said, once the Space is available: the host left that on, none was
    asked for before, and no transcript is there or on its way."""
    coming = space.uploads.filter(
        kind=UploadSession.Kind.TRANSCRIPT, state__in=[UploadSession.State.OPEN, UploadSession.State.UPLOADED]
    )
    there = space.transcripts.exists() or space.transcriptions.exists()
    return enabled() and space.transcribe and not there and not coming.exists()


def request(space: Space, actor: Actor) -> Transcription | None:
    """Ask for one if it is wanted. In the caller's transaction, with the Space's row locked."""
    return _request(space, actor) if space.state == Space.State.AVAILABLE and will_be_requested(space) else None


def ask(space_id: UUID, actor: Actor) -> Transcription:
    """The host asks, for the first time or again: the live one if there is one, else a new one that goes on where the
    last one failed. Raises TooLate, Refused."""
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


def pending_transcriptions(space_id: UUID) -> list[UUID]:
    """Ids of those that wait for a worker."""
    asked = Transcription.objects.filter(space=space_id, state=Transcription.State.REQUESTED)
    return list(asked.values_list("pk", flat=True))


def _request(space: Space, actor: Actor, last: Transcription | None = None) -> Transcription:
    asked = Transcription(space=space, language=settings.TRANSCRIPTION_LANGUAGE)
    if last and last.done_ms < last.total_ms:  # what was heard stays heard
        asked.language, asked.cues = last.language, last.cues
        asked.done_ms, asked.total_ms = last.done_ms, last.total_ms
    asked.save()
    log.record(events.TRANSCRIPTION_REQUESTED, space_id=space.id, actor=actor, transcription=str(asked.id))
    return asked
