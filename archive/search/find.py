"""Search transcript lines with bounded time and row counts, however large the archive is."""

import json
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib.postgres.search import SearchRank
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Case, F, OuterRef, Q, QuerySet, Subquery, When

from archive.models import SearchLine, Space, SpaceQuerySet, User
from archive.search.highlight import Marker, Piece, excerpt
from archive.search.limits import SECONDS, limited_time
from archive.search.query import Parsed, Question, Questions, questions

MAX_RANKED = 500  # lines
LARGE = 100_000  # lines; in a larger archive words may be too common to rank all lines that have them
SAMPLED = 20  # Spaces
MAX_PAGES = 10  # of Spaces with a common word
MAX_READ = 100_000  # lines of the Spaces of such a page
SPACES = 10  # on a page
LINES = 4  # of a Space
NEAREST = ("expires_at", "id")
WEIGHTS = [0.1, 0.2, 0.4, 1.0]  # D (words of neighboring lines) to A (its own words)


@dataclass(frozen=True)
class FoundLine:
    start_ms: int
    speaker: str
    pieces: list[Piece]


@dataclass(frozen=True)
class FoundSpace:
    """`lines` are the best hits, in order of time; `more` is the number of further hits."""

    space: Space
    lines: list[FoundLine]
    more: int


@dataclass(frozen=True)
class SearchResults:
    """`spaces` is one page, the best first. `cut`: there are more than MAX_RANKED hits, and only so many were ranked.
    `nearest_first`: about half of the Spaces or more have a hit, so none were ranked: the Spaces are ordered by
    deadline, and `space_count` and `line_count` count those of the page. `common`: languages in which all words are
    stop words, which are not searched."""

    spaces: list[FoundSpace]
    space_count: int
    line_count: int
    cut: bool
    next_page: int | None
    common: list[str]
    nearest_first: bool = False


@dataclass(frozen=True)
class _Hit:
    transcript_id: int
    number: int
    config: str

    @property
    def cue(self) -> tuple[int, int]:
        return self.transcript_id, self.number


@dataclass(frozen=True)
class _Group:
    """The best hits of one Space, in order of time, and the number of all its hits."""

    space_id: UUID
    hits: list[_Hit]
    count: int


class _Ranked(NamedTuple):
    """Some groups, the best first; the number of ranked Spaces and lines; `is_cut`: there are more lines."""

    groups: list[_Group]
    space_count: int
    line_count: int
    is_cut: bool


# Spaces are ordered by their best hit, then by the number of hits, then the latest first. PostgreSQL groups them, as a
# page needs few of the hits, and reading all of them in Python would take longer than finding them.
RANK = """
WITH hits (space_id, ended_at, transcript_id, number, config, rank) AS ({hits}),
numbered AS (SELECT *, row_number() OVER () AS nth FROM hits),
grouped AS (
    SELECT *, max(rank) OVER of_space AS best, count(*) OVER of_space AS line_count,
        row_number() OVER (of_space ORDER BY rank DESC, number) AS place
    FROM numbered WHERE nth <= %s WINDOW of_space AS (PARTITION BY space_id)
), placed AS (
    SELECT *, dense_rank() OVER (ORDER BY best DESC, line_count DESC, ended_at DESC, space_id DESC) AS space_place
    FROM grouped
)
SELECT total.hits, total.spaces, space_id, line_count, transcript_id, number, config
FROM (SELECT (SELECT count(*) FROM hits) AS hits, (SELECT max(space_place) FROM placed) AS spaces) AS total
LEFT JOIN placed ON space_place > %s AND space_place <= %s + %s AND place <= %s
ORDER BY space_place, number
"""


def search_lines(
    spaces: SpaceQuerySet, typed: str, page: int = 1, *, host: User | None = None, seconds: float = SECONDS
) -> SearchResults:
    """Search those of `spaces` that are served now. `host`: the host of all of `spaces`, which makes it faster. Raises
    Refused without a word to search for, and when it takes longer than `seconds`."""
    with limited_time(seconds):
        asked = questions(typed)
        return _find(spaces.served(), asked if host is None else asked.of_host(host.pk), page)


def _find(spaces: QuerySet[Space], asked: Questions, page: int) -> SearchResults:
    if _is_common(spaces, asked.all):
        return _find_nearest(spaces, asked, page)
    first = SPACES * (page - 1)
    ranked = _rank(spaces, asked.all, MAX_RANKED, first)
    return SearchResults(
        _found_spaces(spaces, ranked.groups, asked),
        space_count=ranked.space_count,
        line_count=ranked.line_count,
        cut=ranked.is_cut,
        next_page=page + 1 if first + SPACES < ranked.space_count else None,
        common=asked.common,
    )


