import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _

from archive.models.leased import Leased


class Invitation(Leased):
    """An invitation to create an account (archive/accounts/invitations.py).

    The row holds the hash of the link's token. Address and name are erased when the invitation is accepted, because the
    account then has them.
    """

    class Role(models.TextChoices):
        HOST = "host", _("host")
        AUDITOR = "auditor", _("auditor")
        ADMIN = "admin", _("admin")

    class State(models.TextChoices):
        PENDING = "pending", _("to be sent")
        OPEN = "open", _("sent")
        FAILED = "failed", _("could not be sent")
        ACCEPTED = "accepted", _("accepted")
        REVOKED = "revoked", _("revoked")

    WAITING = (State.PENDING, State.OPEN, State.FAILED)  # neither accepted nor revoked; may have expired

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(blank=True, help_text="Whom it invites; empty once accepted.")
    name = models.CharField(
        max_length=150, blank=True, default="", db_default="", help_text="As the inviter wrote it; empty once accepted."
    )
    role = models.CharField(max_length=16, choices=Role, default=Role.HOST)
    state = models.CharField(max_length=16, choices=State, default=State.PENDING)
    issue = models.PositiveIntegerField(default=1, help_text="Which link is valid: incremented for each new one.")
    token_sha256 = models.CharField(max_length=64, unique=True, help_text="SHA-256 (hex) of the valid link's token.")
    by_mail = models.BooleanField(help_text="The valid link is sent by mail only, and shown to nobody.")
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="invitations_made"
    )
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="invitations_accepted"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, help_text="When it was accepted or revoked.")

    class Meta:
        constraints = [
            models.CheckConstraint(name="invitation_role_known", condition=Q(role__in=["host", "auditor", "admin"])),
            models.CheckConstraint(
                name="invitation_state_known",
                condition=Q(state__in=["pending", "open", "failed", "accepted", "revoked"]),
            ),
            models.CheckConstraint(
                name="invitation_token_hash_hex", condition=Q(token_sha256__regex=r"^[0-9a-f]{64}$")
            ),
            models.CheckConstraint(
                name="invitation_ended_has_its_time",
                condition=Q(state__in=["accepted", "revoked"], ended_at__isnull=False)
                | (~Q(state__in=["accepted", "revoked"]) & Q(ended_at=None)),
            ),
            models.CheckConstraint(
                name="invitation_accepted_without_address", condition=~Q(state="accepted") | Q(email="", name="")
            ),
            models.UniqueConstraint(
                Lower("email"),
                name="invitation_one_waiting",
                condition=Q(state__in=["pending", "open", "failed"]),
            ),
        ]
        indexes = [
            models.Index(name="invitation_newest", fields=["created_at", "id"]),
            models.Index(name="invitation_to_send", fields=["lease_until"], condition=Q(state="pending")),
        ]

    def __str__(self) -> str:
        return f"{self.role} ({self.state})"

    @property
    def log_space_id(self) -> None:
        """None: an invitation belongs to no Space."""
        return None

    @property
    def log_subject(self) -> dict[str, str]:
        return {"invitation": str(self.pk)}
