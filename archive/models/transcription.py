import uuid

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from archive import language_tags
from archive.models.leased import Leased
from archive.models.space import Space


class Transcription(Leased):
    """A job that makes an automatic transcript, window by window. `cues` holds the lines so far (as Transcript.cues),
    so that the next worker continues at `done_ms`."""

    class State(models.TextChoices):
        REQUESTED = "requested", _("waiting for a worker")
        RUNNING = "running", _("being written")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    LIVE = (State.REQUESTED, State.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="transcriptions")
    state = models.CharField(max_length=16, choices=State, default=State.REQUESTED)
    language = models.CharField(max_length=language_tags.MAX_LENGTH, blank=True, help_text="BCP 47; blank: detect it.")
    model = models.CharField(max_length=100, blank=True, help_text="Name of the model.")
    done_ms = models.PositiveBigIntegerField(default=0)
    total_ms = models.PositiveBigIntegerField(default=0)
    cues = models.JSONField(default=list, blank=True)
    requested_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="transcription_state_known", condition=Q(state__in=["requested", "running", "done", "failed"])
            ),
            models.CheckConstraint(name="transcription_progress_within_total", condition=Q(done_ms__lte=F("total_ms"))),
            models.CheckConstraint(
                name="transcription_failed_has_a_reason", condition=~Q(state="failed") | ~Q(problem={})
            ),
            models.UniqueConstraint(
                name="transcription_one_live", fields=["space"], condition=Q(state__in=["requested", "running"])
            ),
        ]
        indexes = [
            models.Index(
                name="transcription_at_work", fields=["lease_until"], condition=Q(state__in=["requested", "running"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.id} ({self.state})"

    @property
    def percent(self) -> int:
        return 100 * self.done_ms // self.total_ms if self.total_ms else 0

    @property
    def log_space_id(self) -> uuid.UUID:
        return self.space_id

    @property
    def log_subject(self) -> dict[str, str]:
        return {"transcription": str(self.pk)}
