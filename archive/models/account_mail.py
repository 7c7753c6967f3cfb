import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from archive.models.leased import Leased


class AccountMail(Leased):
    """A mail of a page about accounts, to be sent (archive/accounts/account_mail.py). The row is deleted after that."""

    class State(models.TextChoices):
        PENDING = "pending", _("to be sent")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=16, choices=State, default=State.PENDING)
    content = models.TextField(help_text="Address, subject and text, encrypted: a link in it changes a password.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.CheckConstraint(name="account_mail_state_known", condition=Q(state="pending"))]
        indexes = [models.Index(name="account_mail_to_send", fields=["lease_until"])]

    def __str__(self) -> str:
        return str(self.pk)
