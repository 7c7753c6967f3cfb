from django.db import models
from django.utils.translation import gettext_lazy as _

from archive.models.space import Space


class ContentAccess(models.Model):
    """Content of a Space was issued to a grantee in this hour (archive/content_access.py).

    The row makes the log entry of an hour unique. The entry stays; the row is deleted with the Space, or after a day.
    """

    class Kind(models.TextChoices):
        PLAYED = "played", _("opened in the player")
        READ = "read", _("transcript read")
        FOUND = "found", _("lines found by a search")
        DOWNLOADED = "downloaded", _("downloaded")

    # Without a constraint in the database: an insert would wait for a transaction that has the Space's row locked.
    space = models.ForeignKey(Space, on_delete=models.CASCADE, db_constraint=False, related_name="+")
    grantee = models.CharField(max_length=48, help_text="user:<id>, recorder:<id of its token>, or command.")
    kind = models.CharField(max_length=16, choices=Kind)
    hour = models.DateTimeField(help_text="The start of the hour, UTC.")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="content_access_once_an_hour", fields=["space", "grantee", "kind", "hour"]),
            models.CheckConstraint(
                name="content_access_kind_known",
                condition=models.Q(kind__in=["played", "read", "found", "downloaded"]),
            ),
        ]
        indexes = [models.Index(name="content_access_by_hour", fields=["hour"])]

    def __str__(self) -> str:
        return f"{self.grantee} {self.kind} {self.space_id}"
