"""What a store can do, and what the other modules do if it lacks something. rehearsal.py detects it."""

import threading
import time
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

CACHE_SECONDS = 60  # other processes may use the result before a rehearsal for this long


class PartChecksums(StrEnum):
    """How the URL of an uploaded part includes the part's SHA-256."""

    PLAIN = "plain"  # a header of the part is enough
    ANNOUNCED = "announced"  # CreateMultipartUpload must announce the algorithm, and then every part must have one
    NONE = "none"  # the store does not accept the header: we compare only when we read the object


@dataclass(frozen=True)
class Capabilities:
    """The defaults are those of Amazon S3, by its documentation."""

    lists_versions: bool = True  # ListObjectVersions; else ListObjectsV2
    deletes_many: bool = True  # DeleteObjects; else one request for each key
    own_checksums: bool = True  # accepts the CRC-32 of a part that we send
    part_checksums: str = PartChecksums.PLAIN
    refuses_wrong_parts: bool = True  # compares the SHA-256 of a part with its bytes; else verify.py does, later
    copies_parts: bool = True  # UploadPartCopy of a range; else recordings go through the worker
    checks_copy_source: bool = True  # ... and refuses another ETag; else we request the ETag before each copy
    any_part_sizes: bool = True  # else all parts of an upload but the last must have the same size
    verifies_whole: bool = True  # compares the CRC-32 of a whole upload at its completion
    reports_part_crc32: bool = (
        True  # computes the CRC-32 of each part, also of copied ones; with neither of the last two, we read back
    )

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Capabilities":
        """Ignore fields that this release does not know; give a default to those that an older one did not test."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


_lock = threading.Lock()
_cached: dict[str, tuple[float, Capabilities]] = {}


def recall(place: str) -> Capabilities | None:
    """Return what this process knows of the store at `place`, unless it is older than CACHE_SECONDS."""
    with _lock:
        at, cached = _cached.get(place, (float("-inf"), None))
    return cached if time.monotonic() - at < CACHE_SECONDS else None


def remember(place: str, found: Capabilities) -> None:
    with _lock:
        _cached[place] = (time.monotonic(), found)


def forget(place: str) -> None:
    """Make the next use read the row, or rehearse."""
    with _lock:
        _cached.pop(place, None)
