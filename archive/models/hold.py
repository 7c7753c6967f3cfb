import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from archive.models.space import Space

MAX_CASE_NUMBER = 60  # characters


class Hold(models.Model):
    """A legal hold: until its release, its Space has no deadline. A Space may have several, for different matters.

    Triggers check at commit that a Space has no deadline if and only if it is on hold (migration 0002).
    """

    class State(models.TextChoices):
        STANDING = "standing", _("active")
        RELEASED = "released", _("released")

    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="holds")
    state = models.CharField(max_length=16, choices=State, default=State.STANDING)
    reason = models.TextField(blank=True)
    case_number = models.CharField(
        max_length=MAX_CASE_NUMBER, blank=True, help_text="The number of the case, as its authority writes it."
    )
    review_on = models.DateField(null=True, blank=True, help_text="The day (UTC) to check whether it is still needed.")
    placed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    placed_at = models.DateTimeField(db_default=Now(), editable=False)
    release_reason = models.TextField(blank=True)
    released_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    released_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(name="hold_standing", fields=["placed_at", "id"], condition=Q(state="standing")),
            models.Index(name="hold_to_review", fields=["review_on", "id"], condition=Q(state="standing")),
        ]
        constraints = [
            models.UniqueConstraint(
                name="hold_once_for_a_case",
                fields=["space", "case_number"],
                condition=Q(state="standing") & ~Q(case_number=""),
            ),
            models.CheckConstraint(name="hold_state_known", condition=Q(state__in=["standing", "released"])),
            models.CheckConstraint(
                name="hold_released_has_actor_and_time",
                condition=Q(state="standing", released_at=None, released_by=None)
                | (~Q(state="standing") & Q(released_at__isnull=False, released_by__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"Hold {self.pk} ({self.state})"

    @property
    def log_space_id(self) -> uuid.UUID:
        return self.space_id

    @property
    def log_subject(self) -> dict[str, str]:
        return {"hold": str(self.pk)}
