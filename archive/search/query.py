"""From what somebody typed to what PostgreSQL is asked, for each language at once."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib.postgres.search import SearchQuery
from django.db import connection

from archive.errors import Refused
from archive.search.index import configs
from archive.search.normalize import plain

LONGEST = 300  # characters

QUOTES = str.maketrans(dict.fromkeys("“”„‟«»〝〞", '"'))
ASKED = re.compile(r'(-?)(?:"([^"]*)"?|([^\s"]+))')
TOKEN = re.compile(r"'[^']*'|<(?:-|\d+)>|[&|!()]")


class Parsed(SearchQuery):
    """A query in PostgreSQL's own notation, taken as it is."""

    template = "%(expressions)s::tsquery"


@dataclass(frozen=True)
class Question:
    """What to ask of lines with one of `configs`. `match` finds lines that, with their neighbours, answer it, and have
    at least one of the words themselves; `words` is any of the words, for marking them."""

    configs: list[str]
    match: str
    words: str


@dataclass(frozen=True)
class Questions:
    """`common`: the configurations for which there is nothing but words that are in every line ("the", "of")."""

    typed: str
    all: list[Question]
    common: list[str]

    def words_for(self, config: str) -> str:
        return next(question.words for question in self.all if config in question.configs)


def questions(typed: str) -> Questions:
    """Words are looked for together; "in quotes", one after the other; `or` and -without as people know them. Raises
    Refused when there is nothing to look for."""
    if len(typed) > LONGEST:
        raise Refused("search.too_long", limit=LONGEST)
    asked = " ".join(_asked(typed))
    if not asked:
        raise Refused("search.no_word")
    found: dict[tuple[str, str], list[str]] = {}
    common = []
    for config, query, tree in _parsed(asked):
        if not query:
            common.append(config)
        elif tree != "T":  # else it fits every line that lacks a word
            found.setdefault(_weighed(query), []).append(config)
    if not found:
        raise Refused("search.only_exclusions")
    return Questions(typed, [Question(names, match, words) for (match, words), names in found.items()], common)


def _asked(typed: str) -> Iterator[str]:
    """As websearch_to_tsquery reads it. What is written in one piece ("well-known") is one phrase."""
    for minus, phrase, word in ASKED.findall(typed.translate(QUOTES)):
        if word.lower() == "or" and not minus:
            yield "or"
        elif words := plain(phrase or word).split():
            yield f'{minus}"{" ".join(words)}"'


def _parsed(asked: str) -> list[tuple[str, str, str]]:
    """(configuration, the query in its words, what of it an index can find), for all of them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT config, query::text, querytree(query) FROM unnest(%s::text[]) AS config,"
            " websearch_to_tsquery(('pg_catalog.' || config)::regconfig, %s) AS query",
            [configs(), asked],
        )
        rows: list[tuple[str, str, str]] = cursor.fetchall()
        return rows


def _weighed(query: str) -> tuple[str, str]:
    """(what a line must fit, any of its words). Words to be left out count only in the line itself (weight A)."""
    parts, words = [], []
    depth, out_from = 0, None  # how many brackets are open, and since when we are in what is to be left out
    for part in TOKEN.findall(query):
        depth += {"(": 1, ")": -1}.get(part, 0)
        is_word = part.startswith("'")
        parts.append(f"{part}:A" if is_word and out_from is not None else part)
        words += [part] if is_word and out_from is None else []
        if part == "!":
            out_from = depth
        elif out_from == depth:  # one word, or the bracket that closes
            out_from = None
    own = " | ".join(f"{word}:A" for word in words)
    return f"({' '.join(parts)}) & ({own})", " | ".join(words)
