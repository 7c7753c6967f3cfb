"""Copies of the log's checkpoints outside of the database and our own store (archive/transparency/)."""

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from archive.models.leased import Leased
from archive.models.transparency import LogCheckpoint


class CheckpointMail(Leased):
    """The daily mail with the newest checkpoint, to one address (archive/transparency/checkpoint_mail.py)."""

    class State(models.TextChoices):
        PENDING = "pending", _("to be sent")
        SENT = "sent", _("sent")
        OBSOLETE = "obsolete", _("no longer wanted")
        FAILED = "failed", _("could not be sent")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    recipient = models.CharField(max_length=64, help_text="HMAC of the address, which is not stored here.")
    day = models.DateField(help_text="UTC.")
    checkpoint = models.ForeignKey(LogCheckpoint, models.PROTECT, related_name="mails")
    state = models.CharField(max_length=16, choices=State, default=State.PENDING)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="checkpoint_mail_once_a_day", fields=["recipient", "day"]),
            models.CheckConstraint(
                name="checkpoint_mail_state_known", condition=Q(state__in=["pending", "sent", "obsolete", "failed"])
            ),
        ]
        indexes = [models.Index(name="checkpoint_mail_to_send", fields=["lease_until"], condition=Q(state="pending"))]

    def __str__(self) -> str:
        return f"{self.day} ({self.state})"


class CheckpointCopy(models.Model):
    """A checkpoint was written to the second bucket (archive/transparency/second_bucket.py). Append-only."""

    checkpoint = models.ForeignKey(LogCheckpoint, models.PROTECT, related_name="copies")
    place = models.CharField(max_length=300, help_text="The bucket: its endpoint and name.")
    key = models.CharField(max_length=100)
    locked_until = models.DateTimeField(
        null=True, help_text="Until then the store refuses to delete it; NULL: the bucket has no lock."
    )
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(name="checkpoint_copy_once", fields=["checkpoint", "place"])]

    def __str__(self) -> str:
        return f"{self.checkpoint} in {self.place}"


class CheckpointTimestamp(models.Model):
    """A statement of a time-stamp authority that a checkpoint existed at a time (RFC 3161). Append-only."""

    checkpoint = models.OneToOneField(LogCheckpoint, models.PROTECT, related_name="timestamp")
    authority = models.CharField(max_length=300, help_text="The subject of the certificate that signed it.")
    stamped_at = models.DateTimeField(help_text="The time in the token (the authority's clock).")
    response = models.BinaryField(help_text="TimeStampResp in DER, as `openssl ts -verify -in` takes it.")
    at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return f"{self.checkpoint} at {self.stamped_at}"


class LogPublisher(Leased):
    """Progress of publishing checkpoints (archive/transparency/publishing.py). A single row."""

    state = models.CharField(max_length=16, default="publishing")
    compared = models.JSONField(default=dict, help_text="Which copies were compared (archive/transparency/copies.py).")
    acknowledged = models.JSONField(
        default=list, help_text="Contradicting copies (archive/transparency/acknowledgements.py)."
    )

    def __str__(self) -> str:
        return f"publisher {self.state}"
