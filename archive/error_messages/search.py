"""Search."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "search.unreadable": _(
        "The search in this address can't be read: it belongs to another account, or the address was cut off. "
        "Search again."
    ),
    "search.too_slow": _("The search took too long. Search for rarer words, or for more of them at once."),
    "search.too_long": _("The search has more than {limit} characters. Search for a few of its words."),
    "search.no_word": _("The search has no word. Search for a word that was spoken."),
    "search.only_exclusions": _("The search only excludes words. Add a word to search for."),
}
