import uuid

from django.db import models
from django.db.models import Q

from archive.models.package import Package
from archive.models.space import Space


class Bundle(Package):
    """A ZIP with all files of a Space, for its host to download."""

    space = models.ForeignKey(Space, on_delete=models.CASCADE, related_name="bundles")

    class Meta(Package.Meta):
        constraints = [
            *Package.Meta.constraints,
            models.UniqueConstraint(
                name="bundle_one_live_for_a_content",
                fields=["space", "content_digest"],
                condition=Q(state__in=["requested", "building", "ready"]),
            ),
        ]

    @property
    def log_space_id(self) -> uuid.UUID:
        return self.space_id

    @property
    def log_subject(self) -> dict[str, str]:
        return {"bundle": str(self.pk)}
