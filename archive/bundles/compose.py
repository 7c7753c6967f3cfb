"""Compose an object out of parts inside the store, with several copies at a time, and resume after a crash.

The row names the multipart upload and the digest of its parts (`upload_id`, `parts_digest`). If the worker dies:

- after opening the upload, before the row names it: the next attempt aborts it, and opens its own;
- while sending parts: the next attempt asks the store which parts it has, and sends the others. Two workers at once
  (if one was only slow) send the same bytes under the same numbers, which is harmless;
- after completing, before the row: the upload no longer exists, and the object does. Its metadata has the digest of
  these parts, so it is used.

A deletion changes the row first and aborts the uploads second, so a worker that is sending parts can't complete them.
"""

from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from archive.bundles.crc32 import joined_crc32, whole_crc32
from archive.bundles.part_plan import CopiedPart, Part, RelayedPart, common_size, digest, plan
from archive.bundles.zip64 import Range, Segment
from archive.errors import ObjectChanged, ObjectMissing, StorageError, StoreUnavailable, UploadGone
from archive.leases import TICK, Budget, Claim
from archive.models.package import Package
from archive.storage import ObjectInfo, Store, Upload, begin, newest, store, stored_parts
from archive.storage.capabilities import Capabilities
from archive.storage.multipart import Checksums, abort_at

LANES = 4  # copies at a time: the store does the work, and one bundle must not overload it
PLAN = "plan"  # the object's metadata key for the digest of its parts


@dataclass(frozen=True)
class _Job:
    """The object to make, and its parts. `crc32`: of the whole object, if the store can verify it by `checksums`.
    `digest` identifies all of it."""

    store: Store
    key: str
    parts: list[Part]
    crc32: int | None
    checksums: Checksums

    @cached_property
    def digest(self) -> str:
        return digest(self.parts, self.crc32, self.checksums.name)

    @property
    def by_part(self) -> bool:
        return self.checksums is Checksums.PART_CRC32

    def to_read_back(self) -> "_Job":
        """Return the same object without verification by the store."""
        return replace(self, crc32=None, checksums=Checksums.UNANNOUNCED)

    @cached_property
    def size(self) -> int:
        return sum(part.length for part in self.parts)

    def whole(self) -> ObjectInfo | None:
        """Return the object, if it exists and was made of these parts. An object of other parts may exist, from before
        the Space changed; completing replaces it."""
        try:
            object_info = self.store.head(self.key)
        except ObjectMissing:
            return None
        return object_info if object_info.metadata.get(PLAN) == self.digest else None


@dataclass(frozen=True)
class Composed:
    """The finished object. `crc32`: of the whole, if the store verified it; None: read it back."""

    info: ObjectInfo
    crc32: int | None


def compose(claim: "Claim[Any]", key: str, segments: Sequence[Segment]) -> Composed | None:
    """Make `key` out of `segments`, or resume; the claim is on a Package. Returns None when the time of this run is up:
    the next one resumes. Raises StorageError, LeaseLost, Refused. ObjectMissing and ObjectChanged are about a source,
    ObjectChanged also about the whole."""
    budget, bucket = claim.budget(), store()
    can = bucket.capabilities
    size = 0 if can.any_part_sizes else common_size(sum(segment.length for segment in segments))
    parts = plan(segments, copies=can.copies_parts, one_size=size)
    crc32 = whole_crc32(segments) if can.verifies_whole or can.reports_part_crc32 else None
    job = _Job(bucket, key, parts, crc32, _checksums(can, crc32))
    if job.by_part and claim.row.parts_digest == job.to_read_back().digest:
        job = job.to_read_back()
    try:
        upload = _resume(job, claim.row) or _begin(job, claim)
        sent = _send(upload, job.parts, claim, budget)
        if sent and job.by_part and len(upload.crc32) < len(job.parts):
            # SeaweedFS does not list the CRC-32 of parts that another run sent, but needs all of them to complete.
            job = job.to_read_back()
            upload = _begin(job, claim)
            sent = _send(upload, job.parts, claim, budget)
        if not sent:
            return None
        made = _complete(upload, job)
    except (
        UploadGone
    ) as error:  # a deletion aborted it; or it was completed, and the answer got lost or the worker died
        whole = job.whole()
        if whole is None:
            raise StoreUnavailable.of(error.problem) from error
        return Composed(whole, None if job.by_part else job.crc32)  # the store no longer lists its parts
    if made.size != job.size:
        raise ObjectChanged("bundle.size_differs", key=key, actual=made.size, expected=job.size)
    return Composed(made, None if job.by_part and made.crc32 != upload.composite_crc32 else job.crc32)


