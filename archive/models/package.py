import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from archive.models.leased import Leased


class Package(Leased):
    """A ZIP in the store, composed of stored objects. It is complete or absent, never partial.

    The object's key is derived from the row's id, so leftovers of a killed worker can be found. `storage_cleared`: the
    package has failed or was removed, and the store was verified to hold none of its data.
    """

    class State(models.TextChoices):
        REQUESTED = "requested", _("waiting for a worker")
        BUILDING = "building", _("being prepared")
        READY = "ready", _("ready")
        FAILED = "failed", _("failed")
        REMOVED = "removed", _("removed")

    class Verification(models.TextChoices):
        """How the bytes of the ZIP were compared with the uploaded ones."""

        STORE = "store", _("by the store")
        READ_BACK = "read-back", _("by downloading it once")

    AT_WORK = (State.REQUESTED, State.BUILDING)
    LIVE = (*AT_WORK, State.READY)
    OVER = (State.FAILED, State.REMOVED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    content_digest = models.CharField(max_length=64, help_text="SHA-256 of its contents' facts.")
    state = models.CharField(max_length=16, choices=State, default=State.REQUESTED)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    requested_at = models.DateTimeField(db_default=Now(), editable=False)
    bytes_done = models.PositiveBigIntegerField(default=0)
    bytes_total = models.PositiveBigIntegerField(default=0, help_text="0: not known yet.")
    upload_id = models.CharField(max_length=1024, blank=True, help_text="The multipart upload that composes it.")
    parts_digest = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the list of its parts.")
    name = models.CharField(max_length=200, blank=True, help_text="The file name of a download.")
    key = models.CharField(max_length=200, blank=True)
    size = models.PositiveBigIntegerField(null=True)
    etag = models.CharField(max_length=100, blank=True)
    sha256 = models.CharField(
        max_length=64, blank=True, help_text="SHA-256 of the whole ZIP, hex; blank unless it was read back."
    )
    crc32 = models.PositiveBigIntegerField(
        null=True, help_text="CRC-32 of the whole ZIP, if the store has compared it."
    )
    verified_by = models.CharField(
        max_length=16, blank=True, choices=Verification, help_text="Blank: not verified yet."
    )
    ready_at = models.DateTimeField(null=True)
    fetched_at = models.DateTimeField(null=True, help_text="When its last download started.")
    host_fetched_at = models.DateTimeField(null=True, help_text="When the host's last download of it started.")
    storage_cleared = models.BooleanField(default=False)
    link_version = models.PositiveIntegerField(default=0, help_text="Incremented to revoke all issued download links.")

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                name="%(class)s_state_known",
                condition=Q(state__in=["requested", "building", "ready", "failed", "removed"]),
            ),
            models.CheckConstraint(
                name="%(class)s_ready_is_complete",
                condition=~Q(state="ready")
                | Q(size__isnull=False, size__gt=0, ready_at__isnull=False) & ~Q(key="") & ~Q(etag="") & ~Q(name=""),
            ),
            models.CheckConstraint(
                name="%(class)s_unready_has_no_object",
                condition=~Q(state__in=["requested", "building", "failed"])
                | Q(size=None, ready_at=None, key="", etag="", sha256="", crc32=None, verified_by=""),
            ),
            models.CheckConstraint(name="%(class)s_sha256_hex", condition=Q(sha256__regex=r"^([0-9a-f]{64})?$")),
            models.CheckConstraint(
                name="%(class)s_verification_known",
                condition=Q(verified_by="", sha256="")
                | Q(verified_by="store", crc32__isnull=False)
                | Q(verified_by="read-back") & ~Q(sha256=""),
            ),
            models.CheckConstraint(name="%(class)s_failed_has_a_reason", condition=~Q(state="failed") | ~Q(problem={})),
            models.CheckConstraint(
                name="%(class)s_progress_within_total", condition=Q(bytes_done__lte=F("bytes_total"))
            ),
            models.CheckConstraint(
                name="%(class)s_live_is_not_cleared",
                condition=Q(state__in=["failed", "removed"]) | Q(storage_cleared=False),
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                name="%(class)s_at_work", fields=["lease_until"], condition=Q(state__in=["requested", "building"])
            ),
            models.Index(
                name="%(class)s_unverified", fields=["lease_until"], condition=Q(state="ready", verified_by="")
            ),
            models.Index(name="%(class)s_unfetched", fields=["fetched_at", "ready_at"], condition=Q(state="ready")),
            models.Index(
                name="%(class)s_uncleared",
                fields=["lease_until"],
                condition=Q(state__in=["failed", "removed"], storage_cleared=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.id} ({self.state})"

    @property
    def percent(self) -> int:
        return 100 * self.bytes_done // self.bytes_total if self.bytes_total else 0
