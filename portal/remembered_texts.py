"""Remember what texts are translated to.

Django has a catalog for each application and language, and looks for a text in one after the other. An English text is
in none of them, so each lookup takes 15 µs, and a page has 300 texts.
"""

from functools import lru_cache
from typing import Any

from django.utils.translation import trans_real

MAX_TEXTS = 10_000  # more than the code has: nothing else is translated, but its forms may contain numbers


class RememberedTranslation(trans_real.DjangoTranslation):
    """The texts of a language. Its catalogs are complete once it is made.

    Django keeps one for each language. Those of other domains than Python's and the templates' are made for one
    request, and remember nothing: they could be freed by the garbage collector only.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.domain == "django":
            self.gettext = lru_cache(MAX_TEXTS)(super().gettext)  # type: ignore[method-assign]
            self.ngettext = lru_cache(MAX_TEXTS)(super().ngettext)  # type: ignore[method-assign]


def install() -> None:
    """Have Django make these, from now on."""
    trans_real.DjangoTranslation = RememberedTranslation  # type: ignore[misc]
