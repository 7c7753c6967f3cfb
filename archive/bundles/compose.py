"""Composing an object out of parts inside the store, with several copies at a time, and going on after a crash.

The row names the multipart upload and what its parts are (`upload_id`, `upload_plan`). What happens when it dies:

- after the upload was opened, before the row knows it: the next attempt ends it, and opens its own;
- while parts are sent: the next attempt asks the store which parts are there, and sends the others. Two workers at once
  (one was only slow) send the same bytes under the same numbers, which does no harm;
- after completing, before the row: the store knows no such upload any more, and the object is there. Its parts were
  those of this very plan, so it is taken as it is.

A deletion changes the row first and ends the uploads second. Whoever sends parts then can't complete them.
"""

import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from archive import leases
from archive.bundles.part_plan import CopiedPart, Part, RelayedPart, digest, plan
from archive.bundles.zip64 import Range, Segment
from archive.errors import ObjectChanged, ObjectMissing, StorageError, StoreUnavailable, UploadGone
from archive.leases import Claim
from archive.models.package import Package
from archive.storage import ObjectInfo, Store, Upload, begin, newest, store, stored_parts
from archive.storage.capabilities import copies_parts

LANES = 4  # copies at a time: the store does the work, and is not to be swamped by one bundle
SHARE = 0.7  # of the lease, that one run may take: Celery's soft limit (0.8) is an exception amid botocore's own
PLAN = "plan"  # the name under which an object bears the digest of its parts
TICK = 1.0  # seconds without news, after which the lease is renewed all the same


@dataclass(frozen=True)
class _Job:
    """The object to make, and the parts that it is made of. `digest` tells these parts from any others."""

    store: Store
    key: str
    parts: list[Part]

    @cached_property
    def digest(self) -> str:
        return digest(self.parts)

    @cached_property
    def size(self) -> int:
        return sum(part.length for part in self.parts)

    def whole(self) -> ObjectInfo | None:
        """The object, if it is there and was made of these parts: it bears their digest. One of other parts may be
        there, from before the Space changed; completing puts ours in its place."""
        try:
            there = self.store.head(self.key)
        except ObjectMissing:
            return None
        return there if there.metadata.get(PLAN) == self.digest else None


def compose(claim: "Claim[Any]", key: str, segments: Sequence[Segment]) -> ObjectInfo | None:
    """Make `key` out of `segments`, or go on with it; the claim is on a Package. None when the time of this run is up:
    the next one goes on. Raises StorageError (Missing and Changed are of a source), LeaseLost, Refused."""
    until = time.monotonic() + SHARE * leases.lease().total_seconds()
    bucket = store()
    job = _Job(bucket, key, plan(segments, copies=copies_parts(bucket)))
    try:
        upload = _gone_on(job, claim.row) or _begun(job, claim)
        if not _send(upload, job.parts, claim, until):
            return None
        upload.complete()
    except UploadGone as error:  # by a deletion; or completed, by an earlier attempt or by a call whose answer was lost
        whole = job.whole()
        if whole is None:
            raise StoreUnavailable.of(error.problem) from error
        return whole
    there = bucket.head(key)
    if there.size != job.size:
        raise ObjectChanged("bundle.size_differs", key=key, actual=there.size, expected=job.size)
    return there


def _gone_on(job: _Job, row: Package) -> Upload | None:
    """The upload of an earlier attempt, with those of its parts that are as planned. Raises Ended when that attempt
    completed it."""
    if not row.upload_id or row.parts_digest != job.digest:
        return None
    upload = Upload(job.store, job.key, row.upload_id)
    try:
        there = newest(stored_parts(upload))
    except UploadGone:
        if job.whole():
            raise
        return None  # somebody ended it: begin anew
    upload.parts = {
        number: there[number].etag
        for number, part in enumerate(job.parts, 1)
        if number in there and there[number].size == part.length
    }
    return upload


def _begun(job: _Job, claim: "Claim[Any]") -> Upload:
    """A new upload, and no other one at its key. Opened first; then, by the write that names it, the row is asked
    whether this is still ours to do. No object is removed here: whoever slept since their claim would remove what
    another worker has finished meanwhile."""
    for key, left in job.store.listing(job.key).uploads:
        job.store.abort(key, left)
    upload = begin(job.store, job.key, "application/zip", {PLAN: job.digest})
    try:
        claim.renew(upload_id=upload.id, parts_digest=job.digest, bytes_done=0, bytes_total=job.size)
    except BaseException:
        with suppress(StorageError):  # the first error says more; a later attempt or the purge ends the upload
            job.store.abort(job.key, upload.id)
        raise
    return upload


def _send(upload: Upload, parts: Sequence[Part], claim: "Claim[Any]", until: float) -> bool:
    """Send what is not there yet: copies in LANES threads, the rest by this one, as its bytes take memory. False when
    the time is up. The row is told by this thread alone."""
    done = sum(part.length for number, part in enumerate(parts, 1) if number in upload.parts)
    claim.renew(bytes_done=done)
    lacking = [(number, part) for number, part in enumerate(parts, 1) if number not in upload.parts]
    with ThreadPoolExecutor(LANES, "copy") as lanes:
        try:
            copying: dict[Future[None], CopiedPart] = {
                lanes.submit(_copy, upload, number, part): part
                for number, part in lacking
                if isinstance(part, CopiedPart)
            }
            for number, part in lacking:
                if isinstance(part, RelayedPart):
                    if time.monotonic() > until:
                        return False
                    upload.put(number, b"".join(_bytes(upload.store, piece) for piece in part.pieces))
                    done += part.length
                    claim.renew(bytes_done=done, attempts=0)
            while copying:
                if time.monotonic() > until:
                    return False
                finished, _ = wait(copying, TICK, FIRST_COMPLETED)
                for one in finished:
                    one.result()
                    done += copying.pop(one).length
                claim.renew(bytes_done=done, **({"attempts": 0} if finished else {}))
        finally:
            lanes.shutdown(wait=False, cancel_futures=True)
    return True


def _copy(upload: Upload, number: int, part: CopiedPart) -> None:
    wanted = part.source
    upload.copy(number, wanted.key, wanted.etag, wanted.start, wanted.length)


def _bytes(bucket: Store, piece: Segment) -> bytes:
    if isinstance(piece, Range):
        return bucket.read(piece.key, piece.start, piece.length, piece.etag)
    return piece.data
