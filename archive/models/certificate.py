from django.db import models
from django.db.models import Q


class DeletionCertificate(models.Model):
    """The signed proof that a Space was deleted. Immutable: a trigger refuses UPDATE, DELETE and TRUNCATE.

    The primary key is the Space's id, so each Space has at most one. No foreign key, so that it outlives the Space.
    """

    space_id = models.UUIDField(primary_key=True)
    key_id = models.CharField(max_length=64, help_text="SHA-256 of the public key, hex.")
    document = models.TextField(help_text="Canonical JSON (RFC 8785), byte for byte as it was signed.")
    issued_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(name="certificate_newest", fields=["issued_at", "space_id"])]
        constraints = [
            models.CheckConstraint(name="certificate_key_id_hex", condition=Q(key_id__regex=r"^[0-9a-f]{64}$")),
            models.CheckConstraint(name="certificate_has_document", condition=~Q(document="")),
        ]

    def __str__(self) -> str:
        return f"Certificate of the deletion of {self.space_id}"
