import secrets
import uuid
from datetime import datetime
from functools import partial

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from archive import formatting, policy
from archive.models import space_queries
from archive.models.leased import Leased
from archive.models.space_queries import SpaceQuerySet, SpaceState

MAX_COHOSTS = 2
MAX_SPEAKERS = 10
MAX_TITLE_KEY = 300  # characters
_KEPT = Q(state__in=["receiving", "processing", "available", "rejected"])
# Columns that the counts of lists compare: with these in the index, counting does not read the table.
_COUNTED = ("dismissed_at", "state")
# Columns that lists filter by, behind those that they sort by: PostgreSQL filters in the index, and reads only the rows
# of the page from the table.
_FILTERED = ("expires_at", "is_flagged")
_TO_REVIEW = Q(state="available", reviewed_at=None)
_LISTENED = _TO_REVIEW & Q(listeners_total__isnull=False)
_REVIEWED = Q(state="available", reviewed_at__isnull=False)


def current_policy() -> policy.RetentionPolicy:
    """Return the retention policy in the settings."""
    return policy.RetentionPolicy(settings.RETENTION_DAYS, settings.VIOLATION_EXTRA_DAYS, settings.LIFT_GRACE_DAYS)


class Space(Leased):
    """A live audio room that has ended. Its row outlives its content, as a tombstone without names."""

    State = SpaceState
    KEPT = space_queries.KEPT
    DELETING = space_queries.DELETING

    class Audience(models.TextChoices):
        UNKNOWN = "", _("not known")
        EVERYONE = "everyone", _("everyone")
        FOLLOWED = "followed", _("people the host follows")
        INVITED = "invited", _("people the host invited")

    class ProcessingStep(models.TextChoices):
        CHECKING = "checking", _("checking")  # read back from the store and hashed; bytes
        MEASURING = "measuring", _("measuring")  # decoded from end to end; milliseconds
        REJECTING = "rejecting", _("being refused")  # its objects are being removed

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    host = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="spaces")
    title = models.CharField(max_length=300, blank=True)
    audience = models.CharField(max_length=16, choices=Audience, blank=True, default=Audience.UNKNOWN)
    ended_at = models.DateTimeField(help_text="When the live Space ended (UTC). The deadline counts from here.")
    started_at = models.DateTimeField(
        null=True, blank=True, help_text="When the live Space started, if its host says so (UTC)."
    )
    expires_at = models.DateTimeField(null=True, help_text="The deadline; NULL while a legal hold stands.")
    deadline_reasons = models.JSONField(
        default=list, blank=True, help_text="Codes with numbers, for expires_at: [{code, days, total_days}, ...]."
    )
    listeners_peak = models.PositiveBigIntegerField(null=True, blank=True)
    listeners_total = models.PositiveBigIntegerField(null=True, blank=True)
    transcribe = models.BooleanField(default=False, help_text="Make an automatic transcript if none is uploaded.")
    state = models.CharField(max_length=16, choices=State, default=State.RECEIVING)
    processing_step = models.CharField(
        max_length=16, choices=ProcessingStep, blank=True, help_text="The step that is running while processing."
    )
    processing_step_done = models.PositiveBigIntegerField(
        default=0, help_text="Bytes or milliseconds, depending on the step."
    )
    processing_step_total = models.PositiveBigIntegerField(default=0, help_text="0: not known.")
    recorder = models.ForeignKey(
        "archive.RecorderToken", null=True, blank=True, on_delete=models.SET_NULL, related_name="spaces"
    )
    fingerprint = models.CharField(
        max_length=64, blank=True, help_text="SHA-256 of host, end and recording, so that each is ingested once."
    )
    salt = models.CharField(
        max_length=64, blank=True, default=partial(secrets.token_hex, 32), help_text="For commitments in the log."
    )
    is_flagged = models.BooleanField(
        default=False, help_text="Whether a flag stands; a trigger of archive_violation writes it."
    )
    is_appealed = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Whether an appeal is open; a trigger of archive_violation writes it.",
    )
    reviewed_at = models.DateTimeField(
        null=True, blank=True, help_text="When an admin last found no violation, or flagged it. NULL: to be reviewed."
    )
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, db_index=False, related_name="+"
    )
    # Copies of values in other columns and tables, so that lists can filter and sort in one table. search.index_spaces
    # writes both.
    title_key = models.CharField(  # noqa: DJ001  # untitled Spaces are sorted last, as NULL is
        max_length=MAX_TITLE_KEY,
        null=True,
        editable=False,
        help_text="The title without case and accents, to sort by; NULL: no title.",
    )
    duration_ms = models.PositiveBigIntegerField(
        null=True, editable=False, help_text="Length of the recording, to sort by; NULL: unknown yet."
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True)
    dismissed_at = models.DateTimeField(
        null=True, blank=True, help_text="When the host took the rejected recording off their list."
    )

    objects = SpaceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="space_state_known",
                condition=Q(state__in=["receiving", "processing", "available", "rejected", "expiring", "deleted"]),
            ),
            models.CheckConstraint(
                name="space_deadline_after_end", condition=Q(expires_at=None) | Q(expires_at__gt=F("ended_at"))
            ),
            models.CheckConstraint(
                name="space_starts_before_end", condition=Q(started_at=None) | Q(started_at__lt=F("ended_at"))
            ),
            models.CheckConstraint(
                name="space_deleted_has_its_time",
                condition=Q(state="deleted", deleted_at__isnull=False) | (~Q(state="deleted") & Q(deleted_at=None)),
            ),
            models.CheckConstraint(
                name="space_never_deleted_while_held",
                condition=~Q(state__in=["expiring", "deleted"]) | Q(expires_at__isnull=False),
            ),
            models.CheckConstraint(
                name="space_deleted_is_scrubbed",
                condition=~Q(state="deleted")
                | Q(title="", salt="", fingerprint="", problem={}, title_key=None, duration_ms=None),
            ),
            models.CheckConstraint(name="space_rejected_has_a_reason", condition=~Q(state="rejected") | ~Q(problem={})),
            models.CheckConstraint(
                name="space_review_has_actor_and_time",
                condition=Q(reviewed_at=None, reviewed_by=None)
                | Q(reviewed_at__isnull=False, reviewed_by__isnull=False),
            ),
            models.UniqueConstraint(
                name="space_ingested_once",
                fields=["fingerprint"],
                condition=~Q(fingerprint="") & ~Q(state__in=["rejected", "deleted"]),
            ),
        ]
        indexes = [
            models.Index(
                name="space_due",
                fields=["expires_at", "id", "is_flagged"],
                include=["host", *_COUNTED],
                condition=~Q(state__in=["expiring", "deleted"]),
            ),
            models.Index(
                name="space_by_host",
                fields=["host", "expires_at", "id", "is_flagged"],
                include=_COUNTED,
                condition=_KEPT,
            ),
            models.Index(name="space_newest", fields=["ended_at", "id", *_FILTERED], condition=_KEPT),
            models.Index(name="space_newest_of_host", fields=["host", "ended_at", "id", *_FILTERED], condition=_KEPT),
            models.Index(name="space_title", fields=["title_key", "id", *_FILTERED], condition=_KEPT),
            models.Index(name="space_title_of_host", fields=["host", "title_key", "id", *_FILTERED], condition=_KEPT),
            models.Index(name="space_length", fields=["duration_ms", "id", *_FILTERED], condition=_KEPT),
            models.Index(
                name="space_length_of_host", fields=["host", "duration_ms", "id", *_FILTERED], condition=_KEPT
            ),
            models.Index(
                name="space_flagged",
                fields=["expires_at", "id"],
                include=["host", *_COUNTED],
                condition=Q(is_flagged=True) & _KEPT,
            ),
            models.Index(
                name="space_appealed",
                fields=["expires_at", "id"],
                include=["host", *_COUNTED],
                condition=Q(is_appealed=True) & _KEPT,
            ),
            models.Index(name="space_expiring", fields=["expires_at", "id"], condition=Q(state="expiring")),
            models.Index(
                name="space_deleted",
                fields=["deleted_at", "id"],
                include=["host", *_COUNTED],
                condition=Q(state="deleted"),
            ),
            models.Index(
                name="space_deleted_of_host",
                fields=["host", "deleted_at", "id"],
                include=_COUNTED,
                condition=Q(state="deleted"),
            ),
            models.Index(name="space_to_review", fields=["ended_at", "id"], condition=_TO_REVIEW),
            models.Index(name="space_to_review_by_deadline", fields=["expires_at", "id"], condition=_TO_REVIEW),
            models.Index(name="space_by_deadline_of_host", fields=["host", "expires_at", "id"], condition=_TO_REVIEW),
            models.Index(name="space_to_review_of_host", fields=["host", "ended_at", "id"], condition=_TO_REVIEW),
            models.Index(name="space_to_review_by_listeners", fields=["listeners_total", "id"], condition=_LISTENED),
            models.Index(
                name="space_by_listeners_of_host",
                fields=["host", "listeners_total", "id"],
                condition=_LISTENED,
            ),
            models.Index(name="space_reviewed", fields=["is_flagged", "reviewed_at", "id"], condition=_REVIEWED),
            models.Index(
                name="space_reviewed_of_host", fields=["host", "is_flagged", "reviewed_at", "id"], condition=_REVIEWED
            ),
            models.Index(
                name="space_at_work", fields=["lease_until"], condition=Q(state__in=["processing", "expiring"])
            ),
        ]

    def __str__(self) -> str:
        return self.title or gettext("A Space of {day}").format(day=formatting.format_day(self.ended_at))

    def stored_deadline(self) -> policy.Deadline:
        """Return the deadline in this row, with the reasons stored with it. Later changes of the settings change
        neither."""
        return policy.Deadline(self.expires_at, tuple(policy.Reason(**stored) for stored in self.deadline_reasons))

    def retention_facts(self) -> policy.Facts:
        """Return the stored facts on which the deadline depends."""
        violations = sorted(self.violations.all(), key=lambda violation: violation.pk)
        held = any(hold.released_at is None for hold in self.holds.all())
        return policy.Facts(self.ended_at, tuple(violation.lifted_at for violation in violations), held)

    def compute_deadline(self) -> policy.Deadline:
        """Compute the deadline by the current policy. It is stored only when the facts change."""
        return policy.deadline(self.retention_facts(), current_policy())

    def is_served(self, moment: datetime) -> bool:
        """Return whether content may be served at `moment`, as `Space.objects.served(moment)`. Checks the deadline and
        not only the state, so that a late sweep prolongs nothing."""
        return self.state == self.State.AVAILABLE and (self.expires_at is None or moment < self.expires_at)

    def is_gone(self, moment: datetime) -> bool:
        """Return whether requests get 410 at `moment`, as `Space.objects.gone(moment)`."""
        return self.state in (self.State.EXPIRING, self.State.DELETED) or (
            self.expires_at is not None and self.expires_at <= moment
        )

    @property
    def log_space_id(self) -> uuid.UUID:
        """The Space in log entries about this row (archive/lifecycle.py)."""
        return self.id

    @property
    def log_subject(self) -> dict[str, str]:
        """{kind: id} of this row for the log's detail. Empty, since the entry has the Space's id anyway."""
        return {}


