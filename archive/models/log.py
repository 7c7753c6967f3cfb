from django.db import models
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Now

# The format of archive.log.rfc3339, for PostgreSQL and Python. It matches only times that exist, also in leap years: a
# cast of other text would raise an error in every query that reads the entry, and the log keeps its entries for ever.
_LEAP_YEAR = "[0-9]{2}(0[48]|[2468][048]|[13579][26])|(0[48]|[2468][048]|[13579][26])00"
_DAY = (
    "(?!0000)[0-9]{4}-((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)"
    f"|({_LEAP_YEAR})-02-29"
)
LOGGED_TIME = f"^({_DAY})T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{{1,6}})?Z$"
# The deadline in an entry's detail, or NULL.
LOGGED_DEADLINE = f"(CASE WHEN detail ->> 'deadline' ~ '{LOGGED_TIME}' THEN (detail ->> 'deadline')::timestamptz END)"


class LogEntry(models.Model):
    """An entry of the retention log. Append-only: triggers refuse UPDATE, DELETE and TRUNCATE, and set `at`.

    No foreign keys, so that entries outlive their subjects. No names and no text by users, only ids and salted
    commitments. Only `archive.log.record` writes entries, in the transaction of the change.
    """

    at = models.DateTimeField(db_default=Now(), editable=False)
    event = models.CharField(max_length=40)
    premis = models.CharField(max_length=40, blank=True, help_text="PREMIS event type; blank where none fits.")
    space_id = models.UUIDField(null=True)
    actor_kind = models.CharField(max_length=16)
    actor_id = models.BigIntegerField(null=True)
    detail = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(name="log_by_space", fields=["space_id", "at", "id"]),
            # Each filter of the log's page reads a range of one index, in page order (archive/audit/find.py).
            models.Index(name="log_by_event", fields=["event", "at", "id"]),
            models.Index(name="log_by_time", fields=["at", "id"]),
            models.Index(
                name="log_by_actor", fields=["actor_id", "at", "id"], condition=models.Q(actor_id__isnull=False)
            ),
            models.Index(
                KeyTextTransform("rule", "detail"),
                "at",
                "id",
                name="log_by_rule",
                condition=models.Q(detail__has_key="rule"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.event}"
