"""The bytes of an entry that the tree over the log hashes: canonical JSON (RFC 8785) of every column."""

import json
from collections.abc import Sequence
from typing import Any

import rfc8785

from archive.log import rfc3339
from archive.models import LogEntry

MAX_BYTES = 0xFFFF  # the largest length that an entry bundle (c2sp.org/tlog-tiles) can encode
COLUMNS = "id, at, event, premis, space_id, actor_kind, actor_id, detail"  # of an entry, for leaf_data_of_row
MAX_INTEGER = 2**53 - 1  # of RFC 8785

_encoder = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def leaf_data(entry: LogEntry) -> bytes:
    """Return the bytes that the entry's leaf hashes. At most MAX_BYTES, since `record` limits the detail."""
    facts = (entry.pk, entry.at, entry.event, entry.premis, entry.space_id, entry.actor_kind, entry.actor_id)
    return _leaf_data(facts, entry.detail)


def leaf_data_of_row(row: Sequence[Any]) -> bytes:
    """Like `leaf_data`, for a row with COLUMNS from a database cursor. Twice as fast, since it creates no model."""
    *facts, detail = row
    return _leaf_data(facts, json.loads(detail))


def _leaf_data(facts: Sequence[Any], detail: Any) -> bytes:
    pk, at, event, premis, space_id, actor_kind, actor_id = facts
    return canonical(
        {
            "actor": {"id": actor_id, "kind": actor_kind},
            "at": rfc3339(at),
            "detail": detail,
            "event": event,
            "id": pk,
            "premis": premis,
            "space": None if space_id is None else str(space_id),
        }
    )


def canonical(value: Any) -> bytes:
    """Encode by RFC 8785. Raises ValueError for values that it does not allow."""
    # Python's own encoder is four times as fast, and the sequencer spends half of its time here.
    return _encoder.encode(value).encode() if _is_simple(value) else rfc8785.dumps(value)


def _is_simple(value: Any) -> bool:
    """Return whether Python's encoder gives the same bytes: no floats, which RFC 8785 formats as JavaScript does, no
    large integers, and no keys that UTF-16 would order differently."""
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return True
    if kind is int:
        return bool(-MAX_INTEGER <= value <= MAX_INTEGER)
    if kind is dict:
        return all(type(key) is str and key.isascii() for key in value) and all(map(_is_simple, value.values()))
    return kind is list and all(map(_is_simple, value))
