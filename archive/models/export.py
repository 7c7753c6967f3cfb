import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from archive.models.package import Package
from archive.models.space import Space


class Export(models.Model):
    """All Spaces of a host, asked for at once: numbered parts, each of which opens alone."""

    class Size(models.IntegerChoices):
        """The most that a part may hold, bytes."""

        SMALL = 2 * 10**9, "2 GB"
        MIDDLE = 10 * 10**9, "10 GB"
        LARGE = 50 * 10**9, "50 GB"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    host = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="exports")
    max_part_size = models.BigIntegerField(choices=Size)
    requested_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="export_max_part_size_known", condition=Q(max_part_size__in=[2 * 10**9, 10 * 10**9, 50 * 10**9])
            ),
        ]
        indexes = [models.Index(name="export_newest", fields=["host", "requested_at"])]

    def __str__(self) -> str:
        return f"{self.id} of {self.host_id}"


class ExportPart(Package):
    """A ZIP with the bags of several Spaces. It is taken back when the first of them is due: then a successor with the
    same number and without that Space is made."""

    export = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()

    class Meta(Package.Meta):
        constraints = [
            *Package.Meta.constraints,
            models.UniqueConstraint(
                name="exportpart_one_live_for_a_number",
                fields=["export", "number"],
                condition=Q(state__in=["requested", "building", "ready"]),
            ),
            models.CheckConstraint(name="exportpart_numbered_from_1", condition=Q(number__gte=1)),
        ]


class ExportPartEntry(models.Model):
    """A Space has its place in a part. The row outlives the Space's content, so that the part's page can say that
    it expired; of the Space it holds nothing but its id.

    `excluded`: its time had come before the part was made, so nothing of it is in there.
    """

    export_part = models.ForeignKey(ExportPart, on_delete=models.CASCADE, related_name="places")
    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="+")
    excluded = models.BooleanField(default=False)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(name="exportpart_space_once", fields=["export_part", "space"])]

    def __str__(self) -> str:
        return f"{self.space_id} in {self.export_part_id}"
