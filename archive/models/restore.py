from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class DatabaseRestore(models.Model):
    """A store, bucket or witness has a checkpoint that this database lacks, so an older database was restored
    (archive/restores.py).

    Nothing is deleted while a row is open. An operator confirms it (`manage.py restore_check`).
    """

    class State(models.TextChoices):
        OPEN = "open", _("to be confirmed")
        CONFIRMED = "confirmed", _("confirmed")

    state = models.CharField(max_length=16, choices=State, default=State.OPEN)
    found_at = models.DateTimeField(db_default=Now(), editable=False)
    place = models.CharField(max_length=300, help_text="Where the checkpoint is: the store, a bucket, a witness.")
    size = models.BigIntegerField(help_text="Number of entries covered.")
    checkpoint = models.TextField(blank=True, help_text="The signed text; empty if only the size is known.")
    common = models.BigIntegerField(null=True, help_text="Number of entries in both the database and the copy.")
    unnumbered = models.JSONField(
        default=list,
        db_default=[],
        help_text="Numbers of the copy's entries that the database also had, but without a place in the tree.",
    )
    applied_at = models.DateTimeField(null=True, help_text="When the last recovery ended.")
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.BigIntegerField(null=True, help_text="The account's id; no foreign key, as in the log.")
    reason = models.TextField(blank=True)
    salt = models.CharField(
        max_length=32, blank=True, default="", db_default="", help_text="Of the commitment to the reason in the log."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(name="database_restore_one_open", fields=["state"], condition=Q(state="open")),
            models.CheckConstraint(name="database_restore_state_known", condition=Q(state__in=["open", "confirmed"])),
            models.CheckConstraint(
                name="database_restore_confirmed_has_actor_and_time",
                condition=Q(state="open", confirmed_at=None, confirmed_by=None)
                | (~Q(state="open") & Q(confirmed_at__isnull=False, confirmed_by__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"restore {self.pk} ({self.state})"
