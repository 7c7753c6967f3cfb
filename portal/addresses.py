"""Addresses of pages of many Spaces at once."""

from uuid import UUID

from django.urls import reverse

_NO_SPACE = UUID(int=0)


class SpaceAddresses:
    """The addresses of one kind of page, named as in portal/urls.py. For lists: reversing an address takes as long as
    the rest of a row."""

    def __init__(self, name: str) -> None:
        self._before, _, self._after = reverse(name, args=[_NO_SPACE]).partition(str(_NO_SPACE))

    def of(self, space_id: object) -> str:
        return f"{self._before}{space_id}{self._after}"
