from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class LogDay(models.Model):
    """The counts of events in the retention log on one day (UTC), and the delays of deletions.

    A cache that can be computed again at any time (archive/audit/days.py): entries never change, and the row of a day
    is written once, when no more entries can be added to that day.
    """

    day = models.DateField(primary_key=True)
    uploaded = models.PositiveBigIntegerField()
    flagged = models.PositiveBigIntegerField()
    held = models.PositiveBigIntegerField()
    deleted = models.PositiveBigIntegerField(help_text="Also uploads that were abandoned before their deadline.")
    delays = models.JSONField(
        help_text="{seconds between deadline and deletion, whole: how many deletions}, of those that were due."
    )

    def __str__(self) -> str:
        return f"{self.day}"


class SavedLogView(models.Model):
    """A view of the log that an auditor or admin saved under a name: the query string of its page."""

    MAX_NAME, MAX_QUERY = 80, 2000

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=MAX_NAME)
    query = models.CharField(max_length=MAX_QUERY)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="saved_log_view_name_once", fields=["user", "name"]),
            models.CheckConstraint(name="saved_log_view_has_a_name", condition=~Q(name="")),
        ]

    def __str__(self) -> str:
        return self.name
