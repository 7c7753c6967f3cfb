import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from archive.models.leased import Leased


class Digest(Leased):
    """The mail of one week to a user who chose a weekly digest instead of single mails (archive/notices/digests.py).

    The row holds ids and times only: the mail is rendered from current rows.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("to be sent")
        SENT = "sent", _("sent")
        EMPTY = "empty", _("nothing to report")
        FAILED = "failed", _("could not be sent")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="digests")
    week = models.DateField(help_text="The Monday on which the week begins, UTC.")
    since = models.DateTimeField(help_text="The digest contains the notices after this time.")
    until = models.DateTimeField(help_text="The digest contains the notices until this time.")
    state = models.CharField(max_length=16, choices=State, default=State.PENDING)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    sent_at = models.DateTimeField(null=True, blank=True, help_text="When it was handed over, or about to be.")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="digest_once_a_week", fields=["user", "week"]),
            models.CheckConstraint(name="digest_week_begins_on_monday", condition=Q(week__iso_week_day=1)),
            models.CheckConstraint(
                name="digest_state_known", condition=Q(state__in=["pending", "sent", "empty", "failed"])
            ),
        ]
        indexes = [models.Index(name="digest_to_send", fields=["lease_until"], condition=Q(state="pending"))]

    def __str__(self) -> str:
        return f"{self.week} ({self.state})"

    @property
    def log_space_id(self) -> None:
        """None: a digest belongs to no Space."""
        return None

    @property
    def log_subject(self) -> dict[str, str]:
        return {"digest": str(self.pk)}
