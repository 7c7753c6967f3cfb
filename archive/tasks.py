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

from archive import leases, notices, recorders
from archive.bundles import build as bundles
from archive.bundles import exports, maintain
from archive.intake.publish import finish
from archive.intake.transcription import enqueue
from archive.intake.transcription import transcribe as run_transcription
from archive.intake.transcripts import import_upload
from archive.intake.uploads import clean_up
from archive.models import Bundle, ExportPart, Notice, Space, Transcription, UploadSession
from archive.retention import due, purge, recheck

ROUND = 1000  # Spaces that one round of the dispatcher hands out for deletion, shortest deadline first

logger = structlog.get_logger()


@shared_task
def build_bundle(bundle_id: str) -> None:
    if bundles.build(UUID(bundle_id)):
        _try_to_publish(verify_bundle, UUID(bundle_id))
    elif leases.claimable_ids(
        Bundle, Bundle.AT_WORK, Q(pk=bundle_id)
    ):  # the time of this run was up: behind those that wait
        _try_to_publish(build_bundle, UUID(bundle_id))
    for space_id in Bundle.objects.filter(pk=bundle_id).values_list("space", flat=True):
        wake_notices(space_id)


@shared_task
def verify_bundle(bundle_id: str) -> None:
    maintain.verify(Bundle, UUID(bundle_id))


@shared_task
def clear_bundle_storage(bundle_id: str) -> None:
    maintain.clear_storage(Bundle, UUID(bundle_id))


@shared_task
def build_export_part(export_part_id: str) -> None:
    if exports.build(UUID(export_part_id)):
        _try_to_publish(verify_export_part, UUID(export_part_id))
    elif leases.claimable_ids(ExportPart, ExportPart.AT_WORK, Q(pk=export_part_id)):
        _try_to_publish(build_export_part, UUID(export_part_id))


@shared_task
def verify_export_part(export_part_id: str) -> None:
    maintain.verify(ExportPart, UUID(export_part_id))


@shared_task
def clear_export_part_storage(export_part_id: str) -> None:
    maintain.clear_storage(ExportPart, UUID(export_part_id))


@shared_task
def publish_space(space_id: str) -> None:
    if finish(UUID(space_id)):
        wake_transcripts(UUID(space_id))


@shared_task
def import_transcript(upload_id: str) -> None:
    import_upload.read(UUID(upload_id))


@shared_task
def transcribe(transcription_id: str) -> None:
    if run_transcription.transcribe(UUID(transcription_id)):
        _try_to_publish(transcribe, UUID(transcription_id))  # behind those that wait: each gets its turn


@shared_task
def abandon_upload(upload_id: str) -> None:
    clean_up.abandon(UUID(upload_id))


@shared_task
def purge_space(space_id: str) -> None:
    if purge.purge(UUID(space_id)):
        wake_notices(UUID(space_id))


@shared_task
def send_notice(notice_id: str) -> None:
    notices.send(UUID(notice_id))


@shared_task
def create_reminders() -> None:
    """The dispatcher sends what this makes."""
    notices.create_reminders()


@shared_task
def recheck_deletions() -> None:
    recheck.run_round()


@shared_task
def dispatch() -> None:
    """Once a minute: publish what is due, and what somebody left when they died. Publishing twice is harmless."""
    for space in islice(due.due_spaces(), ROUND):
        _publish(purge_space, space.id)
    for pk in leases.claimable_ids(Space, [Space.State.EXPIRING]):
        _publish(purge_space, pk)
    for pk in leases.claimable_ids(Space, [Space.State.PROCESSING]):
        _publish(publish_space, pk)
    for pk in leases.claimable_ids(UploadSession, [UploadSession.State.UPLOADED], import_upload.PENDING):
        _publish(import_transcript, pk)
    for pk in clean_up.abandoned():
        _publish(abandon_upload, pk)
    recorders.delete_old_keys()
    _dispatch_packages(Bundle, build_bundle, verify_bundle, clear_bundle_storage)
    _dispatch_packages(ExportPart, build_export_part, verify_export_part, clear_export_part_storage)
    if recheck.is_due():
        recheck_deletions.apply_async(expires=settings.MESSAGE_SECONDS, retry=False)
    for pk in leases.claimable_ids(Transcription, Transcription.LIVE) if enqueue.enabled() else []:
        _publish(transcribe, pk)
    for pk in leases.claimable_ids(Notice, [Notice.State.PENDING]):
        _publish(send_notice, pk)


def _dispatch_packages(model: type[Bundle] | type[ExportPart], build: Any, prove: Any, clear: Any) -> None:
    maintain.remove_unfetched(model)
    for pk in leases.claimable_ids(model, model.AT_WORK):
        _publish(build, pk)
    for pk in leases.claimable_ids(model, [model.State.READY], maintain.UNVERIFIED):
        _publish(prove, pk)
    for pk in leases.claimable_ids(model, model.OVER, maintain.UNCLEARED):
        _publish(clear, pk)


def wake(task: "Task[..., Any]", pk: UUID) -> None:
    """Have `task` run soon after this transaction commits. A broker that is down costs a minute, not the work: the
    row is there, and the dispatcher publishes it again."""
    transaction.on_commit(lambda: _try_to_publish(task, pk))


def wake_transcripts(space_id: UUID) -> None:
    """Have a transcript that was uploaded read soon, or an automatic one begun, if that Space waits for one."""
    for pk in import_upload.pending_imports(space_id):
        wake(import_transcript, pk)
    for pk in enqueue.pending_transcriptions(space_id):
        wake(transcribe, pk)


def wake_notices(space_id: UUID) -> None:
    """Have what people are to be told about this Space sent soon."""
    for pk in notices.pending_notices(space_id):
        wake(send_notice, pk)


def _try_to_publish(task: "Task[..., Any]", pk: UUID) -> None:
    try:
        _publish(task, pk)
    except OperationalError as error:
        logger.warning("broker_down", task=task.name, pk=str(pk), error=str(error))


def _publish(task: "Task[..., Any]", pk: UUID) -> None:
    # The row is published anew each round until somebody takes it, so an old message is worth nothing.
    task.apply_async(args=(str(pk),), expires=settings.MESSAGE_SECONDS, retry=False)
