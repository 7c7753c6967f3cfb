"""Where checkpoints of the log are held besides the database and our own store (archive/transparency/)."""

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from archive.models.leased import Leased
from archive.models.transparency import LogCheckpoint


class CheckpointMail(Leased):
    """The mail of one day with the newest checkpoint to one address (archive/transparency/checkpoint_mail.py)."""

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
