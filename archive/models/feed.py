import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from archive.models.space import Space


class Feed(models.Model):
    """A private address from which other programs read a host's deadlines, or one Space as a podcast.

    The address is signed (portal/feed_links.py), so the row holds no secret. Deleting the row disables the address.
    """

    class Kind(models.TextChoices):
        CALENDAR = "calendar", _("calendar of deadlines")
        PODCAST = "podcast", _("podcast feed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=16, choices=Kind)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    # Without a constraint in the database: an insert would wait for a transaction that has the Space's row locked.
    space = models.ForeignKey(
        Space, null=True, on_delete=models.CASCADE, db_constraint=False, related_name="+", help_text="Of a podcast."
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="feed_once", fields=["user", "kind", "space"], nulls_distinct=False),
            models.CheckConstraint(
                name="feed_kind_known",
                condition=Q(kind="calendar", space=None) | Q(kind="podcast", space__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.user_id}"
