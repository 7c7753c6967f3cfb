import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from archive.models.package import Package
from archive.models.space import Space


class Export(models.Model):
    """All Spaces of a host, or chosen ones, as numbered ZIPs. Each ZIP can be opened without the others."""

    class Size(models.IntegerChoices):
        """The maximum size of a part in bytes."""

        SMALL = 2 * 10**9, _("2 GB")
        MIDDLE = 10 * 10**9, _("10 GB")
        LARGE = 50 * 10**9, _("50 GB")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    host = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="exports")
    max_part_size = models.BigIntegerField(choices=Size)
    chosen = models.BooleanField(
        default=False, help_text="The host chose the Spaces; otherwise it has all that could be downloaded."
    )
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
    """A ZIP with the bags of several Spaces.

    When the first of its Spaces is due, a part without that Space replaces it under the same number.
    """

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

    @property
    def log_space_id(self) -> None:
        return None  # it holds several Spaces

    @property
    def log_subject(self) -> dict[str, str]:
        return {"export_part": str(self.pk)}


class ExportPartEntry(models.Model):
    """A Space in a part. The row outlives the Space's content, so that the part's page can show that it expired.

    `excluded`: the Space was due before the part was made, so the part does not contain it.
    """

    export_part = models.ForeignKey(ExportPart, on_delete=models.CASCADE, related_name="places")
    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="+")
    excluded = models.BooleanField(default=False)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(name="exportpart_space_once", fields=["export_part", "space"])]

    def __str__(self) -> str:
        return f"{self.space_id} in {self.export_part_id}"
