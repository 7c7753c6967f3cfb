"""Read and update the row of a Space directly, without the code that normally changes it."""

from typing import Any

from archive.models import Space


def reload_space(space: Space) -> Space:
    return Space.objects.get(pk=space.pk)


def update_space(space: Space, **fields: Any) -> None:
    Space.objects.filter(pk=space.pk).update(**fields)
