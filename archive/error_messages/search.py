"""Search, and the filters of the log."""

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "search.unreadable": _(
        "The search in this address can't be read: it belongs to another account, or the address was cut off. "
        "Search again."
    ),
    "search.too_slow": _("The search took too long. Use rarer words, or add more words."),
    "search.too_long": _("The search has more than {limit} characters. Search for a few of its words."),
    "search.no_word": _("The search has no word. Search for a word that was spoken."),
    "log.too_slow": _(
        "Finding these entries took too long. Add a Space, or a shorter time. Nothing is shown until you do."
    ),
    "log.view_too_long": _("These filters are too long to be saved: at most {limit:number} characters."),
    "log.too_many_views": _("You have {limit:number} saved views. Delete one first."),
    "log.too_many_spaces": _(
        "The ids of more than {limit:number} Spaces begin with this. Enter more of the id. Nothing is shown until you "
        "do."
    ),
    "log.too_many_of_host": _(
        "This host has more than {limit:number} Spaces, too many to search. Add the first characters of the id of a "
        "Space. Nothing is shown until you do."
    ),
    "search.only_exclusions": _("The search only excludes words. Add a word to search for."),
}
