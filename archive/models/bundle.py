import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from archive.models.space import Space
from archive.models.work import Work


class Bundle(Work):
    """A ZIP of everything that a Space has, for its host. Complete or absent, never half."""

    class State(models.TextChoices):
        REQUESTED = "requested", "waiting for a worker"
        BUILDING = "building", "being prepared"
        READY = "ready", "ready"
        FAILED = "failed", "failed"
        REMOVED = "removed", "removed"

    LIVE = (State.REQUESTED, State.BUILDING, State.READY)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="bundles")
    content = models.CharField(max_length=64, help_text="SHA-256 of what goes in: same content, same bundle.")
    state = models.CharField(max_length=16, choices=State, default=State.REQUESTED)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    requested_at = models.DateTimeField(db_default=Now(), editable=False)
    bytes_done = models.PositiveBigIntegerField(default=0)
    bytes_total = models.PositiveBigIntegerField(default=0)
    name = models.CharField(max_length=200, blank=True, help_text="The file name that a download gets.")
    key = models.CharField(max_length=200, blank=True)
    size = models.PositiveBigIntegerField(null=True)
    etag = models.CharField(max_length=100, blank=True)
    ready_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="bundle_state_known",
                condition=Q(state__in=["requested", "building", "ready", "failed", "removed"]),
            ),
            models.CheckConstraint(
                name="bundle_ready_is_complete",
                condition=~Q(state="ready")
                | Q(size__isnull=False, size__gt=0, ready_at__isnull=False) & ~Q(key="") & ~Q(etag="") & ~Q(name=""),
            ),
            models.CheckConstraint(
                name="bundle_unready_has_no_object",
                condition=~Q(state__in=["requested", "building", "failed"])
                | Q(size=None, ready_at=None, key="", etag=""),
            ),
            models.CheckConstraint(name="bundle_failed_has_a_reason", condition=~Q(state="failed") | ~Q(problem="")),
            models.CheckConstraint(name="bundle_progress_within_total", condition=Q(bytes_done__lte=F("bytes_total"))),
            models.UniqueConstraint(
                name="bundle_one_live_for_a_content",
                fields=["space", "content"],
                condition=Q(state__in=["requested", "building", "ready"]),
            ),
        ]
        indexes = [
            models.Index(
                name="bundle_at_work", fields=["lease_until"], condition=Q(state__in=["requested", "building"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.id} ({self.state})"

    @property
    def percent(self) -> int:
        return 100 * self.bytes_done // self.bytes_total if self.bytes_total else 0
