import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from archive.models.leased import Leased
from archive.models.space import Space


class Notice(Leased):
    """Something that one person is told: by e-mail, and as a note on the page until they put it away.

    It holds ids only. What a mail or a note says is read from the rows at that moment (archive/notices), so nothing of
    a Space is left in here when it is deleted.
    """

    class Kind(models.TextChoices):
        BUNDLE_READY = "bundle-ready", "bundle ready"
        BUNDLE_FAILED = "bundle-failed", "bundle failed"
        FLAGGED = "flagged", "flagged"
        LIFTED = "lifted", "violation lifted"
        APPEAL_DENIED = "appeal-denied", "appeal denied"
        DUE_7_DAYS = "due-7-days", "7 days before deletion"
        DUE_1_DAY = "due-1-day", "1 day before deletion"
        DELETED = "deleted", "deleted"

    class State(models.TextChoices):
        PENDING = "pending", "to be sent"
        SENT = "sent", "sent"
        WEB_ONLY = "web-only", "on the page only"  # no mail is sent here, or this person has no address
        OBSOLETE = "obsolete", "not sent: no longer true"
        FAILED = "failed", "could not be sent"

    REMINDERS = (Kind.DUE_7_DAYS, Kind.DUE_1_DAY)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=16, choices=Kind)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    # No foreign key in the database: like the log, a notice outlives what it speaks of, and telling locks no Space.
    space = models.ForeignKey(Space, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    subject_id = models.CharField(
        max_length=64, blank=True, help_text="Id of the bundle or violation; or the deadline."
    )
    deadline = models.DateTimeField(null=True, blank=True, help_text="The one that a reminder is about.")
    state = models.CharField(max_length=16, choices=State, default=State.PENDING)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    sent_at = models.DateTimeField(null=True, blank=True, help_text="When the mail server took it.")
    dismissed_at = models.DateTimeField(null=True, blank=True, help_text="When its reader put the note away.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="notice_kind_known",
                condition=Q(
                    kind__in=[
                        *("bundle-ready", "bundle-failed", "flagged", "lifted", "appeal-denied"),
                        *("due-7-days", "due-1-day", "deleted"),
                    ]
                ),
            ),
            models.CheckConstraint(
                name="notice_state_known", condition=Q(state__in=["pending", "sent", "web-only", "obsolete", "failed"])
            ),
            models.CheckConstraint(
                name="notice_sent_has_its_time",
                condition=Q(state="sent", sent_at__isnull=False) | (~Q(state="sent") & Q(sent_at=None)),
            ),
            models.CheckConstraint(
                name="notice_unsent_has_a_reason", condition=~Q(state__in=["obsolete", "failed"]) | ~Q(problem={})
            ),
            models.CheckConstraint(
                name="notice_reminder_has_its_deadline",
                condition=Q(kind__in=["due-7-days", "due-1-day"], deadline__isnull=False)
                | (~Q(kind__in=["due-7-days", "due-1-day"]) & Q(deadline=None)),
            ),
            models.UniqueConstraint(name="notice_once", fields=["kind", "user", "space", "subject_id"]),
        ]
        indexes = [
            models.Index(name="notice_of_user", fields=["user", "created_at", "id"]),
            models.Index(
                name="notice_undismissed", fields=["user", "created_at", "id"], condition=Q(dismissed_at=None)
            ),
            models.Index(name="notice_of_space", fields=["space", "kind", "deadline"]),
            models.Index(name="notice_at_work", fields=["lease_until"], condition=Q(state="pending")),
            models.Index(
                name="notice_obsolete_reminder",
                fields=["deadline"],
                condition=Q(state="obsolete", deadline__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({self.state})"
