"""Search transcript lines with bounded time and row counts, however large the archive is."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.postgres.search import SearchRank
from django.db import connection
from django.db.models import Case, F, OuterRef, Q, QuerySet, Subquery, When

from archive.models import SearchLine, Space, SpaceQuerySet, User
from archive.search.highlight import Marker, Piece, excerpt
from archive.search.limits import SECONDS, limited_time
from archive.search.query import Parsed, Question, Questions, questions

MAX_RANKED = 500  # lines
LARGE = 100_000  # lines of an archive in which words may be too common to rank all lines that have them
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
    """`lines` are its best hits, in order of time; `more` is the number of further hits."""

    space: Space
    lines: list[FoundLine]
    more: int


@dataclass(frozen=True)
class SearchResults:
    """`spaces` is one page, the best first. `cut`: there are more than MAX_RANKED hits, and only so many were ranked.
    `nearest_first`: about every second Space or more has a hit, so none were ranked: the Spaces come by deadline,
    and `space_count` and `line_count` count those of the page. `common` names languages in which all words are stop
    words, which are not searched."""

    spaces: list[FoundSpace]
    space_count: int
    line_count: int
    cut: bool
    next_page: int | None
    common: list[str]
    nearest_first: bool = False


@dataclass(frozen=True)
class _Hit:
    space_id: UUID
    ended_at: datetime
    transcript_id: int
    number: int
    config: str
    rank: float


def search_lines(
    spaces: SpaceQuerySet, typed: str, page: int = 1, *, host: User | None = None, seconds: float = SECONDS
) -> SearchResults:
    """Search those of `spaces` that are served now. `host`: all of `spaces` are theirs, which makes it faster. Raises
    Refused without a word to search for, and when it takes longer than `seconds`."""
    with limited_time(seconds):
        asked = questions(typed)
        return _find(spaces.served(), asked if host is None else asked.of_host(host.pk), page)


def _find(spaces: QuerySet[Space], asked: Questions, page: int) -> SearchResults:
    if _is_common(spaces, asked.all):
        return _find_nearest(spaces, asked, page)
    hits = _hits(spaces, asked.all, MAX_RANKED + 1)
    grouped = _grouped(hits[:MAX_RANKED])
    first = SPACES * (page - 1)
    return SearchResults(
        _found_spaces(spaces, grouped[first : first + SPACES], asked),
        space_count=len(grouped),
        line_count=len(hits[:MAX_RANKED]),
        cut=len(hits) > MAX_RANKED,
        next_page=page + 1 if first + SPACES < len(grouped) else None,
        common=asked.common,
    )


def _is_common(spaces: QuerySet[Space], asked: list[Question]) -> bool:
    """Whether so many Spaces have a hit that those of a page are quickly found one after the other. PostgreSQL has no
    statistics about words, so the Spaces with the nearest deadlines are a sample."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE oid = %s::regclass", [SearchLine._meta.db_table])
        (lines,) = cursor.fetchone()
    if lines < LARGE:
        return False
    sampled = list(_with_hit(spaces, asked).order_by(*NEAREST).values_list("hit", flat=True)[:SAMPLED])
    return len(sampled) == SAMPLED and sampled.count(None) <= SAMPLED // 2


def _find_nearest(spaces: QuerySet[Space], asked: Questions, page: int) -> SearchResults:
    """One page of the Spaces with a hit by their deadlines. Ranking all lines with a word that nearly all Spaces have
    takes long, and the best of them are no better than others."""
    first = SPACES * (min(page, MAX_PAGES) - 1)
    nearest = _with_hit(spaces, asked.all).filter(hit__isnull=False).order_by(*NEAREST).values_list("pk", flat=True)
    ids = list(nearest[first : first + SPACES + 1])
    hits = _hits(spaces.filter(pk__in=ids[:SPACES]), asked.all, MAX_READ)
    grouped = {group[0].space_id: group for group in _grouped(hits)}
    groups = [grouped[pk] for pk in ids if pk in grouped]
    return SearchResults(
        _found_spaces(spaces, groups, asked),
        space_count=len(groups),
        line_count=sum(len(group) for group in groups),
        cut=True,
        next_page=page + 1 if len(ids) > SPACES and page < MAX_PAGES else None,
        common=asked.common,
        nearest_first=True,
    )


