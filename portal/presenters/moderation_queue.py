"""The moderation queue: pages of Spaces for admins, by date, by listeners or by search."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Prefetch

from archive import search
from archive.errors import Refused
from archive.formatting import format_duration, format_number
from archive.models import Recording, Space, User, Violation
from archive.moderation.conflicts import find_own_space_conflict
from archive.search import FoundLine
from portal import search_words
from portal.forms.lists import QUEUE_ORDERS, QueueForm
from portal.paging import page_of
from portal.presenters import clock

PAGE = 20
ASKED = ("order", search_words.PARAMETER, "after", "page")  # query parameters of the queue
ORDERS = QUEUE_ORDERS


@dataclass(frozen=True)
class Row:
    """A Space of the queue. `standing` is the number of its flags; `conflict` is why this admin may not flag it;
    `lines` are the search hits in it."""

    space: Space
    face: Any
    length: str
    listened: str
    standing: int
    conflict: Refused | None
    lines: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Queue:
    """One page. `asked` is the query of this page, `next_url` the one of the next page."""

    form: QueueForm
    order: str
    typed: str
    asked: str
    rows: list[Row]
    next_url: str | None = None
    problem: str = ""


def queue(query: Mapping[str, str], now: datetime, user: User, form: QueueForm | None = None) -> Queue:
    """One page of the Spaces that are served now, for this admin: the newest, the most listened to, or the results of
    a search. `form` is a search that was refused."""
    asked = {name: query[name] for name in ASKED if query.get(name)}
    if form is None:
        try:
            form = QueueForm({**query, "q": search_words.decrypt(query, user)})
        except Refused as error:
            return Queue(QueueForm({}), "search", "", urlencode(asked), [], problem=str(error))
    form.full_clean()
    order = form.cleaned_data["order"]
    if order == "search":
        return _search(form, asked, now, user)
    rows = _prepared().served()
    first = "ended_at"
    if order == "listened":
        rows, first = rows.exclude(listeners_total=None), "listeners_total"
    page, cursor = page_of(rows, query.get("after"), (first, "id"), PAGE, descending=True)
    further = f"?{urlencode({'order': order, 'after': cursor})}" if cursor else None
    return Queue(form, order, "", urlencode(asked), [_row(space, now, user) for space in page], further)


def search_url(words: str, user: User, page: int | None = None) -> str:
    """The query string of the queue that has the results for `words`."""
    query: dict[str, Any] = {"order": "search"}
    if words:
        query[search_words.PARAMETER] = search_words.encrypt(words, user)
    return f"?{urlencode(query | ({'page': page} if page else {}))}"


def _prepared() -> Any:
    first = Prefetch("recordings", Recording.objects.filter(number=1), to_attr="first_recording")
    return Space.objects.select_related("host").prefetch_related("violations", first)


def _search(form: QueueForm, query: Mapping[str, str], now: datetime, user: User) -> Queue:
    typed, asked = form.typed, urlencode(query)
    if form.is_valid() and not form.cleaned_data["q"]:
        return Queue(form, "search", typed, asked, [])
    try:
        if form.is_valid():
            results = search.search_lines(Space.objects.all(), form.cleaned_data["q"], form.cleaned_data["page"])
    except Refused as error:
        form.add_error("q", str(error))
    if form.problems:
        return Queue(form, "search", typed, asked, [], problem=form.problems[0])
    spaces = _prepared().in_bulk([one.space.pk for one in results.spaces])
    rows = [
        _row(spaces[one.space.pk], now, user, [_line(line) for line in one.lines])
        for one in results.spaces
        if one.space.pk in spaces
    ]
    further = search_url(typed, user, results.next_page) if results.next_page else None
    return Queue(form, "search", typed, asked, rows, further)


def _row(space: Any, now: datetime, user: User, lines: list[dict[str, Any]] | None = None) -> Row:
    standing = sum(violation.state != Violation.State.LIFTED for violation in space.violations.all())
    recording = space.first_recording[0] if space.first_recording else None
    listened = "" if space.listeners_total is None else format_number(space.listeners_total)
    conflict = find_own_space_conflict(space, user)
    face, length = clock.clock_face(space, now), clock.length(recording)
    return Row(space, face, length, listened, standing, conflict, lines or [])


def _line(line: FoundLine) -> dict[str, Any]:
    seconds = line.start_ms / 1000
    return {
        "t": f"{seconds:.12g}",
        "stamp": format_duration(seconds),
        "speaker": line.speaker,
        "pieces": line.pieces,
    }
