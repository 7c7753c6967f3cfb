"""What the tree over the log hashes of an entry: canonical JSON (RFC 8785) with every column."""

import rfc8785

from archive.log import rfc3339
from archive.models import LogEntry

MAX_BYTES = 0xFFFF  # that a length in an entry bundle (c2sp.org/tlog-tiles) can say


def leaf_data(entry: LogEntry) -> bytes:
    """The bytes of which the entry's leaf is the hash. They are at most MAX_BYTES, since `record` limits the detail."""
    return rfc8785.dumps(
        {
            "actor": {"id": entry.actor_id, "kind": entry.actor_kind},
            "at": rfc3339(entry.at),
            "detail": entry.detail,
            "event": entry.event,
            "id": entry.pk,
            "premis": entry.premis,
            "space": None if entry.space_id is None else str(entry.space_id),
        }
    )
