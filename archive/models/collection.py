import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from archive.models.package import Package
from archive.models.space import Space


class Collection(models.Model):
    """All Spaces of a host, asked for at once: numbered volumes, each of which opens alone."""

    class Size(models.IntegerChoices):
        """The most that a volume may hold, bytes."""

        SMALL = 2 * 10**9, "2 GB"
        MIDDLE = 10 * 10**9, "10 GB"
        LARGE = 50 * 10**9, "50 GB"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    host = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="collections")
    volume_size = models.BigIntegerField(choices=Size)
    requested_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="collection_volume_size_known", condition=Q(volume_size__in=[2 * 10**9, 10 * 10**9, 50 * 10**9])
            ),
        ]
        indexes = [models.Index(name="collection_newest", fields=["host", "requested_at"])]

    def __str__(self) -> str:
        return f"{self.id} of {self.host_id}"


class Volume(Package):
    """A ZIP with the bags of several Spaces. It is taken back when the first of them is due: then a successor with the
    same number and without that Space is made."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="volumes")
    number = models.PositiveIntegerField()

    class Meta(Package.Meta):
        constraints = [
            *Package.Meta.constraints,
            models.UniqueConstraint(
                name="volume_one_live_for_a_number",
                fields=["collection", "number"],
                condition=Q(state__in=["requested", "building", "ready"]),
            ),
            models.CheckConstraint(name="volume_numbered_from_1", condition=Q(number__gte=1)),
        ]


class VolumeSpace(models.Model):
    """A Space has its place in a volume. The row outlives the Space's content, so that the volume's page can say that
    it expired; of the Space it holds nothing but its id.

    `left_out`: its time had come before the volume was made, so nothing of it is in there.
    """

    volume = models.ForeignKey(Volume, on_delete=models.CASCADE, related_name="places")
    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="+")
    left_out = models.BooleanField(default=False)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(name="volume_space_once", fields=["volume", "space"])]

    def __str__(self) -> str:
        return f"{self.space_id} in {self.volume_id}"
