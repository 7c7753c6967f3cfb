from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from archive.models.space import Space


class Rule(models.Model):
    """A rule that a Space can break. Rules are data: admins edit the list, flags name a rule by its code."""

    code = models.SlugField(primary_key=True, max_length=40)
    name = models.CharField(max_length=100)
    text = models.TextField(blank=True)
    active = models.BooleanField(default=True, help_text="Whether it can be chosen for a new flag.")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Violation(models.Model):
    """A Space broke a rule. While a violation stands, the Space is kept for longer."""

    class State(models.TextChoices):
        STANDING = "standing", "stands"
        APPEALED = "appealed", "appealed"
        LIFTED = "lifted", "lifted"

    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="violations")
    rule = models.ForeignKey(Rule, on_delete=models.PROTECT)
    state = models.CharField(max_length=16, choices=State, default=State.STANDING)
    reason = models.TextField(blank=True)
    flagged_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    flagged_at = models.DateTimeField(db_default=Now(), editable=False)
    lift_reason = models.TextField(blank=True)
    lifted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="violation_state_known", condition=Q(state__in=["standing", "appealed", "lifted"])
            ),
            models.CheckConstraint(
                name="violation_lifted_by_somebody_at_a_time",
                condition=Q(state="lifted", lifted_at__isnull=False, lifted_by__isnull=False)
                | (~Q(state="lifted") & Q(lifted_at=None, lifted_by=None)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule_id} ({self.state})"
