"""Forms in URLs: searching, filtering and sorting lists."""

from django import forms
from django.utils.translation import gettext_lazy as _

from archive.search.query import MAX_LENGTH as MAX_QUERY_LENGTH
from portal.forms.base import IdListField, LenientChoiceField, LenientIntegerField, PortalForm, TextField

MAX_PAGE = 1000  # of results of a search
MAX_SPACES = 100  # on an open page
SPACE_FILTERS = {
    "all": _("All"),
    "due": _("Due within 7 days"),
    "flagged": _("Flagged"),
    "held": _("On hold"),
    "appealed": _("Appeal open"),
    "deleted": _("Deleted"),
}
SPACE_ORDERS = {"deadline": _("Deadline"), "newest": _("Newest"), "title": _("Title"), "length": _("Longest")}
QUEUE_TABS = {"review": _("To review"), "reviewed": _("Reviewed"), "flagged": _("Flagged")}
QUEUE_ORDERS = {
    "due": _("Due soonest"),
    "newest": _("Newest"),
    "listened": _("Most listeners"),
    "search": _("Search transcripts"),
}
MAX_ID = 2**31 - 1


def page_number() -> LenientIntegerField:
    return LenientIntegerField(default=1, min_value=1, max_value=MAX_PAGE)


class SpaceListForm(PortalForm):
    """Which Spaces are listed, and in which order. A wrong value is an error, because people could mistake other Spaces
    for the ones they asked for."""

    filter = forms.ChoiceField(
        required=False,
        choices=SPACE_FILTERS,
        error_messages={"invalid_choice": _("There is no filter “%(value)s”, so nothing is listed.")},
    )
    sort = forms.ChoiceField(
        required=False,
        choices=SPACE_ORDERS,
        error_messages={"invalid_choice": _("There is no order “%(value)s”, so nothing is listed.")},
    )

    @property
    def chosen(self) -> tuple[str, str]:
        """The filter and the order; "" for an invalid one."""
        self.full_clean()
        return tuple(
            "" if name in self.errors else self.cleaned_data[name] or default
            for name, default in (("filter", "all"), ("sort", "deadline"))
        )  # type: ignore[return-value]  # two of them


class SearchForm(PortalForm):
    """Words to find in transcripts."""

    q = TextField(
        nul="\ufffd",  # so that NUL alone counts as a query without a word, not as an empty query
        required=False,
        max_length=MAX_QUERY_LENGTH,
        sentences={"max_length": "search.too_long"},
    )
    page = page_number()

    @property
    def typed(self) -> str:
        """The typed words."""
        return str(self["q"].value() or "").strip()


class QueueForm(SearchForm):
    """Which Spaces the moderation queue shows, in which order. `host` is the number of an account; 0 for all."""

    tab = LenientChoiceField(default="review", choices=QUEUE_TABS)
    host = LenientIntegerField(default=0, min_value=0, max_value=MAX_ID)
    order = LenientChoiceField(default="due", choices=QUEUE_ORDERS)


class StateForm(PortalForm):
    """The Spaces that an open page shows."""

    spaces = IdListField(most=MAX_SPACES)
