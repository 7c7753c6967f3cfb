"""Parse typed search terms into a PostgreSQL query for each language."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from django.contrib.postgres.search import SearchQuery
from django.db import connection

from archive.errors import Refused
from archive.search.index import HOST_MARK, configs
from archive.search.normalize import plain

MAX_LENGTH = 300  # characters

QUOTES = str.maketrans(dict.fromkeys("“”„‟«»〝〞", '"'))
ASKED = re.compile(r'(-?)(?:"([^"]*)"?|([^\s"]+))')
TOKEN = re.compile(r"'[^']*'|<(?:-|\d+)>|[&|!()]")


class Parsed(SearchQuery):
    """A tsquery in PostgreSQL's own notation."""

    template = "%(expressions)s::tsquery"


@dataclass(frozen=True)
class Question:
    """The query for lines with one of `configs`. `match` finds lines that match together with their neighbors and
    contain at least one of the words themselves; `words` matches any of the words, for highlighting."""

    configs: list[str]
    match: str
    words: str


@dataclass(frozen=True)
class Questions:
    """`common`: the configurations in which all words are stop words ("the", "of")."""

    typed: str
    all: list[Question]
    common: list[str]

    def of_host(self, number: int) -> "Questions":
        """Restrict the query to lines in Spaces of this account."""
        return replace(self, all=[replace(one, match=f"({one.match}) & '{HOST_MARK}{number}'") for one in self.all])

    def words_for(self, config: str) -> str:
        return next(question.words for question in self.all if config in question.configs)


def questions(typed: str) -> Questions:
    """Parse search terms: all words must match; "in quotes", as a phrase; `or` and -without as in web search engines.
    Raises Refused without a word to search for."""
    if len(typed) > MAX_LENGTH:
        raise Refused("search.too_long", limit=MAX_LENGTH)
    asked = " ".join(_asked(typed))
    if not asked:
        raise Refused("search.no_word")
    configs_by_query: dict[tuple[str, str], list[str]] = {}
    common = []
    for config, query, tree in _parsed(asked):
        if not query:
            common.append(config)
        elif tree != "T":  # "T" would match every line that lacks a word
            configs_by_query.setdefault(_weighted(query), []).append(config)
    if not configs_by_query:
        raise Refused("search.only_exclusions")
    return Questions(
        typed, [Question(names, match, words) for (match, words), names in configs_by_query.items()], common
    )


def _asked(typed: str) -> Iterator[str]:
    """Yield the terms for websearch_to_tsquery. A word with punctuation inside ("well-known") becomes a phrase."""
    for minus, phrase, word in ASKED.findall(typed.translate(QUOTES)):
        if word.lower() == "or" and not minus:
            yield "or"
        elif words := plain(phrase or word).split():
            yield f'{minus}"{" ".join(words)}"'


def _parsed(asked: str) -> list[tuple[str, str, str]]:
    """Return (configuration, tsquery, the part of it that an index can use) for each configuration."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT config, query::text, querytree(query) FROM unnest(%s::text[]) AS config,"
            " websearch_to_tsquery(('pg_catalog.' || config)::regconfig, %s) AS query",
            [configs(), asked],
        )
        rows: list[tuple[str, str, str]] = cursor.fetchall()
        return rows


def _weighted(query: str) -> tuple[str, str]:
    """Return (query that a line must match, query for any of its words). Excluded words count only in the line itself
    (A)."""
    parts, words = [], []
    depth, excluded_from = 0, None  # open parentheses; the depth at which an exclusion began
    for part in TOKEN.findall(query):
        depth += {"(": 1, ")": -1}.get(part, 0)
        is_word = part.startswith("'")
        parts.append(f"{part}:A" if is_word and excluded_from is not None else part)
        words += [part] if is_word and excluded_from is None else []
        if part == "!":
            excluded_from = depth
        elif excluded_from == depth:  # after one word, or the closing parenthesis
            excluded_from = None
    own = " | ".join(f"{word}:A" for word in words)
    return f"({' '.join(parts)}) & ({own})", " | ".join(words)
