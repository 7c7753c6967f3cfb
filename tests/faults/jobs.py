"""The jobs that can run, and be killed, in their own process: the work of workers, and what people, their programs and
operators' commands do. They call the same public functions of archive/ as the site and the commands."""

from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from uuid import UUID

from django.core.management import call_command
from django.db import transaction
from django.test import override_settings

from archive import tasks, webhooks
from archive.bundles import build, exports, maintain
from archive.editing.corrections import Correction, correct_lines
from archive.intake.arrivals import livekit_webhook
from archive.intake.register import NewSpace, register_space
from archive.intake.transcription import enqueue
from archive.intake.uploads import clean_up
from archive.intake.uploads.complete import complete, list_parts
from archive.intake.uploads.sessions import FileSpec, Uploader, open_session
from archive.log import Actor
from archive.models import Appeal, Bundle, CheckpointMail, Export, Hold, Space, UploadSession, User, Violation
from archive.moderation import appeals, holds, violations
from archive.retention.reconcile import reconcile
from archive.storage import Upload, store
from archive.transparency import checkpoint_mail, publishing, recovery, restore_check, sequence
from tests.faults.worker import work
from tests.support.livekit import sign

OVER = [UploadSession.State.REJECTED, UploadSession.State.ABORTED]


def make_bundle(bundle_id: str) -> None:
    """Do all of a worker's jobs for a bundle."""
    assert store().capabilities.copies_parts
    build.build(UUID(bundle_id))
    maintain.verify(Bundle, UUID(bundle_id))
    maintain.clear_storage(Bundle, UUID(bundle_id))


def deliver_webhook(delivery_id: str) -> None:
    webhooks.deliver(UUID(delivery_id))


def ingest(path: str, title: str, ended_at: str) -> None:
    call_command("ingest", path, host="alice", title=title, ended_at=ended_at, stdout=StringIO(), stderr=StringIO())


def upload(path: str, kind: str, title: str, ended_at: str) -> None:
    """Announce the Space, begin, send and complete, as a browser does. A second call resumes the upload."""
    session, by = _begun(Path(path), kind, title, ended_at)
    parts = list_parts(session, by)  # also notices if the upload was already complete
    if session.state == UploadSession.State.OPEN and not parts:
        Upload(store(), session.key, session.upload_id).put(1, Path(path).read_bytes())
    complete(session, by)


def correct_line(space_id: str) -> None:
    """Correct the first line of the first version, as the host."""
    correct_lines(UUID(space_id), 1, [Correction(1, "Broad beans.")], _user("alice"))


def accept_partial(title: str) -> None:
    """Accept the readable rest of a rejected transcript."""
    by = Uploader(user=_user("alice"))
    session = UploadSession.objects.get(space__title=title, kind="transcript")
    clean_up.accept_partial(session, by)


def request_transcription(space_id: str) -> None:
    enqueue.ask(UUID(space_id), Actor.of(_user("alice")))


def begin_upload(path: str, kind: str, title: str, ended_at: str) -> None:
    """Open an upload and abandon it."""
    _begun(Path(path), kind, title, ended_at)


def _begun(path: Path, kind: str, title: str, ended_at: str) -> tuple[UploadSession, Uploader]:
    alice = User.objects.get(username="alice")
    by = Uploader(user=alice)
    space = Space.objects.filter(title=title).first()
    if space is None:
        with transaction.atomic():
            space = register_space(NewSpace(alice, datetime.fromisoformat(ended_at), title), Actor.of(alice))
    session = space.uploads.filter(kind=kind, name=path.name).exclude(state__in=OVER).first()
    return session or open_session(space.pk, FileSpec(kind, path.name, path.stat().st_size), by), by


def flag(space_id: str) -> None:
    violations.flag(UUID(space_id), "spam", "It sold watches.", _user("ada"))


def lift(space_id: str) -> None:
    violations.lift(UUID(space_id), "In error.", _user("sven"))


def appeal(space_id: str) -> None:
    violation = Violation.objects.get(space=UUID(space_id), state="standing", appeal=None)
    appeals.appeal(violation.pk, "Nobody sold anything.", _user("alice"))


def decide(space_id: str, granted: str) -> None:
    open_appeal = Appeal.objects.get(violation__space=UUID(space_id), state="open")
    appeals.decide(open_appeal.pk, "So it is.", _user("sven"), granted=granted == "granted")


def hold(space_id: str) -> None:
    holds.place(UUID(space_id), "A court asks.", _user("ada"))


def release(space_id: str) -> None:
    for standing in Hold.objects.filter(space=UUID(space_id), state="standing"):
        holds.release(standing.pk, "The case is closed.", _user("sven"))


def request_bundle(space_id: str) -> None:
    alice = _user("alice")
    build.request(UUID(space_id), Actor.of(alice), alice)


def request_export() -> None:
    exports.request(_user("alice"), Export.Size.SMALL)


def deliver_livekit_events(folder: str) -> None:
    """Send each event twice, and again until it was answered, as LiveKit does."""
    for path in sorted(Path(folder).iterdir()):
        body = path.read_bytes()
        for _ in range(2):
            livekit_webhook.receive(body, sign(body))
        path.unlink()


def sweep() -> None:
    call_command("sweep", stdout=StringIO())


def sequence_log() -> None:
    """Do what the worker does each minute, with a checkpoint due each time."""
    with override_settings(LOG_CHECKPOINT_SECONDS=0, LOG_TSA_SECONDS=0):
        sequence.run()
        publishing.run()


def mail_checkpoints() -> None:
    """Do what beat and a worker do for today's checkpoint mails."""
    checkpoint_mail.create_mails()
    for pk in CheckpointMail.objects.filter(state="pending").values_list("pk", flat=True):
        checkpoint_mail.send(pk)


def recover_restored() -> None:
    """Run `manage.py restore_check --apply`, in several transactions where production needs one."""
    recovery.BATCH = 5
    restore_check.apply()


def compare() -> None:
    """Run `reconcile --apply` on two days, when no object is too new to be judged."""
    for _ in range(2):
        reconcile(apply=True, age=timedelta(0))


def _user(name: str) -> User:
    return User.objects.get(username=name)


JOBS: dict[str, Callable[..., None]] = {
    job.__name__: job
    for job in (
        *(make_bundle, work, ingest, upload, begin_upload, accept_partial, request_transcription, correct_line),
        *(flag, lift, appeal, decide, hold, release),
        *(
            deliver_webhook,
            request_bundle,
            request_export,
            sweep,
            sequence_log,
            mail_checkpoints,
            compare,
            recover_restored,
            deliver_livekit_events,
        ),
    )
} | {"remind": tasks.create_reminders, "scan_inboxes": tasks.scan_inboxes, "clean_inboxes": tasks.clean_inboxes}
