"""Find Spaces by title, host, speakers and id: by everything except the transcript.

Each Space that is not deleted has one row in SpaceIndex with the words of its names. A typed word matches words that
begin with it. Eight or more hexadecimal digits match the beginning of an id, too.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import BooleanField, Count, F, Func, OuterRef, Prefetch, QuerySet, Subquery, Window
from django.db.models.expressions import RawSQL

from archive.errors import Refused
from archive.models import Recording, Space, SpaceIndex, SpaceQuerySet, User
from archive.models.space import MAX_TITLE_KEY
from archive.models.space_queries import count_up_to, sees_all
from archive.search.index import HOST_MARK
from archive.search.limits import index_order
from archive.search.normalize import plain
from archive.search.query import MAX_LENGTH, Parsed

ID_MARK = "#"  # like HOST_MARK
MAX_WORD = 200  # characters; PostgreSQL accepts lexemes of 2046 bytes
BATCH = 1000  # Spaces indexed per statement
GLANCED = 100  # Spaces: enough to detect a word that every tenth has
FIRST = 26  # Spaces whose places are read: more than a page of any list has
MAX_MATCHES = 1000  # Spaces that the index of words may return
MAX_SHOWN = 500  # Spaces to return when only some of the matches are found
SAMPLED = 300  # Spaces: enough to detect a word that every hundredth has
MAX_CHECKED = 2000  # Spaces of a list that are checked one by one, however few of them have the words
SHORT = re.compile(r"[0-9a-f]+")
ID = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{0,4}){3}-?[0-9a-f]{0,12}")

EXCLUDED = re.compile(r"(?<!\S)-\S+")  # -word, as in searches of transcripts

# The Space's row has the columns that lists sort by. Writing them updates a dozen indexes, so it is done only if they
# differ; and never from a title that another transaction has changed since we read it: that one writes its own.
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


# Reads the list as far as necessary. The last row that it may check is always returned: then there may be more.
CHECK = """SELECT * FROM (
    SELECT *, row_number() OVER () AS number FROM ({listed}) AS listed (value, id, has_words)
) AS numbered WHERE has_words OR number = %s LIMIT %s
"""
# As one text: reading a thousand ids in Python takes longer than finding them in PostgreSQL.
CANDIDATES = "SELECT string_agg(id::text, ',') FROM ({indexed}) AS indexed (id)"

Place = tuple[Any, UUID]  # the first column of an order, and the id
IndexRow = tuple[UUID, str, str | None, int | None, str]  # id, title, title_key, duration_ms, words


def index_spaces(*space_ids: UUID) -> None:
    """Write the index of these Spaces, and the columns that lists sort by, from their rows, in the caller's
    transaction. Idempotent. Skips deleted Spaces."""
    write_rows(read_rows(space_ids))


def read_rows(space_ids: Collection[UUID]) -> list[IndexRow]:
    """Return the rows to write, from the present rows of the Spaces."""
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
    """Whether a tsvector matches a tsquery. Because of the CASE, PostgreSQL expects half of the rows to match; without
    it, PostgreSQL would expect so few that it would read all rows to find a page."""

    arg_joiner = " @@ "
    template = "CASE WHEN %(expressions)s THEN true ELSE false END"
    output_field = BooleanField()


@dataclass(frozen=True)
class MatchingSpaces:
    """`rows` are unordered. `first`: the places of the first of them, in the requested order, with NULL last: of all of
    them, or of those up to the place `known_to`. `count`: their number; None if there are too many to count. `is_cut`:
    more than MAX_MATCHES Spaces have the words, and `rows` are among MAX_SHOWN of those."""

    rows: SpaceQuerySet
    first: Sequence[Place] = ()
    known_to: Place | None = None
    count: int | None = 0
    is_cut: bool = False


def find_spaces(spaces: SpaceQuerySet, typed: str, reader: User, order: Sequence[str]) -> MatchingSpaces:
    """Return those of `spaces` that have all of the words in their names, or an id that begins with `typed`. `spaces`
    are those that `reader` may see, `order` the columns that a page is sorted by. Raises Refused without a word.

    The index of words returns all Spaces that have them, so it is fast for rare words. For common words, PostgreSQL
    goes through `spaces` in order, checks each, and stops when a page is full. It has no statistics about words to
    choose by, so the first Spaces serve as a sample. Where neither is fast, because many Spaces have the words but
    hardly any of the first ones, only some are found. The number of rows read is limited in any case, and so is the
    number of queries: one for words in every tenth Space, three for rare words, and at most five.
    queries, which is one for words that are in every tenth Space, three for words that few have, and five at most.
    """
    words = Parsed(_query(typed, reader))
    vector = SpaceIndex.objects.filter(space=OuterRef("pk")).values("vector")[:1]
    checked = spaces.alias(matches=Matches(Subquery(vector), words))
    in_order = checked.annotate(has_words=F("matches"))
    matching = checked.filter(matches=True)
    glance = _check(in_order, order, GLANCED, GLANCED)
    if glance.known_to is None:
        return _all_of(spaces, glance.first)
    if len(glance.first) * 10 >= GLANCED:
        return MatchingSpaces(matching, glance.first, glance.known_to, count=None)
    candidates = _candidates(words)
    if len(candidates) <= MAX_MATCHES:
        return _among(spaces, candidates, order)
    sample = _check(in_order, order, SAMPLED, FIRST)
    if sample.known_to is None:
        return _all_of(spaces, sample.first)
    if len(sample.first) == FIRST or len(sample.first) * 100 >= SAMPLED:
        return MatchingSpaces(matching, sample.first, sample.known_to, count=None)
    by_deadline = spaces.order_by("-expires_at")  # an index in this order has all columns that lists filter by
    if count_up_to(MAX_CHECKED, {"": by_deadline})[""] < MAX_CHECKED:
        return _all_of(spaces, _check(in_order, order, MAX_CHECKED, MAX_CHECKED).first)
    return replace(_among(spaces, candidates[:MAX_SHOWN], order), is_cut=True)


class Checked(NamedTuple):
    """The places of the Spaces with the words among the first of a list, in order. `known_to`: the last place that was
    checked; None if that was the whole list."""

    first: list[Place]
    known_to: Place | None


def _check(in_order: QuerySet[Any], order: Sequence[str], size: int, most: int) -> Checked:
    """Check the first `size` Spaces, or fewer once `most` have the words."""
    column = order[0].lstrip("-")
    parts = [in_order]
    if column != order[0] and in_order.model._meta.get_field(column).null:
        # Descending, PostgreSQL sorts NULL first, but lists have NULL last.
        parts = [in_order.exclude(**{column: None}), in_order.filter(**{column: None})]
    first: list[Place] = []
    for part in parts:
        listed, params = part.order_by(*order).values_list(column, "pk", "has_words")[:size].query.sql_with_params()
        with index_order(), connection.cursor() as cursor:
            cursor.execute(CHECK.format(listed=listed), [*params, size, most - len(first)])
            rows = cursor.fetchall()
        first += [(value, pk) for value, pk, has_words, _ in rows if has_words]
        if rows and (rows[-1][-1] == size or len(first) == most):
            return Checked(first, rows[-1][:2])
    return Checked(first, None)


def _candidates(words: Parsed) -> list[str]:
    """Return the ids of Spaces that have the words, as texts: up to MAX_MATCHES + 1."""
    indexed = SpaceIndex.objects.filter(vector=words).values_list("pk")[: MAX_MATCHES + 1]
    statement, params = indexed.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(CANDIDATES.format(indexed=statement), params)
        (ids,) = cursor.fetchone()
    return ids.split(",") if ids else []


def _all_of(spaces: SpaceQuerySet, places: Sequence[Place]) -> MatchingSpaces:
    return MatchingSpaces(_with_ids(spaces, [str(pk) for _, pk in places]), places, count=len(places))


def _among(spaces: SpaceQuerySet, candidates: Sequence[str], order: Sequence[str]) -> MatchingSpaces:
    """Return those of `spaces` that are among few candidates."""
    columns = [
        F(column).asc(nulls_last=True) if column == name else F(name).desc(nulls_last=True)
        for column in order
        for name in [column.lstrip("-")]
    ]
    among = _with_ids(spaces, candidates)
    counted = among.annotate(total=Window(Count("pk"))).order_by(*columns)
    rows = list(counted.values_list(order[0].lstrip("-"), "pk", "total")[:FIRST])
    first = [(value, pk) for value, pk, _ in rows]
    count = rows[0][-1] if rows else 0
    return MatchingSpaces(among, first, first[-1] if count > len(first) else None, count)


def _with_ids(spaces: SpaceQuerySet, ids: Sequence[str]) -> SpaceQuerySet:
    """Filter `spaces` by ids, with one parameter instead of a thousand."""
    return spaces.filter(pk__in=RawSQL("SELECT unnest(%s::uuid[])", [f"{{{','.join(ids)}}}"]))


def _query(typed: str, reader: User) -> str:
    query = " & ".join(f"'{word}':*" for word in check_words(typed))
    if digits := id_digits(typed):
        query = f"({query}) | '{ID_MARK}{digits}':*"
    if not sees_all(reader):
        # Faster than the filter alone: the index has few rows of one host.
        query = f"({query}) & '{HOST_MARK}{reader.pk}'"
    return query


def id_range(typed: str, least: int = 8) -> tuple[UUID, UUID] | None:
    """Return the first and the last id that begin with `typed`; None unless it is the beginning of an id with `least`
    (at most 8) or more characters."""
    text = typed.strip().lower()
    digits = text if least <= len(text) < 8 and SHORT.fullmatch(text) else id_digits(typed)
    return (UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))) if digits else None


def id_digits(typed: str) -> str:
    """Return the digits of `typed` if it can be the beginning of an id: at least 8 hexadecimal digits, with or without
    hyphens at the right places. Otherwise ""."""
    text = typed.strip().lower()
    digits = text.replace("-", "")
    return digits if ID.fullmatch(text) and len(digits) <= 32 else ""


def check_words(typed: str) -> list[str]:
    """Return the words to find, without -word. Raises Refused if there is none, or the text is too long."""
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
