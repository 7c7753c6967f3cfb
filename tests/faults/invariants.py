"""Check what must hold after any process was killed and its work was resumed. Reads PostgreSQL, the bucket and the log
with its own queries, independent of the code under test.

No Space is deleted that is on hold or before its deadline. Nothing acknowledged is lost. Nothing remains of what was
deleted, and every Space has one end in the log. No work is stuck. The store has no object without a row.
"""

import hashlib
import io
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from archive.storage import store
from tests.faults import log_checks
from tests.faults.tables import deadlines, rows, stuck
from tests.faults.world import Known

OBJECTS = ("archive_recording", "archive_transcript", "archive_derived")


@dataclass
class Invariants:
    """Check repeatedly; objects and certificates that were checked and can't change are remembered."""

    known: Known
    seen: dict[tuple[str, str, datetime], bytes] = field(default_factory=dict)
    verified: set[UUID] = field(default_factory=set)

    def violations(self, mailed: Collection[str]) -> list[str]:
        """Return a line for each violation. `mailed`: the Message-IDs that the mail server has received."""
        objects, uploads = self._objects(), _uploads()
        return [
            *stuck(),
            *self._deleted(),
            *self._lost(objects),
            *self._stray(objects, uploads),
            *self._packages(objects),
            *deadlines(),
            *log_checks.ends(),
            *log_checks.entries(),
            *log_checks.work(),
            *log_checks.notices(mailed),
            *log_checks.certificates(self.verified),
        ]

    def remains(self) -> list[str]:
        """Return what the store still has of deleted Spaces, and of export parts that are not ready. Call it before
        the store is compared with the rows, since that would remove such objects."""
        gone = tuple(f"spaces/{pk}/" for (pk,) in rows("SELECT id FROM archive_space WHERE state = 'deleted'"))
        ready = {key for (key,) in rows("SELECT key FROM archive_exportpart WHERE state = 'ready'")}
        objects, uploads = set(self._objects()), set(_uploads())
        over = {key for key in objects - ready | uploads if key.startswith("exports/")}
        return [f"{key} remains" for key in sorted(objects | uploads) if key.startswith(gone) or key in over]

    def _deleted(self) -> Iterator[str]:
        """Check that only due Spaces were deleted, and all of them unless they are on hold."""
        gone = {pk for (pk,) in rows("SELECT id FROM archive_space WHERE state = 'deleted'")}
        for pk in gone - self.known.due:
            yield f"{pk} was deleted, and was not due"
        for pk in self.known.due - gone:
            yield f"{pk} was due, and is not deleted"
        for pk in gone & {space for (space,) in rows("SELECT space_id FROM archive_hold WHERE state = 'standing'")}:
            yield f"{pk} was deleted while a hold stood"
        for table in (
            *OBJECTS,
            "archive_bundle",
            "archive_participant",
            "archive_uploadsession",
            "archive_transcription",
        ):
            for (pk,) in rows(
                f"SELECT space_id FROM {table} JOIN archive_space s ON s.id = space_id WHERE s.state = 'deleted'"
            ):
                yield f"{pk} is deleted, and {table} still has a row of it"

    def _lost(self, objects: Mapping[str, bytes]) -> Iterator[str]:
        """Check that everything acknowledged, and every object that a row names, is stored byte for byte."""
        stored: dict[UUID, set[str]] = {}
        for table in OBJECTS:
            for pk, key, size, sha256, missing in rows(f"SELECT space_id, key, size, sha256, missing_at FROM {table}"):
                data = objects.get(key)
                if data is None or (len(data), _sha256(data)) != (size, sha256) or missing:
                    yield f"{key} is not what was stored"
                elif table == "archive_recording":
                    stored.setdefault(pk, set()).add(sha256)
        for pk, sha256 in self.known.recordings.items():
            if pk not in self.known.due and sha256 not in stored.get(pk, ()):
                yield f"the recording of {pk} is lost"
        for pk in self.known.held - set(stored):
            yield f"{pk} is held, and lost"
        query = "SELECT space_id, string_agg(cues::text, ' ') FROM archive_transcript GROUP BY space_id"
        transcripts = dict(rows(query))
        for pk, words in self.known.words.items():
            if pk not in self.known.due and not all(word in transcripts.get(pk, "") for word in words):
                yield f"a transcript of {pk} is lost"

    def _objects(self) -> dict[str, bytes]:
        """Return {key: bytes} of everything in the bucket."""
        client, bucket = store().client, store().bucket
        now: dict[tuple[str, str, datetime], bytes] = {}
        for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for one in page.get("Versions", []):
                name = (one["Key"], one["ETag"], one["LastModified"])
                if name not in self.seen:
                    self.seen[name] = client.get_object(Bucket=bucket, Key=one["Key"])["Body"].read()
                now[name] = self.seen[name]
        self.seen = now
        return {key: data for (key, *_), data in now.items()}

    def _stray(self, objects: Collection[str], uploads: Collection[str]) -> Iterator[str]:
        ours = {key for table in OBJECTS for (key,) in rows(f"SELECT key FROM {table}")}
        ours |= {
            key
            for table in ("bundle", "exportpart")
            for (key,) in rows(f"SELECT key FROM archive_{table} WHERE state = 'ready'")
        }
        ours |= {
            key for (key,) in rows("SELECT key FROM archive_uploadsession WHERE state = 'rejected' AND upload_id <> ''")
        }
        for key in sorted(set(objects) - ours):
            yield f"{key} is in the store, and belongs to nothing"
        for key in uploads:
            yield f"an upload of {key} is still open"

    def _packages(self, objects: Mapping[str, bytes]) -> Iterator[str]:
        """Check that ready packages are complete, and contain no recording of a deleted Space."""
        gone = {sha256 for pk, sha256 in self.known.recordings.items() if pk in self.known.due}
        for table in ("archive_bundle", "archive_exportpart"):
            for key, by, crc32, sha256 in rows(
                f"SELECT key, verified_by, crc32, sha256 FROM {table} WHERE state = 'ready'"
            ):
                data = objects.get(key, b"")
                if (by == "store" and zlib.crc32(data) != crc32) or (by != "store" and _sha256(data) != sha256):
                    yield f"{key} is not what its row says"
                    continue
                with zipfile.ZipFile(io.BytesIO(data)) as bag:
                    inside = {_sha256(bag.read(name)) for name in bag.namelist() if "recording." in name}
                if not inside or inside & gone:
                    yield f"{key} has no recording, or one that was deleted"


def _uploads() -> list[str]:
    pages = store().client.get_paginator("list_multipart_uploads").paginate(Bucket=store().bucket)
    return [one["Key"] for page in pages for one in page.get("Uploads", [])]


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
