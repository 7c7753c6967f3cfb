"""Claim Spaces, and end leases and retry pauses without waiting."""

from django.db.models.functions import Now

from archive import leases
from archive.leases import Claim
from archive.models import (
    AccountMail,
    Arrival,
    Bundle,
    CheckpointMail,
    DeletionRecheck,
    Digest,
    ExportPart,
    Invitation,
    LogPublisher,
    LogSequencer,
    LogVerification,
    Notice,
    Space,
    Transcription,
    UploadSession,
    WebhookDelivery,
)

CLAIMED = (
    *(Space, UploadSession, Arrival, Transcription, Bundle, ExportPart),
    *(Notice, DeletionRecheck, Invitation, AccountMail, LogSequencer, LogPublisher, LogVerification),
    CheckpointMail,
    Digest,
    WebhookDelivery,
)


def expire_leases() -> None:
    """End all leases, as if each holder had crashed long ago, and all retry pauses."""
    for model in CLAIMED:
        model._default_manager.filter(lease_until__gt=Now()).update(lease_until=Now())
    end_pauses()


def end_pauses() -> None:
    """End all retry pauses, so that failed work can be claimed again."""
    for model in CLAIMED:
        model._default_manager.filter(retry_at__gt=Now()).update(retry_at=Now())


def try_claim_space(space: Space) -> Claim[Space] | None:
    return leases.claim(Space, space.pk, ["processing", "expiring"])


def claim_space(space: Space) -> Claim[Space]:
    claim = try_claim_space(space)
    assert claim is not None
    return claim