def _checksums(can: Capabilities, crc32: int | None) -> Checksums:
    """Return how the store verifies an object with this CRC-32."""
    if crc32 is None:
        return Checksums.UNANNOUNCED
    return Checksums.WHOLE_CRC32 if can.verifies_whole else Checksums.PART_CRC32


def _complete(upload: Upload, job: _Job) -> ObjectInfo:
    """Complete the upload only if the CRC-32 of the whole is right, by the store's comparison or by the CRC-32 that it
    computed for each part. Raises ObjectChanged."""
    if job.by_part:
        parts = ((upload.crc32[number], part.length) for number, part in enumerate(job.parts, 1))
        if joined_crc32(parts) != job.crc32:
            raise ObjectChanged("bundle.crc32_differs")
        return upload.complete(by_part=True)
    try:
        return upload.complete(job.crc32)
    except ObjectChanged as error:
        raise ObjectChanged("bundle.crc32_differs") from error


def _resume(job: _Job, row: Package) -> Upload | None:
    """Return the upload of an earlier attempt, with those of its parts that are as planned. Raises UploadGone when that
    attempt completed it."""
    if not row.upload_id or row.parts_digest != job.digest:
        return None
    upload = Upload(job.store, job.key, row.upload_id)
    try:
        stored = newest(stored_parts(upload))
    except UploadGone:
        if job.whole():
            raise
        return None  # it was aborted: begin a new one
    for number, part in enumerate(job.parts, 1):
        known = stored.get(number)
        if known is None or known.size != part.length:
            continue
        upload.parts[number] = known.etag
        if known.crc32 is not None:
            upload.crc32[number] = known.crc32
    return upload


def _begin(job: _Job, claim: "Claim[Any]") -> Upload:
    """Open a new upload, after aborting others at its key. The write that names it in the row also checks that the
    claim is still held. Removes no object: a worker that was paused since its claim could remove the object that
    another one has finished."""
    claim.renew()  # raises if the claim was lost: never abort the successor's upload
    abort_at(job.store, job.key)
    upload = begin(job.store, job.key, "application/zip", {PLAN: job.digest}, job.checksums)
    try:
        claim.renew(upload_id=upload.id, parts_digest=job.digest, bytes_done=0, bytes_total=job.size)
    except BaseException:
        with suppress(StorageError):  # the first error matters more; a later attempt or the purge aborts the upload
            job.store.abort(job.key, upload.id)
        raise
    return upload


def _send(upload: Upload, parts: Sequence[Part], claim: "Claim[Any]", budget: Budget) -> bool:
    """Send the missing parts: copies in LANES threads, relayed parts in this one, since they take memory. Returns False
    when the time is up. Only this thread writes to the row."""
    done = sum(part.length for number, part in enumerate(parts, 1) if number in upload.parts)
    claim.renew(bytes_done=done)
    missing = [(number, part) for number, part in enumerate(parts, 1) if number not in upload.parts]
    with ThreadPoolExecutor(LANES, "copy") as lanes:
        try:
            copying: dict[Future[None], CopiedPart] = {
                lanes.submit(_copy, upload, number, part): part
                for number, part in missing
                if isinstance(part, CopiedPart)
            }
            for number, part in missing:
                if isinstance(part, RelayedPart):
                    if budget.is_used_up():
                        return False
                    upload.put(number, b"".join(_bytes(upload.store, piece) for piece in part.pieces))
                    done += part.length
                    claim.renew(bytes_done=done, attempts=0)
            while copying:
                if budget.is_used_up():
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
