from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from archive.models.space import Space


class SpaceIndex(models.Model):
    """The words by which the search finds a Space, apart from its transcript.

    `archive.search.index_spaces` writes it in the transaction of each change. It is deleted with the content.
    """

    space = models.OneToOneField(Space, primary_key=True, on_delete=models.CASCADE, related_name="index")
    vector = SearchVectorField(
        help_text="Words of the title and of the names of host and speakers, @ID of the host, #ID of the Space."
    )

    class Meta:
        indexes = [GinIndex(name="space_index_vector", fields=["vector"])]

    def __str__(self) -> str:
        return str(self.space_id)
