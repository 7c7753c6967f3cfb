from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q

from archive.models.space import Space


class SpaceIndex(models.Model):
    """What lists sort a Space by, and what the search finds it by, apart from what was spoken.

    `archive.search.index_spaces` writes it, in the transaction of whatever changed. It is deleted with the content.
    """

    MAX_TITLE_KEY = 300  # characters

    space = models.OneToOneField(Space, primary_key=True, on_delete=models.CASCADE, related_name="index")
    host = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False, help_text="Of the Space."
    )
    title_key = models.CharField(  # noqa: DJ001  # untitled Spaces are sorted last, as NULL is
        max_length=MAX_TITLE_KEY, null=True, help_text="The title without case and accents; NULL: no title."
    )
    duration_ms = models.PositiveBigIntegerField(null=True, help_text="Of its recording; NULL: not known yet.")
    vector = SearchVectorField(
        help_text="Words of the title and of the names of host and speakers, @ID of the host, #ID of the Space."
    )

    class Meta:
        indexes = [
            GinIndex(name="space_index_vector", fields=["vector"]),
            models.Index(name="space_index_title", fields=["title_key", "space"]),
            models.Index(name="space_index_host_title", fields=["host", "title_key", "space"]),
            models.Index(
                name="space_index_length", fields=["duration_ms", "space"], condition=Q(duration_ms__isnull=False)
            ),
            models.Index(
                name="space_index_host_length",
                fields=["host", "duration_ms", "space"],
                condition=Q(duration_ms__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return str(self.space_id)
