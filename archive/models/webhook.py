import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from archive.models.leased import Leased
from archive.models.space import Space


class WebhookEvent(models.TextChoices):
    """The events to which a receiver can subscribe: the `type` of a payload (docs/webhooks.md)."""

    FLAGGED = "space.flagged", _("a Space was flagged")
    FLAG_LIFTED = "space.flag_lifted", _("a flag was lifted")
    APPEAL_DECIDED = "appeal.decided", _("an appeal was decided")
    DUE = "space.due", _("a Space is deleted within 7 days, or within a day")
    DELETED = "space.deleted", _("a Space was deleted")
    OVERDUE = "space.overdue", _("a deletion is overdue")
    TEST = "webhook.test", _("a test")  # always sent, and only when an admin asks for it


SUBSCRIBABLE = tuple(event for event in WebhookEvent if event != WebhookEvent.TEST)


class WebhookEndpoint(models.Model):
    """The address of a receiver of events about all Spaces (archive/webhooks/endpoints.py)."""

    class Stop(models.TextChoices):
        """Why nothing is sent to it."""

        OFF = "off", _("switched off by an admin")
        GONE = "gone", _("switched off: the receiver wants no more events (410)")
        FAILING = "failing", _("switched off: nothing could be delivered for days")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100, help_text="A name for people, of the program that receives the events.")
    url = models.TextField(help_text="https. It may hold a secret of the receiver, so no log has it.")
    events = models.JSONField(default=list, help_text="The types that are sent: values of WebhookEvent.")
    secret = models.TextField(help_text="The signing secret, whsec_..., encrypted under SECRET_KEY. Shown once.")
    former_secret = models.TextField(
        blank=True, help_text="The previous secret, which also signs until `former_until`."
    )
    former_until = models.DateTimeField(null=True, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="+",
        help_text="The admin who set it up, or switched it on last. Nothing is sent unless they are an active admin.",
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    stopped_at = models.DateTimeField(null=True, blank=True)
    stop_reason = models.CharField(max_length=16, choices=Stop, blank=True)
    owner_notified = models.BooleanField(
        default=True, help_text="False: the owner must still get a mail about the stop."
    )
    failing_since = models.DateTimeField(
        null=True, blank=True, help_text="The first failure after the last delivery that succeeded."
    )

    class Meta:
        ordering = ["-created_at", "id"]
        constraints = [
            models.CheckConstraint(
                name="webhook_stopped_for_a_reason",
                condition=Q(stopped_at=None, stop_reason="")
                | Q(stopped_at__isnull=False, stop_reason__in=["off", "gone", "failing"]),
            ),
            models.CheckConstraint(
                name="webhook_former_secret_ends",
                condition=Q(former_secret="", former_until=None)
                | (~Q(former_secret="") & Q(former_until__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class WebhookDelivery(Leased):
    """One event to be delivered to one endpoint. Has only ids, codes and times, no names and no text, so it needs no
    scrubbing; but it is deleted with its Space, and after 30 days."""

    class State(models.TextChoices):
        PENDING = "pending", _("to be sent")
        DELIVERED = "delivered", _("delivered")
        FAILED = "failed", _("not delivered")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # No foreign keys in the database, so that writing an event waits for no change of an endpoint or a Space.
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="deliveries"
    )
    event = models.CharField(max_length=32, choices=WebhookEvent)
    space = models.ForeignKey(
        Space, null=True, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    subject_id = models.CharField(max_length=64, blank=True, help_text="Id of the flag or appeal; or the deadline.")
    data: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField(
        default=dict, help_text="The `data` of the payload, the same at each attempt."
    )
    state = models.CharField(max_length=16, choices=State, default=State.PENDING)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    attempted_at = models.DateTimeField(null=True, blank=True, help_text="When the last attempt ended.")
    status = models.PositiveSmallIntegerField(null=True, blank=True, help_text="The status of the last answer.")
    duration_ms = models.PositiveIntegerField(null=True, blank=True, help_text="The duration of the last attempt.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="webhook_delivery_state_known", condition=Q(state__in=["pending", "delivered", "failed"])
            ),
            models.CheckConstraint(
                name="webhook_delivery_event_known", condition=Q(event__in=[str(event) for event in WebhookEvent])
            ),
            models.CheckConstraint(
                name="webhook_delivery_failed_has_a_reason", condition=~Q(state="failed", problem={})
            ),
            models.UniqueConstraint(name="webhook_delivery_once", fields=["endpoint", "event", "space", "subject_id"]),
        ]
        indexes = [
            models.Index(name="webhook_delivery_to_send", fields=["lease_until"], condition=Q(state="pending")),
            models.Index(name="webhook_delivery_newest", fields=["endpoint", "created_at", "id"]),
            models.Index(name="webhook_delivery_of_space", fields=["space"]),
            models.Index(name="webhook_delivery_old", fields=["created_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.event} ({self.state})"

    @property
    def message_id(self) -> str:
        """The `webhook-id`: the same at each attempt."""
        return f"msg_{self.pk.hex}"

    @property
    def log_space_id(self) -> uuid.UUID | None:
        return self.space_id

    @property
    def log_subject(self) -> dict[str, str]:
        return {"webhook": str(self.endpoint_id), "delivery": str(self.pk), "type": self.event}
