import uuid
from typing import TypeAlias

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from archive.models.leased import Leased
from archive.models.notice_kinds import REMINDERS, Details, NoticeKind
from archive.models.space import Space


class Notice(Leased):
    """A message to one user: an e-mail, and a note on the page until they dismiss it. Its kinds: notice_kinds.py.

    The row holds ids only. Mail and notes are rendered from current rows (archive/notices), so a deleted Space leaves
    nothing here.
    """

    Kind: TypeAlias = NoticeKind

    class State(models.TextChoices):
        PENDING = "pending", _("to be sent")
        SENT = "sent", _("sent")
        WEB_ONLY = "web-only", _("on the page only")  # no mail is sent here, or this person has no address
        OBSOLETE = "obsolete", _("not sent: out of date")
        FAILED = "failed", _("could not be sent")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=16, choices=Kind)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    # No foreign key in the database: like the log, a notice outlives its Space, and writing one locks no Space.
    space = models.ForeignKey(Space, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    subject_id = models.CharField(
        max_length=64, blank=True, help_text="Id of the bundle or violation; or the deadline."
    )
    deadline = models.DateTimeField(null=True, blank=True, help_text="For a reminder: its deadline.")
    state = models.CharField(max_length=16, choices=State, default=State.PENDING)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    sent_at = models.DateTimeField(null=True, blank=True, help_text="When the mail server accepted it.")
    dismissed_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When the user dismissed it, opened the page of its Space, or did what it asks for.",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="notice_kind_known",
                condition=Q(kind__in=[str(kind) for kind in NoticeKind]),
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
                condition=Q(kind__in=[str(kind) for kind in REMINDERS], deadline__isnull=False)
                | (~Q(kind__in=[str(kind) for kind in REMINDERS]) & Q(deadline=None)),
            ),
            models.UniqueConstraint(name="notice_once", fields=["kind", "user", "space", "subject_id"]),
        ]
        indexes = [
            models.Index(name="notice_of_user", fields=["user", "created_at", "id"]),
            models.Index(
                name="notice_undismissed", fields=["user", "created_at", "id"], condition=Q(dismissed_at=None)
            ),
            models.Index(
                name="notice_undismissed_due",
                fields=["user", "deadline", "id"],
                condition=Q(dismissed_at=None, deadline__isnull=False),
            ),
            models.Index(
                name="notice_undismissed_of_kind",
                fields=["user", "kind", "created_at", "id"],
                condition=Q(dismissed_at=None, deadline=None),
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

    @property
    def details(self) -> Details:
        """The details of its kind: icon, severity, subject, ..."""
        return NoticeKind(self.kind).details

    @property
    def log_space_id(self) -> uuid.UUID:
        return self.space_id

    @property
    def log_subject(self) -> dict[str, str]:
        return {"notice": str(self.pk)}
