"""Rows of the files that auditors download."""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from archive.audit.overview import Deletion
from archive.log import rfc3339
from archive.models import LogEntry
from portal.presenters.log import log_lines

ENTRY_COLUMNS = (
    *("entry", "at", "event", "what_happened", "premis", "space", "actor_kind", "actor_id", "actor"),
    *("summary", "detail"),
)
DELETION_COLUMNS = ("entry", "space", "deadline", "deleted", "delay_seconds", "on_time", "objects")
SIMULATION_COLUMNS = ("space", "host", "deadline", "would_be", "change")
NAMED_AT_ONCE = 500  # entries whose names are looked up together


def entry_cells(entries: Iterable[LogEntry]) -> Iterator[list[Any]]:
    """Return the cells of ENTRY_COLUMNS, with current names of people and rules."""
    iterator = iter(entries)
    while batch := list(islice(iterator, NAMED_AT_ONCE)):
        for entry, line in zip(batch, log_lines(batch), strict=True):
            detail = json.dumps(entry.detail, ensure_ascii=False, sort_keys=True)
            facts = [entry.pk, rfc3339(entry.at), entry.event, str(line.label), entry.premis, _text(entry.space_id)]
            yield [*facts, entry.actor_kind, entry.actor_id, line.actor, line.summary, detail]


def entry_as_json(entry: LogEntry) -> dict[str, Any]:
    """Return an entry as in the log, without names."""
    return {
        "entry": entry.pk,
        "at": rfc3339(entry.at),
        "event": entry.event,
        "premis": entry.premis,
        "space": _text(entry.space_id) or None,
        "actor_kind": entry.actor_kind,
        "actor_id": entry.actor_id,
        "detail": entry.detail,
    }


def deletion_as_json(deletion: Deletion) -> dict[str, Any]:
    """Return the values of DELETION_COLUMNS. An abandoned upload has no deadline and no delay."""
    return {
        "entry": deletion.number,
        "space": _text(deletion.space_id) or None,
        "deadline": rfc3339(deletion.deadline),
        "deleted": rfc3339(deletion.at),
        "delay_seconds": None if deletion.delay is None else round(deletion.delay, 3),
        "on_time": None if deletion.delay is None else not deletion.is_late,
        "objects": deletion.objects,
    }


def _text(value: object) -> str:
    return "" if value is None else str(value)
