import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from archive.models.leased import Leased
from archive.models.recorder import RecorderToken
from archive.models.space import Space


class UploadSession(Leased):
    """A file on its way from a browser or a recorder straight into the store, by one multipart upload.

    `open`: parts may come. `arrived`: it is one object now, and waits to be looked at. `taken`: what was in it is kept
    (a recording, a transcript). `refused`: it is not what it should be (`problem` says why). `aborted`:
    given up, by somebody or after a day without progress.
    """

    class Kind(models.TextChoices):
        RECORDING = "recording", "recording"
        TRANSCRIPT = "transcript", "transcript"

    class State(models.TextChoices):
        OPEN = "open", "being uploaded"
        UPLOADED = "uploaded", "being checked"
        ACCEPTED = "accepted", "taken in"
        REJECTED = "rejected", "not accepted"
        ABORTED = "aborted", "given up"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="uploads")
    kind = models.CharField(max_length=16, choices=Kind)
    state = models.CharField(max_length=16, choices=State, default=State.OPEN)
    name = models.CharField(max_length=255, help_text="The file's name, as its owner knows it.")
    size = models.PositiveBigIntegerField(help_text="Bytes that were announced; completing checks them.")
    part_size = models.PositiveBigIntegerField(help_text="Bytes of each part but the last.")
    sha256 = models.CharField(max_length=64, blank=True, help_text="Of the whole file, if it was announced.")
    language = models.CharField(max_length=16, default="und", help_text="Of a transcript: BCP 47.")
    lenient = models.BooleanField(default=False, help_text="Keep what can be read of a broken transcript.")
    key = models.CharField(max_length=200)
    upload_id = models.CharField(
        max_length=1024,
        blank=True,
        help_text="The store's name for the multipart upload; blank: nothing is left of it.",
    )
    etag = models.CharField(max_length=100, blank=True, help_text="Of the object, once it arrived.")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    recorder = models.ForeignKey(RecorderToken, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    last_activity_at = models.DateTimeField(db_default=Now(), help_text="When parts were asked for or listed last.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="upload_state_known",
                condition=Q(state__in=["open", "uploaded", "accepted", "rejected", "aborted"]),
            ),
            models.CheckConstraint(name="upload_kind_known", condition=Q(kind__in=["recording", "transcript"])),
            models.CheckConstraint(name="upload_sizes_positive", condition=Q(size__gt=0, part_size__gt=0)),
            models.CheckConstraint(name="upload_sha256_hex", condition=Q(sha256__regex=r"^([0-9a-f]{64})?$")),
            models.CheckConstraint(
                name="upload_rejected_has_a_reason", condition=~Q(state="rejected") | ~Q(problem={})
            ),
            models.CheckConstraint(
                name="upload_completed_has_its_object", condition=~Q(state__in=["uploaded", "accepted"]) | ~Q(etag="")
            ),
            models.UniqueConstraint(
                name="upload_one_recording_at_a_time",
                fields=["space"],
                condition=Q(kind="recording", state__in=["open", "uploaded", "accepted"]),
            ),
        ]
        indexes = [
            models.Index(name="upload_open", fields=["last_activity_at"], condition=Q(state="open")),
            # `upload_id` is blanked once the store has nothing more of a session that came to nothing.
            models.Index(
                name="upload_uncleared",
                fields=["last_activity_at"],
                condition=Q(state__in=["rejected", "aborted"]) & ~Q(upload_id=""),
            ),
            models.Index(name="upload_at_work", fields=["lease_until"], condition=Q(state="uploaded")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id} ({self.state})"

    @property
    def part_count(self) -> int:
        return -(-self.size // self.part_size)


class UploadPart(models.Model):
    """What the addresses of a part were signed for. The store refuses other bytes, so a part that is there has this
    checksum: not every store tells the checksums of an open upload's parts."""

    session = models.ForeignKey(UploadSession, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    sha256 = models.CharField(
        max_length=44, blank=True, help_text="Base64, as S3 writes it. Empty: signed for more than one, or for none."
    )

    class Meta:
        constraints = [models.UniqueConstraint(name="upload_part_once", fields=["session", "number"])]

    def __str__(self) -> str:
        return f"{self.session_id}/{self.number}"
