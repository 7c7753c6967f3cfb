"""Create a row of each model that workers claim, ready to be claimed."""

from datetime import date, timedelta

from archive import dbtime
from archive.models import (
    AccountMail,
    Arrival,
    Bundle,
    CheckpointMail,
    DeletionRecheck,
    Digest,
    Export,
    ExportPart,
    Invitation,
    Leased,
    LogCheckpoint,
    LogPublisher,
    LogSequencer,
    LogVerification,
    Notice,
    RecorderToken,
    Transcription,
    UploadSession,
    User,
    WebhookDelivery,
    WebhookEndpoint,
)
from tests.support.factory import make_row


def make_leased_rows(host: User) -> dict[type[Leased], Leased]:
    """Create a row of every model that workers claim. Return {model: row}."""
    now, week = dbtime.now(), date(2026, 11, 30)
    space = make_row(host, state="processing")
    token = RecorderToken.objects.create(name="Van", prefix="skr_van", secret_sha256="0" * 64, expires_at=now)
    export = Export.objects.create(host=host, max_part_size=Export.Size.SMALL)
    checkpoint = LogCheckpoint.objects.create(size=0, note="none")
    endpoint = WebhookEndpoint.objects.create(owner=host, name="Desk", url="https://hooks.example.org/", events=[])
    upload = {"kind": "transcript", "name": "talk.vtt", "size": 1, "part_size": 1, "key": "k", "etag": "e"}
    rows: list[Leased] = [
        space,
        UploadSession.objects.create(space=space, state="uploaded", **upload),
        Arrival.objects.create(recorder=token, source="inbox", source_id="talk.m4a", version="1", state="pending"),
        Transcription.objects.create(space=space),
        Bundle.objects.create(space=space),
        ExportPart.objects.create(export=export, number=1),
        Notice.objects.create(kind="flagged", user=host, space=space, subject_id="1"),
        Digest.objects.create(user=host, week=week, since=now, until=now),
        AccountMail.objects.create(content="x"),
        WebhookDelivery.objects.create(endpoint=endpoint, event="space.flagged", space=space),
        Invitation.objects.create(token_sha256="0" * 64, by_mail=True, expires_at=now + timedelta(days=1)),
        CheckpointMail.objects.create(recipient="r", day=week, checkpoint=checkpoint),
        LogVerification.objects.create(requested_by=host.pk),
    ]
    single = (DeletionRecheck, LogSequencer, LogPublisher)
    rows += [model._default_manager.get_or_create(pk=1)[0] for model in single]
    return {type(row): row for row in rows}
