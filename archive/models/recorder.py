import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class RecorderToken(models.Model):
    """The credential of a recorder (a program). The token is shown once; the row holds its hash."""

    class Scope(models.TextChoices):
        INTAKE = "intake", _("upload recordings")
        BUNDLES = "bundles", _("download bundles")  # of the chosen hosts only, never of all

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100, help_text="The recorder that uses it.")
    prefix = models.CharField(max_length=24, unique=True, help_text="Token prefix, used to look it up.")
    secret_sha256 = models.CharField(max_length=64, help_text="SHA-256 (hex) of the whole token: 256 random bits.")
    scopes = models.JSONField(default=list, help_text="Values of Scope: what the token permits.")
    hosts = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        blank=True,
        related_name="+",
        help_text="The hosts that it may act for. Accounts can be removed: without any left, the token can do nothing.",
    )
    for_anybody = models.BooleanField(
        default=False, help_text="It may upload for every host. Chosen when the token is created, and never inferred."
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True, help_text="When it was last used, to the minute.")

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(name="token_hash_hex", condition=Q(secret_sha256__regex=r"^[0-9a-f]{64}$")),
            models.CheckConstraint(
                name="token_for_anybody_downloads_nothing",
                condition=Q(for_anybody=False) | ~Q(scopes__contains=["bundles"]),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class IdempotencyKey(models.Model):
    """The Idempotency-Key of a request, so that a retry returns the first result. Kept for a day."""

    recorder = models.ForeignKey(RecorderToken, null=True, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=128)
    request_sha256 = models.CharField(max_length=64, help_text="SHA-256 (hex) of the first request.")
    space = models.ForeignKey("archive.Space", on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="idempotency_key_of_one",
                condition=Q(recorder__isnull=False, user=None) | Q(recorder=None, user__isnull=False),
            ),
            models.UniqueConstraint(name="idempotency_key_once", fields=["recorder", "key"]),
            models.UniqueConstraint(name="idempotency_key_once_for_user", fields=["user", "key"]),
        ]

    def __str__(self) -> str:
        return self.key
