"""Find Spaces by title, host, speakers and id: everything but what was spoken.

Each Space that is not deleted has one row in SpaceIndex with the words of its names. A word that is typed matches words
that begin with it. Eight or more hexadecimal digits match the beginning of an id, too.
"""

import re
from collections.abc import Iterable
from uuid import UUID

from django.db import connection
from django.db.models import Prefetch

from archive.errors import Refused
from archive.models import Recording, Space, SpaceIndex, SpaceQuerySet, User
from archive.search.normalize import plain
from archive.search.query import MAX_LENGTH, Parsed

HOST_MARK, ID_MARK = "@", "#"  # no letters, so no word begins with them
MAX_WORD = 200  # characters; PostgreSQL accepts lexemes of 2046 bytes
BATCH = 1000  # Spaces that are indexed at once
ID = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{0,4}){3}-?[0-9a-f]{0,12}")

EXCLUDED = re.compile(r"(?<!\S)-\S+")  # -word, as in searches of transcripts

WRITE = """
INSERT INTO archive_spaceindex (space_id, host_id, title_key, duration_ms, vector)
SELECT space, host, title_key, duration, array_to_tsvector(string_to_array(words, ' '))
FROM unnest(%s::uuid[], %s::bigint[], %s::text[], %s::bigint[], %s::text[])
    AS given (space, host, title_key, duration, words)
ON CONFLICT (space_id) DO UPDATE SET
    title_key = EXCLUDED.title_key, duration_ms = EXCLUDED.duration_ms, vector = EXCLUDED.vector
"""


def index_spaces(*space_ids: UUID) -> None:
    """Write the index of these Spaces from their rows, in the caller's transaction. Idempotent. Deleted Spaces have
    none."""
    recordings = Prefetch("recordings", Recording.objects.filter(number=1), to_attr="first_recording")
    spaces = Space.objects.filter(pk__in=space_ids).exclude(state=Space.State.DELETED).select_related("host")
    rows = [_index_row(space) for space in spaces.prefetch_related("participants", recordings)]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(WRITE, [list(column) for column in zip(*rows, strict=True)])


def index_spaces_of(host: User) -> None:
    """Write the index of all Spaces of a host whose name changed."""
    ids = list(Space.objects.filter(host=host).exclude(state=Space.State.DELETED).values_list("pk", flat=True))
    for start in range(0, len(ids), BATCH):
        index_spaces(*ids[start : start + BATCH])


def find_spaces(spaces: SpaceQuerySet, typed: str, reader: User) -> SpaceQuerySet:
    """Those of `spaces` that have all of the words in their names, or an id that begins like that. `spaces` are those
    that `reader` may see. Raises Refused without a word."""
    query = " & ".join(f"'{word}':*" for word in words_of(typed))
    if digits := id_digits(typed):
        query = f"({query}) | '{ID_MARK}{digits}':*"
    if not (reader.is_admin or reader.is_auditor):
        # Faster than the filter alone: the index has few rows of one host.
        query = f"({query}) & '{HOST_MARK}{reader.pk}'"
    return spaces.filter(index__vector=Parsed(query))


def id_range(typed: str) -> tuple[UUID, UUID] | None:
    """The first and the last id that begin with `typed`; None if that is not the beginning of an id."""
    digits = id_digits(typed)
    return (UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))) if digits else None


def id_digits(typed: str) -> str:
    """The digits of `typed` if it can be the beginning of an id: at least 8 hexadecimal digits, with or without hyphens
    in their places. Else ""."""
    text = typed.strip().lower()
    digits = text.replace("-", "")
    return digits if ID.fullmatch(text) and len(digits) <= 32 else ""


def words_of(typed: str) -> list[str]:
    """The words to find; names are not searched for -word. Raises Refused if there is none, or the text is too long."""
    if len(typed) > MAX_LENGTH:
        raise Refused("search.too_long", limit=MAX_LENGTH)
    wanted = EXCLUDED.sub(" ", typed)
    words = list(dict.fromkeys(word[:MAX_WORD] for word in plain(wanted).split()))
    if not words:
        raise Refused("search.no_word")
    return words


def _index_row(space: Space) -> tuple[UUID, int, str | None, int | None, str]:
    host, recordings = space.host, getattr(space, "first_recording", [])
    names = [space.title, host.display_name, host.username, *(person.name for person in space.participants.all())]
    title_key = " ".join(plain(space.title).split())[: SpaceIndex.MAX_TITLE_KEY]
    words = _unique_words(names) | {f"{HOST_MARK}{host.pk}", f"{ID_MARK}{space.pk.hex}"}
    return space.pk, host.pk, title_key or None, recordings[0].duration_ms if recordings else None, " ".join(words)


def _unique_words(names: Iterable[str]) -> set[str]:
    return {word[:MAX_WORD] for name in names for word in plain(name).split()}