def _is_common(spaces: QuerySet[Space], asked: list[Question]) -> bool:
    """Return whether so many Spaces have a hit that those of a page are quickly found by trying one after the other.
    PostgreSQL has no statistics about words, so the Spaces with the nearest deadlines serve as a sample."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE oid = %s::regclass", [SearchLine._meta.db_table])
        (lines,) = cursor.fetchone()
    if lines < LARGE:
        return False
    sampled = list(_with_hit(spaces, asked).order_by(*NEAREST).values_list("hit", flat=True)[:SAMPLED])
    return len(sampled) == SAMPLED and sampled.count(None) <= SAMPLED // 2


def _find_nearest(spaces: QuerySet[Space], asked: Questions, page: int) -> SearchResults:
    """Return one page of the Spaces with a hit, ordered by deadline. Ranking all lines with a word that nearly all
    Spaces have takes long, and hardly distinguishes them."""
    first = SPACES * (min(page, MAX_PAGES) - 1)
    nearest = _with_hit(spaces, asked.all).filter(hit__isnull=False).order_by(*NEAREST).values_list("pk", flat=True)
    ids = list(nearest[first : first + SPACES + 1])
    ranked = _rank(spaces.filter(pk__in=ids[:SPACES]), asked.all, MAX_READ)
    grouped = {group.space_id: group for group in ranked.groups}
    groups = [grouped[pk] for pk in ids if pk in grouped]
    return SearchResults(
        _found_spaces(spaces, groups, asked),
        space_count=len(groups),
        line_count=ranked.line_count,
        cut=True,
        next_page=page + 1 if len(ids) > SPACES and page < MAX_PAGES else None,
        common=asked.common,
        nearest_first=True,
    )


def _with_hit(spaces: QuerySet[Space], asked: list[Question]) -> QuerySet[Any]:
    """Annotate with `hit`, the id of a line that has the words, or NULL."""
    lines = SearchLine.objects.filter(_wanted(asked), space=OuterRef("pk")).order_by()
    return spaces.annotate(hit=Subquery(lines.values("pk")[:1]))


def _found_spaces(spaces: QuerySet[Space], groups: list[_Group], asked: Questions) -> list[FoundSpace]:
    rows = spaces.select_related("host").in_bulk([group.space_id for group in groups])
    groups = [group for group in groups if group.space_id in rows]
    lines = _lines(groups, asked)
    return [FoundSpace(rows[group.space_id], lines[group.space_id], group.count - len(group.hits)) for group in groups]


def _wanted(asked: list[Question]) -> Q:
    wanted = Q()
    for question in asked:
        wanted |= Q(config__in=question.configs, vector=Parsed(question.match))
    return wanted


def _rank(spaces: QuerySet[Space], asked: list[Question], most: int, first: int = 0) -> _Ranked:
    """Rank the first `most` hits, in no particular order, and return a page of Spaces from place `first`."""
    ranks = []
    for question in asked:
        rank = SearchRank(F("vector"), Parsed(question.words), weights=WEIGHTS, cover_density=True)
        ranks.append(When(config__in=question.configs, then=rank))
    rows = SearchLine.objects.filter(_wanted(asked), space__in=spaces).annotate(rank=Case(*ranks))
    columns = ("space_id", "space__ended_at", "transcript_id", "number", "config", "rank")
    try:
        hits, params = rows.values_list(*columns)[: most + 1].query.sql_with_params()
    except EmptyResultSet:  # `spaces` is empty
        return _Ranked([], 0, 0, is_cut=False)
    with connection.cursor() as cursor:
        cursor.execute(RANK.format(hits=hits), [*params, most, first, first, SPACES, LINES])
        found = cursor.fetchall()
    groups: dict[UUID, _Group] = {}
    for _, _, space_id, count, *hit in found:
        if space_id is not None:
            groups.setdefault(space_id, _Group(space_id, [], count)).hits.append(_Hit(*hit))
    line_count, space_count = found[0][:2]
    return _Ranked(list(groups.values()), space_count or 0, min(line_count, most), line_count > most)


def _lines(groups: list[_Group], asked: Questions) -> dict[UUID, list[FoundLine]]:
    """Return the lines of each Space. A hit without a cue belongs to a transcript that was just replaced."""
    hits = [hit for group in groups for hit in group.hits]
    cues = _cues(hits)
    hits_of = {group.space_id: [(hit, cues[hit.cue]) for hit in group.hits if hit.cue in cues] for group in groups}
    marker = Marker({name: asked.words_for(name) for name in {hit.config for hit in hits}}, asked.typed)
    marker.look_up((hit.config, cue["text"]) for pairs in hits_of.values() for hit, cue in pairs)
    return {
        pk: [
            FoundLine(cue["start_ms"], cue["speaker"], excerpt(marker.mark(hit.config, cue["text"])))
            for hit, cue in pairs
        ]
        for pk, pairs in hits_of.items()
    }


def _cues(hits: list[_Hit]) -> dict[tuple[int, int], dict[str, Any]]:
    """Return the cues of the hits. Unpacks each transcript only once, since a long one has megabytes."""
    numbers: dict[int, list[int]] = {}
    for hit in hits:
        numbers.setdefault(hit.transcript_id, []).append(hit.number)
    paths = [f"$[{','.join(map(str, wanted))}]" for wanted in numbers.values()]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, place, cue FROM unnest(%s::bigint[], %s::text[]) AS wanted (transcript, path)"
            " JOIN archive_transcript ON id = transcript,"
            " jsonb_path_query(cues, path::jsonpath) WITH ORDINALITY AS found (cue, place)",
            [list(numbers), paths],
        )
        return {(pk, numbers[pk][place - 1]): json.loads(cue) for pk, place, cue in cursor.fetchall()}
