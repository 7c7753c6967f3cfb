"""The moderation queue for a search of transcripts: Spaces with hits, and the lines."""

from datetime import datetime
from typing import Any

from archive import search
from archive.errors import Refused
from archive.formatting import format_duration
from archive.models import Space
from archive.search import FoundLine
from portal import search_words
from portal.forms.lists import QueueForm
from portal.presenters.moderation_queue import Queue, make_rows, read_queue
from portal.presenters.moderation_selection import Selection


def search_page(selection: Selection, now: datetime) -> Queue:
    """Return the results for the words of the query, in all Spaces that are served."""
    try:
        words = search_words.decrypt(selection.query, selection.user)
    except Refused as error:
        return Queue(selection, [], problem=str(error))
    form = QueueForm({**selection.query, "q": words})
    if form.is_valid() and not form.cleaned_data["q"]:
        return Queue(selection, [], typed=form.typed)
    try:
        if form.is_valid():
            results = search.search_lines(Space.objects.all(), form.cleaned_data["q"], form.cleaned_data["page"])
    except Refused as error:
        form.add_error("q", str(error))
    if form.problems:
        return Queue(selection, [], problem=form.problems[0], typed=form.typed)
    lines = {one.space.pk: [_line(line) for line in one.lines] for one in results.spaces}
    spaces = read_queue(list(lines))
    further = selection.url_of_words(form.typed, results.next_page) if results.next_page else None
    return Queue(selection, make_rows(spaces, now, selection.user, lines), further, typed=form.typed)


def _line(line: FoundLine) -> dict[str, Any]:
    seconds = line.start_ms / 1000
    return {
        "t": f"{seconds:.12g}",
        "stamp": format_duration(seconds),
        "speaker": line.speaker,
        "pieces": line.pieces,
        "fragment": search_words.find_fragment(line.pieces),
    }
