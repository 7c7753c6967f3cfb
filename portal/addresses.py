"""Cache the URLs that are needed often: Django takes 60 us to reverse one."""

from functools import cache
from uuid import UUID

from django.urls import get_script_prefix, reverse

_NO_SPACE = UUID(int=0)


def address_of(name: str) -> str:
    """Return the URL of a page without parameters, by its name in portal/urls.py. Every page links to twenty of
    them."""
    return _reverse(name, get_script_prefix())


@cache
def _reverse(name: str, prefix: str) -> str:
    """Below `prefix`, which is the active one."""
    return reverse(name)


class SpaceAddresses:
    """The URLs of one kind of page for many Spaces, for lists."""

    def __init__(self, name: str) -> None:
        self._before, _, self._after = reverse(name, args=[_NO_SPACE]).partition(str(_NO_SPACE))

    def of(self, space_id: object) -> str:
        return f"{self._before}{space_id}{self._after}"
