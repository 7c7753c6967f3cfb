"""What a store can do, and what the other modules do where it lacks something. rehearsal.py finds it out."""

import threading
import time
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

CACHE_SECONDS = 60  # after a rehearsal, other processes go on with the old result for so long


class PartChecksums(StrEnum):
    """How the URL of an uploaded part names the part's SHA-256."""

    PLAIN = "plain"  # a header of the part, without more
    ANNOUNCED = "announced"  # CreateMultipartUpload announces the algorithm, and then every part must have one
    NONE = "none"  # the store takes no such header: only what we read later is compared


@dataclass(frozen=True)
class Capabilities:
    """The defaults are those of S3 itself, as its documentation describes it."""

    lists_versions: bool = True  # ListObjectVersions; else ListObjectsV2
    deletes_many: bool = True  # DeleteObjects; else one request for each key
    own_checksums: bool = True  # takes the CRC-32 of a part that we send
    part_checksums: str = PartChecksums.PLAIN
    refuses_wrong_parts: bool = True  # compares the SHA-256 of a part with its bytes; else verify.py does, later
    copies_parts: bool = True  # UploadPartCopy of a range; else recordings go through the worker
    checks_copy_source: bool = True  # ... and refuses another ETag; else we ask for the ETag before each copy
    any_part_sizes: bool = True  # else all parts of an upload but the last have one size
    verifies_whole: bool = True  # compares the CRC-32 of a whole upload at its completion
    reports_part_crc32: bool = (
        True  # computes the CRC-32 of each part, copied ones too; with neither of both, read back
    )

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Capabilities":
        """Ignores what this release does not know; what an older one did not try has its default."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


_lock = threading.Lock()
_cached: dict[str, tuple[float, Capabilities]] = {}


def recall(place: str) -> Capabilities | None:
    """What this process knows of the store at `place`, if that is not older than CACHE_SECONDS."""
    with _lock:
        at, cached = _cached.get(place, (float("-inf"), None))
    return cached if time.monotonic() - at < CACHE_SECONDS else None


def remember(place: str, found: Capabilities) -> None:
    with _lock:
        _cached[place] = (time.monotonic(), found)


def forget(place: str) -> None:
    """The next use reads the row, or tries the store."""
    with _lock:
        _cached.pop(place, None)
