"""Export entries and other lists as CSV (RFC 4180) and JSON Lines, a line at a time, with little memory."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db import transaction

from archive import log
from archive.log import Actor, events
from archive.models import User

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # a spreadsheet takes a cell that begins so for a formula
LINES_AT_ONCE = 500


class _Line:
    """A file for csv.writer whose `write` returns the text."""

    def write(self, text: str) -> str:
        return text


def csv_lines(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Yield a line with the names of the columns, then a line for each row. Times and ids must be texts."""
    writer = csv.writer(_Line(), lineterminator="\r\n")
    yield str(writer.writerow(names))
    for row in rows:
        yield str(writer.writerow([safe_cell(value) for value in row]))


def safe_cell(value: Any) -> Any:
    """Put an apostrophe before text that a spreadsheet would take for a formula. Numbers stay numbers."""
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value


def json_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a JSON object for each row."""
    for row in rows:
        yield json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n"


def in_chunks(lines: Iterable[str]) -> Iterator[bytes]:
    """Yield UTF-8, LINES_AT_ONCE lines at a time."""
    chunk: list[str] = []
    for line in lines:
        chunk.append(line)
        if len(chunk) == LINES_AT_ONCE:
            yield "".join(chunk).encode()
            chunk = []
    if chunk:
        yield "".join(chunk).encode()


def record_export(by: User, what: str, ending: str, **filters: Any) -> None:
    """Log, before the first byte, that `by` downloads a file with personal data. `filters` are codes, ids, times."""
    with transaction.atomic():
        given = {name: value for name, value in filters.items() if value}
        log.record(events.LOG_EXPORTED, space_id=None, actor=Actor.of(by), what=what, format=ending, filters=given)
