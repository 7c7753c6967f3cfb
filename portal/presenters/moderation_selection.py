"""The query string of the moderation queue: which Spaces it lists, and in which order."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.utils.functional import cached_property

from archive.errors import Refused
from archive.models import Space, SpaceQuerySet, User
from archive.moderation import reviews
from archive.search import MatchingSpaces, check_words, find_spaces, limited_time
from portal import search_words
from portal.forms.lists import QUEUE_ORDERS, QueueForm
from portal.paging import Part
from portal.presenters.space_list import with_matches

ASKED = ("tab", "host", "order", search_words.PARAMETER, "after", "page")  # query parameters of the queue
PLACE = ("after", "page")  # those that select the page


@dataclass(frozen=True)
class Selection:
    """`tab`: "review", "reviewed" or "flagged". `order`: "due", "newest", "listened" or "search" for "review", "newest"
    for the others. `typed`: words to find in names; a search of transcripts reads its own. `problem`: why they can't be
    searched for. `query` has the parameters as they were sent."""

    user: User
    tab: str
    order: str
    host_id: int
    query: dict[str, str]
    typed: str = ""
    problem: str = ""

    def part(self, rows: SpaceQuerySet) -> Part[Space]:
        """`rows`, which are `spaces`, as they are listed page by page."""
        part: Part[Space] = Part(rows, self.columns, self.is_descending)
        return with_matches(part, self._matches) if self.typed else part

    @property
    def spaces(self) -> SpaceQuerySet:
        """All Spaces of the tab that have the words. A search of transcripts has other ones: moderation_search.py."""
        return self._matches.rows

    @property
    def is_cut(self) -> bool:
        """Whether so many Spaces match the words that `spaces` has only some of them."""
        return self._matches.is_cut

    @cached_property
    def _matches(self) -> MatchingSpaces:
        if self.problem:
            return MatchingSpaces(Space.objects.none())
        if self.tab == "review":
            rows = reviews.reviewable(Space.objects.all(), self.user)
            rows = rows.exclude(listeners_total=None) if self.order == "listened" else rows
        else:
            rows = Space.objects.reviewed(flagged=self.tab == "flagged")
        rows = rows.filter(host=self.host_id) if self.host_id else rows
        return find_spaces(rows, self.typed, self.user, self.sort) if self.typed else MatchingSpaces(rows)

    def time_limit(self) -> AbstractContextManager[None]:
        """For reading `spaces`. Raises Refused when finding words takes too long."""
        return limited_time() if self.typed else nullcontext()

    @property
    def columns(self) -> tuple[str, str]:
        """The columns that the Spaces are sorted by."""
        if self.tab != "review":
            return "reviewed_at", "id"
        return {"due": "expires_at", "listened": "listeners_total"}.get(self.order, "ended_at"), "id"

    @property
    def is_descending(self) -> bool:
        return self.order != "due"

    @property
    def sort(self) -> list[str]:
        """`columns` as arguments of `order_by`."""
        return [f"-{name}" if self.is_descending else name for name in self.columns]

    @cached_property
    def host(self) -> User | None:
        """The host whose Spaces are listed; None for all."""
        return User.objects.filter(pk=self.host_id).first() if self.host_id else None

    @property
    def asked(self) -> str:
        """Return the query string of this page."""
        return urlencode(self.query)

    @property
    def box_url(self) -> str:
        """Return the query string for the form of the search words."""
        return self.url(**{search_words.PARAMETER: None})

    @property
    def orders(self) -> list[tuple[str, Any, str]]:
        """(code, name, query string) of each order, with the same words. Transcripts are searched for all hosts."""
        return [
            (code, name, self.url(order=code, **({"host": None} if code == "search" else {})))
            for code, name in QUEUE_ORDERS.items()
        ]

    @property
    def all_hosts_url(self) -> str:
        return self.url(host=None)

    def url_of_words(self, words: str, page: int | None = None) -> str:
        """The query string of the results for `words`."""
        encrypted = search_words.encrypt(words, self.user) if words else None
        return self.url(**{search_words.PARAMETER: encrypted, "page": page})

    def url(self, **changes: Any) -> str:
        """The query string of the first page, with other parameters. None leaves one out."""
        query = {name: value for name, value in self.query.items() if name not in PLACE} | changes
        sent = urlencode({name: value for name, value in query.items() if value})
        return f"?{sent}" if sent else ""


def selection(query: Mapping[str, str], user: User) -> Selection:
    """Parse the query. Never an error, because URLs are edited and cut off."""
    form = QueueForm(query)
    form.full_clean()
    tab, order = form.cleaned_data["tab"], form.cleaned_data["order"]
    order = order if tab == "review" else "newest"
    asked = {name: query[name] for name in ASKED if query.get(name)}
    typed, problem = "", ""
    if order != "search":
        try:
            typed = search_words.decrypt(query, user)
            if typed:
                check_words(typed)
        except Refused as error:
            problem = str(error)
    return Selection(user, tab, order, form.cleaned_data["host"], asked, typed, problem)