def _with_hit(spaces: QuerySet[Space], asked: list[Question]) -> QuerySet[Any]:
    """The same with `hit`, the id of a line that has the words; NULL without."""
    lines = SearchLine.objects.filter(_wanted(asked), space=OuterRef("pk")).order_by()
    return spaces.annotate(hit=Subquery(lines.values("pk")[:1]))


def _found_spaces(spaces: QuerySet[Space], groups: list[list[_Hit]], asked: Questions) -> list[FoundSpace]:
    """One for each group of hits, with its best lines."""
    chosen = {group[0].space_id: group for group in groups}
    rows = spaces.select_related("host").in_bulk(list(chosen))
    best = {pk: sorted(group[:LINES], key=lambda hit: hit.number) for pk, group in chosen.items() if pk in rows}
    lines = _lines([hit for group in best.values() for hit in group], asked)
    return [FoundSpace(rows[pk], lines[pk], len(chosen[pk]) - len(group)) for pk, group in best.items()]


def _wanted(asked: list[Question]) -> Q:
    wanted = Q()
    for question in asked:
        wanted |= Q(config__in=question.configs, vector=Parsed(question.match))
    return wanted


def _hits(spaces: QuerySet[Space], asked: list[Question], most: int) -> list[_Hit]:
    """At most so many hits, unordered."""
    ranks = []
    for question in asked:
        rank = SearchRank(F("vector"), Parsed(question.words), weights=WEIGHTS, cover_density=True)
        ranks.append(When(config__in=question.configs, then=rank))
    rows = SearchLine.objects.filter(_wanted(asked), space__in=spaces).annotate(rank=Case(*ranks))
    columns = ("space_id", "space__ended_at", "transcript_id", "number", "config", "rank")
    return [_Hit(*row) for row in rows.values_list(*columns)[:most]]


def _grouped(hits: Iterable[_Hit]) -> list[list[_Hit]]:
    """The hits of each Space, the best first. Spaces are ordered by their best hit, then by the number of hits, then
    the latest first."""
    groups: dict[UUID, list[_Hit]] = {}
    for hit in hits:
        groups.setdefault(hit.space_id, []).append(hit)
    for group in groups.values():
        group.sort(key=lambda hit: (-hit.rank, hit.number))

    def rank_of(group: list[_Hit]) -> tuple[float, int, datetime, UUID]:
        return group[0].rank, len(group), group[0].ended_at, group[0].space_id

    return sorted(groups.values(), key=rank_of, reverse=True)


def _lines(hits: list[_Hit], asked: Questions) -> dict[UUID, list[FoundLine]]:
    cues = _cues(hits)
    hits_with_cues = [(hit, cue) for hit in hits if (cue := cues.get((hit.transcript_id, hit.number))) is not None]
    marker = Marker({name: asked.words_for(name) for name in {hit.config for hit in hits}}, asked.typed)
    marker.look_up((hit.config, cue["text"]) for hit, cue in hits_with_cues)
    lines: dict[UUID, list[FoundLine]] = {hit.space_id: [] for hit in hits}
    for hit, cue in hits_with_cues:
        marked = excerpt(marker.mark(hit.config, cue["text"]))
        lines[hit.space_id].append(FoundLine(cue["start_ms"], cue["speaker"], marked))
    return lines


def _cues(hits: list[_Hit]) -> dict[tuple[int, int], dict[str, Any]]:
    """The cues of the hits. Each transcript is unpacked once, however many of its lines are needed: a long one has
    megabytes."""
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
