"""What Celery runs: thin. A task takes an id, and the row decides whether there is anything to do."""

from itertools import islice
from typing import Any
from uuid import UUID

import structlog
from celery import shared_task
from celery.app.task import Task
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from kombu.exceptions import OperationalError

from archive import notices, work
from archive.bundles import build as bundles
from archive.bundles import collect, upkeep
from archive.intake import leftovers, reading, recorders, scribe, speech
from archive.intake.finish import finish
from archive.models import Bundle, Notice, Space, Transcription, UploadSession, Volume
from archive.retention import purge, relisting, sweep

ROUND = 1000  # Spaces that one round of the dispatcher hands out for deletion, shortest deadline first

logger = structlog.get_logger()


@shared_task
def build_bundle(bundle_id: str) -> None:
    if bundles.build(UUID(bundle_id)):
        _try_to_publish(prove_bundle, UUID(bundle_id))
    elif work.due(Bundle, Bundle.AT_WORK, Q(pk=bundle_id)):  # the time of this run was up: behind those that wait
        _try_to_publish(build_bundle, UUID(bundle_id))
    for space_id in Bundle.objects.filter(pk=bundle_id).values_list("space", flat=True):
        wake_notices(space_id)


@shared_task
def prove_bundle(bundle_id: str) -> None:
    upkeep.prove(Bundle, UUID(bundle_id))


@shared_task
def clear_bundle(bundle_id: str) -> None:
    upkeep.clear(Bundle, UUID(bundle_id))


@shared_task
def build_volume(volume_id: str) -> None:
    if collect.build(UUID(volume_id)):
        _try_to_publish(prove_volume, UUID(volume_id))
    elif work.due(Volume, Volume.AT_WORK, Q(pk=volume_id)):
        _try_to_publish(build_volume, UUID(volume_id))


@shared_task
def prove_volume(volume_id: str) -> None:
    upkeep.prove(Volume, UUID(volume_id))


@shared_task
def clear_volume(volume_id: str) -> None:
    upkeep.clear(Volume, UUID(volume_id))


@shared_task
def finish_intake(space_id: str) -> None:
    if finish(UUID(space_id)):
        wake_transcripts(UUID(space_id))


@shared_task
def read_transcript(upload_id: str) -> None:
    reading.read(UUID(upload_id))


@shared_task
def transcribe(transcription_id: str) -> None:
    if scribe.transcribe(UUID(transcription_id)):
        _try_to_publish(transcribe, UUID(transcription_id))  # behind those that wait: each gets its turn


@shared_task
def give_up_upload(upload_id: str) -> None:
    leftovers.give_up(UUID(upload_id))


@shared_task
def purge_space(space_id: str) -> None:
    if purge.purge(UUID(space_id)):
        wake_notices(UUID(space_id))


@shared_task
def send_notice(notice_id: str) -> None:
    notices.send(UUID(notice_id))


@shared_task
def remind() -> None:
    """The dispatcher sends what this makes."""
    notices.due_soon()


@shared_task
def relist_tombstones() -> None:
    relisting.relist()


@shared_task
def dispatch() -> None:
    """Once a minute: publish what is due, and what somebody left when they died. Publishing twice is harmless."""
    for space in islice(sweep.due(), ROUND):
        _publish(purge_space, space.id)
    for pk in work.due(Space, [Space.State.EXPIRING]):
        _publish(purge_space, pk)
    for pk in work.due(Space, [Space.State.PROCESSING]):
        _publish(finish_intake, pk)
    for pk in work.due(UploadSession, [UploadSession.State.ARRIVED], reading.WAITING):
        _publish(read_transcript, pk)
    for pk in leftovers.abandoned():
        _publish(give_up_upload, pk)
    recorders.forget_keys()
    _dispatch_packages(Bundle, build_bundle, prove_bundle, clear_bundle)
    _dispatch_packages(Volume, build_volume, prove_volume, clear_volume)
    if relisting.due():
        relist_tombstones.apply_async(expires=settings.MESSAGE_SECONDS, retry=False)
    for pk in work.due(Transcription, Transcription.LIVE) if speech.enabled() else []:
        _publish(transcribe, pk)
    for pk in work.due(Notice, [Notice.State.DUE]):
        _publish(send_notice, pk)


def _dispatch_packages(model: type[Bundle] | type[Volume], build: Any, prove: Any, clear: Any) -> None:
    upkeep.let_go(model)
    for pk in work.due(model, model.AT_WORK):
        _publish(build, pk)
    for pk in work.due(model, [model.State.READY], upkeep.UNPROVEN):
        _publish(prove, pk)
    for pk in work.due(model, model.OVER, upkeep.UNCLEARED):
        _publish(clear, pk)


def wake(task: "Task[..., Any]", pk: UUID) -> None:
    """Have `task` run soon after this transaction commits. A broker that is down costs a minute, not the work: the
    row is there, and the dispatcher publishes it again."""
    transaction.on_commit(lambda: _try_to_publish(task, pk))


def wake_transcripts(space_id: UUID) -> None:
    """Have a transcript that was uploaded read soon, or an automatic one begun, if that Space waits for one."""
    for pk in reading.waiting(space_id):
        wake(read_transcript, pk)
    for pk in speech.waiting(space_id):
        wake(transcribe, pk)


def wake_notices(space_id: UUID) -> None:
    """Have what people are to be told about this Space sent soon."""
    for pk in notices.waiting(space_id):
        wake(send_notice, pk)


def _try_to_publish(task: "Task[..., Any]", pk: UUID) -> None:
    try:
        _publish(task, pk)
    except OperationalError as error:
        logger.warning("broker_down", task=task.name, pk=str(pk), error=str(error))


def _publish(task: "Task[..., Any]", pk: UUID) -> None:
    # The row is published anew each round until somebody takes it, so an old message is worth nothing.
    task.apply_async(args=(str(pk),), expires=settings.MESSAGE_SECONDS, retry=False)
