"""The Celery tasks: thin. A task gets an id, and the row decides whether there is anything to do.

WORK lists every kind of work: the rows that wait for it, and the task that does it. The dispatcher publishes all of
them each minute; `wakeups.wake`, called where a row is written, publishes one of them at once.
"""

import secrets
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any
from uuid import UUID

import structlog
from celery import shared_task
from celery.app.task import Task
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from kombu.exceptions import OperationalError
from structlog.contextvars import get_contextvars

from archive import content_access, leases, notices, rate_limits, recorders, submissions, webhooks, workers
from archive.accounts import account_mail, invitations, webhook_mail
from archive.accounts import send_invitation as invitation_mail
from archive.audit import days
from archive.bundles import ahead, exports, maintain
from archive.bundles import build as bundles
from archive.intake import publish
from archive.intake.arrivals import clean_up as arrivals_clean_up
from archive.intake.arrivals import inbox_clean_up, inbox_scan, settle, take
from archive.intake.transcription import enqueue
from archive.intake.transcription import transcribe as run_transcription
from archive.intake.transcripts import import_upload
from archive.intake.uploads import clean_up
from archive.models import (
    AccountMail,
    Arrival,
    Bundle,
    CheckpointMail,
    Digest,
    ExportPart,
    Invitation,
    Leased,
    LogVerification,
    Notice,
    Space,
    TaskRun,
    Transcription,
    UploadSession,
    WebhookDelivery,
)
from archive.notices import digests
from archive.retention import due, purge, recheck
from archive.steps import run_each
from archive.storage import rehearsal, store
from archive.transparency import checkpoint_mail, publishing, sequence, verification

logger = structlog.get_logger()


def scheduled(function: Callable[[], None]) -> "Task[..., Any]":
    """Make a task that beat starts (portal/settings/work.py). Each run records its end in a TaskRun row, which shows
    whether beat, the broker or a worker has stopped."""

    @wraps(function)
    def run() -> None:
        function()
        TaskRun.objects.bulk_create(
            [TaskRun(task=function.__name__, finished_at=Now())],
            update_conflicts=True,
            unique_fields=["task"],
            update_fields=["finished_at"],
        )

    return shared_task(run)


@shared_task
def build_bundle(bundle_id: str) -> None:
    bundles.build(UUID(bundle_id))


@shared_task
def verify_bundle(bundle_id: str) -> None:
    maintain.verify(Bundle, UUID(bundle_id))


@shared_task
def clear_bundle_storage(bundle_id: str) -> None:
    maintain.clear_storage(Bundle, UUID(bundle_id))


@shared_task
def build_export_part(export_part_id: str) -> None:
    exports.build(UUID(export_part_id))


@shared_task
def verify_export_part(export_part_id: str) -> None:
    maintain.verify(ExportPart, UUID(export_part_id))


@shared_task
def clear_export_part_storage(export_part_id: str) -> None:
    maintain.clear_storage(ExportPart, UUID(export_part_id))


@shared_task
def publish_space(space_id: str) -> None:
    publish.finish(UUID(space_id))


@shared_task
def import_transcript(upload_id: str) -> None:
    import_upload.read(UUID(upload_id))


@shared_task
def transcribe(transcription_id: str) -> None:
    run_transcription.transcribe(UUID(transcription_id))


@shared_task
def abandon_upload(upload_id: str) -> None:
    clean_up.abandon(UUID(upload_id))


@shared_task
def take_arrival(arrival_id: str) -> None:
    take.take(UUID(arrival_id))


@shared_task
def settle_arrival(arrival_id: str) -> None:
    settle.settle(UUID(arrival_id))


@scheduled
def scan_inboxes() -> None:
    inbox_scan.scan()


@scheduled
def clean_inboxes() -> None:
    inbox_clean_up.clean_up()


@scheduled
def check_in() -> None:
    """Do nothing. Beat sends this to the queue of transcriptions, which gets no other task from beat, so that the
    queue's worker is seen."""


@scheduled
def poll_livekit() -> None:
    if settings.LIVEKIT_API_KEY:
        # LiveKit's library takes a third of a second to load, and few installations use it.
        from archive.intake.arrivals import livekit_poll  # noqa: PLC0415

        run_each([livekit_poll.poll, livekit_poll.refuse_lost])


@shared_task
def purge_space(space_id: str) -> None:
    purge.purge(UUID(space_id))


@shared_task
def send_invitation(invitation_id: str) -> None:
    invitation_mail.send_invitation(UUID(invitation_id))


@shared_task
def send_account_mail(mail_id: str) -> None:
    account_mail.send(UUID(mail_id))


@shared_task
def send_notice(notice_id: str) -> None:
    notices.send(UUID(notice_id))


@shared_task
def deliver_webhook(delivery_id: str) -> None:
    webhooks.deliver(UUID(delivery_id))


@scheduled
def announce_overdue() -> None:
    webhooks.announce_overdue()


@scheduled
def create_reminders() -> None:
    run_each([notices.create_reminders, notices.create_hold_reviews])


@scheduled
def build_bundles_ahead() -> None:
    ahead.request_bundles()


@shared_task
def send_digest(digest_id: str) -> None:
    digests.send_digest(UUID(digest_id))


@scheduled
def create_digests() -> None:
    digests.create_digests()


@scheduled
def rehearse_store() -> None:
    rehearsal.run_if_due(store())


@shared_task
def recheck_deletions() -> None:
    recheck.run_round()


@scheduled
def sequence_log() -> None:
    if sequence.run() and sequence.has_backlog():  # the run used up its time: don't wait for the next minute
        with suppress(OperationalError):
            sequence_log.apply_async(expires=settings.MESSAGE_SECONDS, retry=False)


