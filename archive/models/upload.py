import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from archive import language_tags
from archive.models.leased import Leased
from archive.models.recorder import RecorderToken
from archive.models.space import Space


class UploadSession(Leased):
    """A file that a browser or a recorder uploads directly to the store, as one multipart upload.

    `open`: parts can be uploaded. `uploaded`: complete, and waiting to be examined. `accepted`: its recording or
    transcript is stored. `rejected`: its content is not valid, see `problem`. `aborted`: canceled, or a day without
    progress.
    """

    class Kind(models.TextChoices):
        RECORDING = "recording", _("recording")
        TRANSCRIPT = "transcript", _("transcript")

    class State(models.TextChoices):
        OPEN = "open", _("being uploaded")
        UPLOADED = "uploaded", _("being checked")
        ACCEPTED = "accepted", _("accepted")
        REJECTED = "rejected", _("not accepted")
        ABORTED = "aborted", _("aborted")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="uploads")
    kind = models.CharField(max_length=16, choices=Kind)
    state = models.CharField(max_length=16, choices=State, default=State.OPEN)
    name = models.CharField(max_length=255, help_text="The file's name on the uploader's side.")
    size = models.PositiveBigIntegerField(help_text="Announced bytes; checked on completion.")
    part_size = models.PositiveBigIntegerField(help_text="Bytes of each part but the last.")
    sha256 = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the whole file, if it was announced.")
    part_checksums = models.CharField(
        max_length=16,
        default="none",
        help_text="How the URLs of its parts contain a SHA-256 (archive/storage/capabilities.py).",
    )
    language = models.CharField(
        max_length=language_tags.MAX_LENGTH, default="und", help_text="Of a transcript: BCP 47."
    )
    lenient = models.BooleanField(default=False, help_text="Keep the readable lines of a broken transcript.")
    speaker_names = models.JSONField(
        default=dict,
        db_default={},
        blank=True,
        help_text="For a transcript that is not imported yet: {old speaker name: new name}.",
    )
    key = models.CharField(max_length=200)
    upload_id = models.CharField(
        max_length=1024,
        blank=True,
        help_text="The store's id of the multipart upload; blank once nothing is left of it.",
    )
    etag = models.CharField(
        max_length=100, blank=True, help_text="The ETag of the object, once the upload is complete."
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    recorder = models.ForeignKey(RecorderToken, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    last_activity_at = models.DateTimeField(db_default=Now(), help_text="When parts were last signed or listed.")

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
            # `upload_id` is blanked once the store has nothing left of a rejected or aborted upload.
            models.Index(
                name="upload_uncleared",
                fields=["last_activity_at"],
                condition=Q(state__in=["rejected", "aborted"]) & ~Q(upload_id=""),
            ),
            models.Index(
                name="upload_imported",
                fields=["last_activity_at"],
                condition=Q(state="accepted", kind="transcript") & ~Q(upload_id=""),
            ),
            models.Index(name="upload_at_work", fields=["lease_until"], condition=Q(state="uploaded")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id} ({self.state})"

    @property
    def part_count(self) -> int:
        return -(-self.size // self.part_size)

    @property
    def log_space_id(self) -> uuid.UUID:
        return self.space_id

    @property
    def log_subject(self) -> dict[str, str]:
        return {"upload": str(self.pk)}


class UploadPart(models.Model):
    """The checksum with which a part's URL was signed. Kept until the file was read and compared with it.

    Some stores compare it and refuse other bytes at once; others don't, and not every store lists the checksums of the
    parts of an open upload.
    """

    session = models.ForeignKey(UploadSession, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    sha256 = models.CharField(
        max_length=44, blank=True, help_text="Base64, as S3 writes it. Empty: signed for more than one, or for none."
    )

    class Meta:
        constraints = [models.UniqueConstraint(name="upload_part_once", fields=["session", "number"])]

    def __str__(self) -> str:
        return f"{self.session_id}/{self.number}"
