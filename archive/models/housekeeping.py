from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from archive.models.leased import Leased


class DeletionRecheck(Leased):
    """Progress of the daily check of deleted Spaces' prefixes (archive/retention/recheck.py). A single row."""

    state = models.CharField(max_length=16, default="listing")
    marker = models.CharField(
        max_length=1024, blank=True, help_text="Where the listing of the store continues; blank: at the start."
    )
    finished_at = models.DateTimeField(null=True, help_text="When the last complete check ended.")

    def __str__(self) -> str:
        return f"checked up to {self.marker or 'the end'}"


class RateLimit(models.Model):
    """The part of a limit that one caller has used (archive/rate_limits.py). Deleted when it is zero."""

    key = models.CharField(primary_key=True, max_length=100, help_text="limit:user or recorder:id, or turn:name")
    used_up_at = models.DateTimeField(help_text="When everything that was counted will be used up.")

    def __str__(self) -> str:
        return self.key


class ReconcileFinding(models.Model):
    """A mismatch of rows and store (archive/retention/reconcile.py): an object without a row, or a row without its
    object. Deleted once the mismatch is resolved."""

    class Kind(models.TextChoices):
        ORPHAN = "orphan", _("object without a row")
        GHOST = "ghost", _("row without its object")

    kind = models.CharField(max_length=8, choices=Kind)
    key = models.CharField(max_length=1024)
    etag = models.CharField(
        max_length=100, blank=True, help_text="Identifies the object: another ETag is another object."
    )
    first_at = models.DateTimeField(db_default=Now(), editable=False)
    last_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(name="finding_once", fields=["kind", "key"]),
            models.CheckConstraint(name="finding_kind_known", condition=Q(kind__in=["orphan", "ghost"])),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class StoreReport(models.Model):
    """The last observed behavior of an object store (archive/storage/rehearsal.py). One row for each store and bucket
    ever used."""

    place = models.CharField(primary_key=True, max_length=500, help_text="The store's address and the bucket.")
    capabilities = models.JSONField(help_text="archive.storage.capabilities.Capabilities, as JSON.")
    findings = models.JSONField(help_text="How each trial went: [{name, outcome, problem}].")
    tried_at = models.DateTimeField(db_default=Now())
    changed = models.JSONField(
        default=list, db_default=[], help_text="Which capabilities were others when that last happened."
    )
    changed_at = models.DateTimeField(null=True, help_text="When the outcome of a trial last changed.")

    def __str__(self) -> str:
        return self.place


class TaskRun(models.Model):
    """When a task that beat starts last finished (archive/tasks.py). One row for each task."""

    task = models.CharField(primary_key=True, max_length=64)
    finished_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.task


class Heartbeat(models.Model):
    """When a worker last started or finished a task of a queue (archive/workers.py)."""

    process = models.CharField(max_length=200, help_text="Celery's name of the worker: celery@host.")
    queue = models.CharField(max_length=40)
    version = models.CharField(max_length=40, blank=True, help_text="The version of Spacekeep.")
    seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(name="heartbeat_once", fields=["process", "queue"])]

    def __str__(self) -> str:
        return f"{self.process} {self.queue}"