@scheduled
def publish_checkpoints() -> None:
    publishing.run()


@scheduled
def create_checkpoint_mails() -> None:
    checkpoint_mail.create_mails()


@shared_task
def send_checkpoint_mail(mail_id: str) -> None:
    checkpoint_mail.send(UUID(mail_id))


@shared_task
def verify_log(verification_id: str) -> None:
    verification.run(int(verification_id))


@dataclass(frozen=True)
class Work:
    """One kind of work. `pending_ids` takes a condition and returns the ids of at most 1,000 rows of `model` that meet
    it and wait for `task`."""

    model: type[models.Model]
    task: "Task[..., Any]"
    pending_ids: Callable[[Q], Iterable[Any]]


def _leased(model: type[Leased], states: Collection[str], task: "Task[..., Any]", condition: Q | None = None) -> Work:
    """Define work on the rows in one of `states` that can be claimed and meet `condition`."""
    return Work(model, task, lambda only: leases.claimable_ids(model, states, only & (condition or Q())))


def _pending_transcriptions(only: Q) -> Iterable[Any]:
    return leases.claimable_ids(Transcription, Transcription.LIVE, only) if enqueue.enabled() else []


WORK = [
    Work(Space, purge_space, due.due_ids),
    _leased(Space, [Space.State.EXPIRING], purge_space),
    Work(Space, publish_space, publish.pending_ids),
    _leased(UploadSession, [UploadSession.State.UPLOADED], import_transcript, import_upload.PENDING),
    Work(UploadSession, abandon_upload, clean_up.abandoned),
    _leased(Arrival, Arrival.AT_WORK, take_arrival, take.READY),
    _leased(Arrival, Arrival.OVER, settle_arrival, settle.UNSETTLED),
    _leased(Bundle, Bundle.AT_WORK, build_bundle),
    _leased(Bundle, [Bundle.State.READY], verify_bundle, maintain.UNVERIFIED),
    _leased(Bundle, Bundle.OVER, clear_bundle_storage, maintain.UNCLEARED),
    _leased(ExportPart, ExportPart.AT_WORK, build_export_part),
    _leased(ExportPart, [ExportPart.State.READY], verify_export_part, maintain.UNVERIFIED),
    _leased(ExportPart, ExportPart.OVER, clear_export_part_storage, maintain.UNCLEARED),
    Work(Transcription, transcribe, _pending_transcriptions),
    _leased(Notice, [Notice.State.PENDING], send_notice),
    _leased(WebhookDelivery, [WebhookDelivery.State.PENDING], deliver_webhook),
    _leased(LogVerification, [LogVerification.State.PENDING], verify_log),
    _leased(Digest, [Digest.State.PENDING], send_digest),
    _leased(CheckpointMail, [CheckpointMail.State.PENDING], send_checkpoint_mail),
    _leased(Invitation, [Invitation.State.PENDING], send_invitation, invitation_mail.UNEXPIRED),
    _leased(AccountMail, [AccountMail.State.PENDING], send_account_mail, account_mail.YOUNG),
]


# What the dispatcher does besides: each step is independent of the others.
HOUSEKEEPING: tuple[Callable[[], object], ...] = (
    recorders.delete_old_keys,
    submissions.delete_old,
    content_access.delete_old,
    rate_limits.delete_old,
    days.store_closed_days,
    invitations.delete_old,
    account_mail.delete_old,
    checkpoint_mail.delete_old,
    webhooks.delete_old,
    workers.delete_old,
    webhook_mail.notify_owners,
    partial(maintain.remove_unfetched, Bundle),
    partial(maintain.remove_unfetched, ExportPart),
    arrivals_clean_up.delete_old_rows,
)


@scheduled
def dispatch() -> None:
    """Once a minute: delete old rows, and publish all pending work, including that of dead workers. Publishing twice is
    harmless. A step that fails delays no other work: deletions are published even if old rows can't be deleted."""
    publishing_steps = (partial(_publish_pending, work) for work in WORK)
    run_each([*HOUSEKEEPING, *publishing_steps, _publish_recheck], stop_on=(OperationalError,))


def _publish_pending(work: Work) -> None:
    for pk in work.pending_ids(Q()):
        _publish(work.task, pk)


def _publish_recheck() -> None:
    if recheck.is_due():
        recheck_deletions.apply_async(expires=settings.MESSAGE_SECONDS, retry=False)


def wake(model: type[models.Model], pks: Collection[Any]) -> None:
    """Publish the pending work of these rows. If the broker is down, the work is only delayed: the dispatcher publishes
    it again within a minute."""
    try:
        for work in WORK:
            if work.model is model:
                for pk in work.pending_ids(Q(pk__in=pks)):
                    _publish(work.task, pk)
    except OperationalError as error:
        logger.warning("broker_down", model=model.__name__, error=str(error))


def _publish(task: "Task[..., Any]", pk: UUID) -> None:
    # The dispatcher publishes a row each minute until a worker claims it, so an old message is useless.
    task.apply_async(
        args=(str(pk),),
        task_id=f"{pk}.{secrets.token_hex(4)}",  # Celery logs it, so its lines name the row
        headers={"caused_by": get_contextvars().get("request_id", "")},
        expires=settings.MESSAGE_SECONDS,
        retry=False,
    )


def describe_message(task: str, args: Sequence[Any]) -> dict[str, str]:
    """Return the fields of log lines about a message: the task's name, and the row in its arguments, if any."""
    model = next((work.model for work in WORK if work.task.name == task), None)
    fields = {"task": task.rpartition(".")[2]}
    if model is None or not args:
        return fields
    fields |= {"kind": model.__name__, "row_id": str(args[0])}
    return fields | ({"space_id": str(args[0])} if model is Space else {})
