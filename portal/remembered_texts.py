"""Cache the translations of texts.

Django has a catalog for each application and language, and searches them one after the other. English texts are in none
of them, so each lookup takes 15 µs, and a page has 300 texts.
"""

from functools import lru_cache
from typing import Any

from django.utils.translation import trans_real

MAX_TEXTS = 10_000  # more than the number of texts in the code; plural forms may contain numbers


class RememberedTranslation(trans_real.DjangoTranslation):
    """The translations of one language. Its catalogs are complete when it is created.

    Django keeps one instance for each language. Instances of other domains than Python's and the templates' live for
    one request and cache nothing, because only the garbage collector could free them.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.domain == "django":
            self.gettext = lru_cache(MAX_TEXTS)(super().gettext)  # type: ignore[method-assign]
            self.ngettext = lru_cache(MAX_TEXTS)(super().ngettext)  # type: ignore[method-assign]


def install() -> None:
    """Make Django use this class."""
    trans_real.DjangoTranslation = RememberedTranslation  # type: ignore[misc]
