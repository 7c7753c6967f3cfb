import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from archive.models.space import Space


class Rule(models.Model):
    """A version of a rule that a Space can break. Rules are data: admins edit the list (archive/moderation/rules.py).

    A changed name or text makes a new version, so a flag keeps the text under which it was made. All versions have the
    same code; the newest one is `current`.
    """

    code = models.SlugField(_("code"), max_length=40)
    number = models.PositiveIntegerField(default=1, editable=False)
    current = models.BooleanField(default=True, editable=False)
    name = models.CharField(_("name"), max_length=100)
    text = models.TextField(_("text"), blank=True)
    active = models.BooleanField(_("active"), default=True, help_text=_("Whether new flags can use it."))

    class Meta:
        ordering = ["name"]
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        constraints = [
            models.UniqueConstraint(name="rule_version_once", fields=["code", "number"]),
            models.UniqueConstraint(name="rule_one_current", fields=["code"], condition=Q(current=True)),
        ]

    def __str__(self) -> str:
        return self.name


class Violation(models.Model):
    """A flag: a Space broke a rule. Until it is lifted, it extends the deadline.

    `evidence` is a list of {"line": number in the transcript, from 1, "start_ms": int, "end_ms": int, "speaker": str,
    "text": str}. The lines are copied, so that a corrected transcript does not change the evidence; they are scrubbed
    with the Space.
    """

    class State(models.TextChoices):
        STANDING = "standing", _("active")
        APPEALED = "appealed", _("appealed")
        LIFTED = "lifted", _("lifted")

    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="violations")
    rule = models.ForeignKey(Rule, on_delete=models.PROTECT, help_text="The version at the time of the flag.")
    state = models.CharField(max_length=16, choices=State, default=State.STANDING)
    reason = models.TextField(blank=True)
    flagged_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    flagged_at = models.DateTimeField(db_default=Now(), editable=False)
    lift_reason = models.TextField(blank=True)
    lifted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    lifted_at = models.DateTimeField(null=True)
    evidence = models.JSONField(
        default=list, blank=True, help_text="Copied lines of the transcript: [{line, start_ms, end_ms, ...}]."
    )
    evidence_transcript_number = models.PositiveSmallIntegerField(
        null=True, help_text="The number of the transcript that the lines are from."
    )

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(name="violation_appealed", fields=["space"], condition=Q(state="appealed")),
        ]
        constraints = [
            models.CheckConstraint(
                name="violation_evidence_is_of_a_transcript",
                condition=Q(evidence=[]) | Q(evidence_transcript_number__isnull=False),
            ),
            models.CheckConstraint(
                name="violation_state_known", condition=Q(state__in=["standing", "appealed", "lifted"])
            ),
            models.CheckConstraint(
                name="violation_lifted_has_actor_and_time",
                condition=Q(state="lifted", lifted_at__isnull=False, lifted_by__isnull=False)
                | (~Q(state="lifted") & Q(lifted_at=None, lifted_by=None)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule.code} ({self.state})"

    @property
    def log_space_id(self) -> uuid.UUID:
        return self.space_id

    @property
    def log_subject(self) -> dict[str, str]:
        return {"violation": str(self.pk)}


class Appeal(models.Model):
    """The host's appeal against a flag. At most one per flag; an admin decides it once, with a reason."""

    MAX_LENGTH = 2000  # characters

    class State(models.TextChoices):
        OPEN = "open", _("open")
        DENIED = "denied", _("denied")
        GRANTED = "granted", _("granted")

    violation = models.OneToOneField(Violation, on_delete=models.CASCADE, related_name="appeal")
    state = models.CharField(max_length=16, choices=State, default=State.OPEN)
    statement = models.CharField(max_length=MAX_LENGTH, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    decision_reason = models.TextField(blank=True, help_text="The reason for the decision.")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(
                name="appeal_decided", fields=["decided_at", "id"], condition=~Q(state="open") & ~Q(statement="")
            )
        ]
        constraints = [
            models.CheckConstraint(name="appeal_state_known", condition=Q(state__in=["open", "denied", "granted"])),
            models.CheckConstraint(
                name="appeal_decided_has_actor_and_time",
                condition=Q(state="open", decided_at=None, decided_by=None)
                | (~Q(state="open") & Q(decided_at__isnull=False, decided_by__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"Appeal against {self.violation_id} ({self.state})"

    @property
    def log_space_id(self) -> uuid.UUID:
        return self.violation.space_id

    @property
    def log_subject(self) -> dict[str, str]:
        return {"appeal": str(self.pk)}