class Participant(models.Model):
    """A speaker of a Space: its host, one of at most 2 co-hosts, or one of at most 10 speakers. Listeners are only
    counted."""

    class Role(models.TextChoices):
        HOST = "host", _("host")
        COHOST = "cohost", _("co-host")
        SPEAKER = "speaker", _("speaker")

    SEATS = {Role.HOST: 1, Role.COHOST: MAX_COHOSTS, Role.SPEAKER: MAX_SPEAKERS}

    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="participants")
    role = models.CharField(max_length=8, choices=Role)
    seat = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=100)
    account = models.CharField(
        max_length=150,
        blank=True,
        help_text="User name given for them, whether there is such an account or not.",
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)

    class Meta:
        ordering = ["id"]
        constraints = [
            # Deferred, so that participants can swap their seats in one transaction.
            models.UniqueConstraint(
                name="participant_seat_taken_once",
                fields=["space", "role", "seat"],
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.CheckConstraint(
                name="participant_seats",
                condition=Q(role="host", seat=1)
                | Q(role="cohost", seat__range=(1, MAX_COHOSTS))
                | Q(role="speaker", seat__range=(1, MAX_SPEAKERS)),
            ),
            models.CheckConstraint(name="participant_named", condition=~Q(name="")),
        ]

    def __str__(self) -> str:
        return self.name
