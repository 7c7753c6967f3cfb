from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from archive.models.leased import Leased


class DeletionRecheck(Leased):
    """How far the daily look at the places of deleted Spaces has come (archive/retention/recheck.py). One row."""

    state = models.CharField(max_length=16, default="listing")
    marker = models.CharField(max_length=1024, blank=True, help_text="Where the store's listing goes on; blank: anew.")
    finished_at = models.DateTimeField(null=True, help_text="When the last look came to its end, with nothing left.")

    def __str__(self) -> str:
        return f"looked at until {self.marker or 'the end'}"


class ReconcileFinding(models.Model):
    """Something that does not fit was seen (archive/retention/reconcile.py): an object that no row knows, a row whose
    object is not there. Gone again when it fits, or was removed."""

    class Kind(models.TextChoices):
        ORPHAN = "orphan", "object without a row"
        GHOST = "ghost", "row without its object"

    kind = models.CharField(max_length=8, choices=Kind)
    key = models.CharField(max_length=1024)
    etag = models.CharField(max_length=100, blank=True, help_text="Another one is another object.")
    first_at = models.DateTimeField(db_default=Now(), editable=False)
    last_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(name="finding_once", fields=["kind", "key"]),
            models.CheckConstraint(name="finding_kind_known", condition=Q(kind__in=["orphan", "ghost"])),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
