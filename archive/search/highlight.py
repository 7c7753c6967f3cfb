"""Highlight search terms in a line, as pieces of text and never as HTML."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from django.db import connection

from archive.search.normalize import CHARACTER, RUN, fold, is_letter, letters, plain

MAX_EXCERPT = 300  # characters


@dataclass(frozen=True)
class Piece:
    text: str
    found: bool


class Marker:
    """Marks search terms in lines of each configuration. `queries`: configuration -> tsquery for any of the words;
    `typed`: the search terms, which are matched by characters in scripts without spaces."""

    def __init__(self, queries: dict[str, str], typed: str) -> None:
        self._queries = queries
        self._runs = set(RUN.findall(fold(letters(typed))))
        longest_first = sorted(self._runs, key=len, reverse=True)
        self._unspaced = re.compile(f"({'|'.join([*longest_first, CHARACTER.pattern])})")
        self._found: set[tuple[str, str]] = set()

    def look_up(self, lines: Iterable[tuple[str, str]]) -> None:
        """Ask PostgreSQL which words of these lines (configuration, text) match, in one query."""
        asked = sorted({(config, word) for config, text in lines for word, kind in self._split(text) if kind == "word"})
        configs = [config for config, _ in asked]
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT place FROM unnest(%s::text[], %s::text[], %s::text[])"
                " WITH ORDINALITY AS asked (config, word, query, place)"
                " WHERE to_tsvector(('pg_catalog.' || config)::regconfig, word) @@ query::tsquery",
                [configs, [plain(word) for _, word in asked], [self._queries[config] for config in configs]],
            )
            self._found = {asked[place - 1] for (place,) in cursor.fetchall()}

    def mark(self, config: str, text: str) -> list[Piece]:
        """Split `text` into pieces that match and pieces between them."""
        marked = (
            (part, kind == "run" or (kind == "word" and (config, part) in self._found))
            for part, kind in self._split(text)
        )
        return [Piece("".join(part for part, _ in run), hit) for hit, run in groupby(marked, key=lambda pair: pair[1])]

    def _split(self, text: str) -> Iterator[tuple[str, str]]:
        """Yield (part, kind): words, matching runs of scripts without spaces, and everything between them (kind "")."""
        for is_word, letters_or_not in groupby(text, is_letter):
            joined = "".join(letters_or_not)
            for part in filter(None, self._unspaced.split(joined)):
                kind = "run" if part in self._runs else "" if CHARACTER.match(part) else "word"
                yield part, kind if is_word else ""


def excerpt(line: list[Piece]) -> list[Piece]:
    """Return the line if it is short; else MAX_EXCERPT characters, from a little before the first match."""
    before = 0
    for piece in line:
        if piece.found:
            break
        before += len(piece.text)
    start = max(0, before - MAX_EXCERPT // 4) if before + MAX_EXCERPT // 2 > MAX_EXCERPT else 0
    return _cut(line, start, start + MAX_EXCERPT)


def _cut(line: list[Piece], start: int, end: int) -> list[Piece]:
    """Return characters `start` to `end` of the line, with … for omitted text."""
    place, pieces = 0, []
    for piece in line:
        text = piece.text[max(0, start - place) : max(0, end - place)]
        pieces += [Piece(text, piece.found)] if text else []
        place += len(piece.text)
    return [*([Piece("… ", False)] if start else []), *pieces, *([Piece(" …", False)] if place > end else [])]
