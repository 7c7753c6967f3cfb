"""Find Spaces by title, host, speakers and id: everything but what was spoken.

Each Space that is not deleted has one row in SpaceIndex with the words of its names. A word that is typed matches words
that begin with it. Eight or more hexadecimal digits match the beginning of an id, too.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import BooleanField, F, Func, OuterRef, Prefetch, QuerySet, Subquery
from django.db.models.expressions import RawSQL

from archive.errors import Refused
from archive.models import Recording, Space, SpaceIndex, SpaceQuerySet, User
from archive.models.space import MAX_TITLE_KEY
from archive.models.space_queries import count_up_to
from archive.search.index import HOST_MARK
from archive.search.limits import index_order
from archive.search.normalize import plain
from archive.search.query import MAX_LENGTH, Parsed

ID_MARK = "#"  # as HOST_MARK
MAX_WORD = 200  # characters; PostgreSQL accepts lexemes of 2046 bytes
BATCH = 1000  # Spaces that are indexed at once
GLANCED = 100  # Spaces: enough to tell a word that every tenth has
SAMPLED = 500  # Spaces: enough to tell a word that every hundredth has
MAX_MATCHES = 1000  # Spaces that the index of words may return
MAX_CHECKED = 2000  # Spaces of a list that are checked one by one, however few of them have the words
SHORT = re.compile(r"[0-9a-f]+")
ID = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{0,4}){3}-?[0-9a-f]{0,12}")

EXCLUDED = re.compile(r"(?<!\S)-\S+")  # -word, as in searches of transcripts

# What lists sort by is in the Space itself. It changes seldom, and with it a dozen indexes, so it is written only if it
# differs; and never from a title that another transaction has changed since we read it: that one writes its own.
WRITE = """
WITH given AS (
    SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::bigint[], %s::text[])
        AS given (space, title, title_key, duration, words)
), sorted AS (
    UPDATE archive_space SET title_key = given.title_key, duration_ms = coalesce(duration, duration_ms) FROM given
    WHERE id = space AND archive_space.title = given.title AND state <> 'deleted'
        AND (archive_space.title_key, duration_ms) IS DISTINCT FROM (given.title_key, coalesce(duration, duration_ms))
)
INSERT INTO archive_spaceindex (space_id, vector)
SELECT space, array_to_tsvector(string_to_array(words, ' ')) FROM given
ON CONFLICT (space_id) DO UPDATE SET vector = EXCLUDED.vector
"""


Place = tuple[Any, UUID]  # the first column of an order, and the id
IndexRow = tuple[UUID, str, str | None, int | None, str]  # id, title, title_key, duration_ms, words


def index_spaces(*space_ids: UUID) -> None:
    """Write the index of these Spaces, and what lists sort them by, from their rows, in the caller's transaction.
    Idempotent. Deleted Spaces have neither."""
    write_rows(read_rows(space_ids))


def read_rows(space_ids: Collection[UUID]) -> list[IndexRow]:
    """What is to be written, from the rows of the Spaces as they are now."""
    recordings = Prefetch("recordings", Recording.objects.filter(number=1), to_attr="first_recording")
    spaces = Space.objects.filter(pk__in=space_ids).exclude(state=Space.State.DELETED).select_related("host")
    return [_index_row(space) for space in spaces.prefetch_related("participants", recordings)]


def write_rows(rows: Sequence[IndexRow]) -> None:
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(WRITE, [list(column) for column in zip(*rows, strict=True)])


def index_spaces_of(host: User) -> None:
    """Write the index of all Spaces of a host whose name changed."""
    ids = list(Space.objects.filter(host=host).exclude(state=Space.State.DELETED).values_list("pk", flat=True))
    for start in range(0, len(ids), BATCH):
        index_spaces(*ids[start : start + BATCH])


class Matches(Func):
    """Whether a tsvector matches a tsquery. Within CASE, PostgreSQL expects that half of the rows do; else it would
    expect so few that it would read all to find a page of them."""

    arg_joiner = " @@ "
    template = "CASE WHEN %(expressions)s THEN true ELSE false END"
    output_field = BooleanField()


@dataclass(frozen=True)
class MatchingSpaces:
    """`rows` in no order. `first`: the places of the first of them, in the order that was asked for, with NULL last: of
    all of them if `is_complete`, else of those up to the place `checked_to`, and all are too many to count. `is_cut`:
    more than MAX_MATCHES Spaces have the words, and `rows` are only some of those."""

    rows: SpaceQuerySet
    first: Sequence[Place] = ()
    checked_to: Place | None = None
    is_complete: bool = True
    is_cut: bool = False


def find_spaces(spaces: SpaceQuerySet, typed: str, reader: User, order: Sequence[str]) -> MatchingSpaces:
    """Those of `spaces` that have all of the words in their names, or an id that begins like that. `spaces` are those
    that `reader` may see, `order` the columns that a page of them will be sorted by. Raises Refused without a word.

    The index of the words returns all Spaces that have them, however many: good for words that few have. Where many do,
    PostgreSQL goes through `spaces` in their order, checks each, and stops when the page is full. It has no
    statistics about words to choose by, so the first Spaces are a sample. Where neither is fast, as the words are in
    many Spaces, but in none of the first, only some are found. What this reads is limited in any case.
    """
    words = Parsed(_query(typed, reader))
    vector = SpaceIndex.objects.filter(space=OuterRef("pk")).values("vector")[:1]
    checked = spaces.alias(matches=Matches(Subquery(vector), words))
    in_order = checked.annotate(has_words=F("matches")).order_by(*order)
    candidates: list[UUID] = []
    for size, one_in in ((GLANCED, 10), (SAMPLED, 100)):
        sampled, first = _check(in_order, order, size)
        if len(sampled) < size:
            return MatchingSpaces(_with_ids(spaces, first), first)
        if len(first) * one_in >= size:
            last = sampled[-1] if sampled[-1][0] is not None else None
            return MatchingSpaces(checked.filter(matches=True), first if last else (), last, is_complete=False)
        if not candidates:
            indexed = SpaceIndex.objects.filter(vector=words).values_list("pk", flat=True)
            candidates = list(indexed[: MAX_MATCHES + 1])
        if len(candidates) <= MAX_MATCHES:
            return _among(spaces, candidates, order)
    by_deadline = spaces.order_by("-expires_at")  # an index has all that lists filter by in this order
    if count_up_to(MAX_CHECKED, {"": by_deadline})[""] < MAX_CHECKED:
        _, first = _check(in_order, order, MAX_CHECKED)
        return MatchingSpaces(_with_ids(spaces, first), first)
    return replace(_among(spaces, candidates[:MAX_MATCHES], order), is_cut=True)


def _check(in_order: QuerySet[Any], order: Sequence[str], size: int) -> tuple[list[Place], list[Place]]:
    """(the first `size` Spaces, those of them that have the words)"""
    with index_order():
        rows = list(in_order.values_list(order[0].lstrip("-"), "pk", "has_words")[:size])
    matching = [(value, pk) for value, pk, has_words in rows if has_words]
    # PostgreSQL sorts NULL first if descending. A sample that does not have all Spaces can't tell which NULLs are next.
    last = [place for place in matching if place[0] is None] if len(rows) < size else []
    return [(value, pk) for value, pk, _ in rows], [place for place in matching if place[0] is not None] + last


def _among(spaces: SpaceQuerySet, candidates: Sequence[UUID], order: Sequence[str]) -> MatchingSpaces:
    """Those of `spaces` that are among few candidates."""
    columns = [
        F(column).asc(nulls_last=True) if column == name else F(name).desc(nulls_last=True)
        for column in order
        for name in [column.lstrip("-")]
    ]
    among = spaces.filter(pk__in=_ids(candidates))
    first = list(among.order_by(*columns).values_list(order[0].lstrip("-"), "pk"))
    return MatchingSpaces(_with_ids(spaces, first), first)


def _with_ids(spaces: SpaceQuerySet, places: Sequence[Place]) -> SpaceQuerySet:
    return spaces.filter(pk__in=_ids([pk for _, pk in places]))


def _ids(ids: Sequence[UUID]) -> RawSQL:
    """One parameter instead of a thousand."""
    return RawSQL("SELECT unnest(%s::uuid[])", [list(ids)])


def _query(typed: str, reader: User) -> str:
    query = " & ".join(f"'{word}':*" for word in check_words(typed))
    if digits := id_digits(typed):
        query = f"({query}) | '{ID_MARK}{digits}':*"
    if not (reader.is_admin or reader.is_auditor):
        # Faster than the filter alone: the index has few rows of one host.
        query = f"({query}) & '{HOST_MARK}{reader.pk}'"
    return query


def id_range(typed: str, least: int = 8) -> tuple[UUID, UUID] | None:
    """The first and the last id that begin with `typed`; None if that is not the beginning of an id, with `least` (at
    most 8) or more characters."""
    text = typed.strip().lower()
    digits = text if least <= len(text) < 8 and SHORT.fullmatch(text) else id_digits(typed)
    return (UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))) if digits else None


def id_digits(typed: str) -> str:
    """The digits of `typed` if it can be the beginning of an id: at least 8 hexadecimal digits, with or without hyphens
    in their places. Else ""."""
    text = typed.strip().lower()
    digits = text.replace("-", "")
    return digits if ID.fullmatch(text) and len(digits) <= 32 else ""


def check_words(typed: str) -> list[str]:
    """The words to find; names are not searched for -word. Raises Refused if there is none, or the text is too long."""
    if len(typed) > MAX_LENGTH:
        raise Refused("search.too_long", limit=MAX_LENGTH)
    wanted = EXCLUDED.sub(" ", typed)
    words = list(dict.fromkeys(word[:MAX_WORD] for word in plain(wanted).split()))
    if not words:
        raise Refused("search.no_word")
    return words


def _index_row(space: Space) -> IndexRow:
    host, recordings = space.host, getattr(space, "first_recording", [])
    names = [space.title, host.display_name, host.username, *(person.name for person in space.participants.all())]
    title_key = " ".join(plain(space.title).split())[:MAX_TITLE_KEY]
    words = _unique_words(names) | {f"{HOST_MARK}{host.pk}", f"{ID_MARK}{space.pk.hex}"}
    duration_ms = recordings[0].duration_ms if recordings else None
    return space.pk, space.title, title_key or None, duration_ms, " ".join(words)


def _unique_words(names: Iterable[str]) -> set[str]:
    return {word[:MAX_WORD] for name in names for word in plain(name).split()}
