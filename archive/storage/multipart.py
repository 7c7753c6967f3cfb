"""Write objects by multipart upload only, in an order that can't race with a deletion.

A writer may be suspended for weeks (a laptop, a stuck host) and resume after the Space was deleted. It must not be able
to recreate a deleted object. Therefore:

1. Open the multipart upload.
2. Then call the caller's `check`, which reads the row: may this worker still write to this Space?
3. Send the parts and complete the upload. The object appears at once, complete or not at all.

A purge changes the row, commits, and then aborts every open upload under the prefix. In any interleaving either step 2
sees the purge, or the purge aborts the upload of step 1 and completing raises UploadGone.

A worker that takes over from another one does the same with the uploads of its key: its claim changes the row, and it
aborts them before it opens its own. So a worker that lost its lease can't replace an object of its successor
(docs/decisions/0002-leases-and-fences.md), even with equal bytes: with encryption, the ETag may still change.
"""

import base64
import hashlib
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any, BinaryIO

from archive.errors import ObjectChanged, StorageError, StoreUnavailable, UploadGone
from archive.storage.s3 import ObjectInfo, Store, translated

MIN_PART = 5 * 1024**2  # bytes; S3's minimum for every part but the last
PART = 16 * 1024**2  # bytes per part that we upload; 10,000 of them allow 156 GiB


@dataclass
class Upload:
    """An open multipart upload. `parts` maps the number (from 1) of each part sent so far to its ETag, `crc32` to the
    CRC-32 that the store compared, or computed when it copied the part. Not every store does.

    Several threads may send parts concurrently, each with its own numbers.
    """

    store: Store
    key: str
    id: str
    parts: dict[int, str] = field(default_factory=dict)
    crc32: dict[int, int] = field(default_factory=dict)

    def put(self, number: int, data: bytes) -> None:
        """Upload `data` as part `number`, with its CRC-32: most stores reject other bytes.

        Sends it as a header: the SDK's own checksum is a trailer over https, which Ceph RGW 16 refuses (411).
        """
        crc32 = zlib.crc32(data)
        sends = self.store.capabilities.own_checksums
        more: Any = {"ChecksumCRC32": encode_crc32(crc32)} if sends else {}
        with translated(self.key):
            answer = self.store.client.upload_part(
                Bucket=self.store.bucket, Key=self.key, UploadId=self.id, PartNumber=number, Body=data, **more
            )
            self.parts[number] = answer["ETag"]
        if sends:
            self.crc32[number] = crc32

    def copy(self, number: int, source: str, etag: str, start: int, length: int, *, bucket: str = "") -> None:
        """Have the store copy `length` bytes of `source`, from offset `start`, as part `number`. `bucket`: the bucket
        of `source` in the same store; by default ours.

        Raises ObjectChanged if `source` no longer has this ETag, ObjectMissing if it is gone.
        """
        more: Any = {"CopySourceIfMatch": etag}
        if not self.store.capabilities.checks_copy_source:
            Store(self.store.alias, bucket=bucket).head(source).require(etag)
            more = {}  # Swift compares with another ETag than that of HEAD
        with translated(source):
            answer = self.store.client.upload_part_copy(
                Bucket=self.store.bucket,
                Key=self.key,
                UploadId=self.id,
                PartNumber=number,
                CopySource={"Bucket": bucket or self.store.bucket, "Key": source},
                CopySourceRange=f"bytes={start}-{start + length - 1}",
                **more,
            )
            copied = answer["CopyPartResult"]
            self.parts[number] = copied["ETag"]
        if (crc32 := decode_crc32(copied.get("ChecksumCRC32"))) is not None:
            self.crc32[number] = crc32

    def complete(
        self, crc32: int | None = None, sha256: Mapping[int, str] | None = None, *, by_part: bool = False
    ) -> ObjectInfo:
        """Complete the upload, and return the stored object. Raises UploadGone if it was aborted.

        `crc32`: of the whole, for an upload that was opened with CRC32. The store compares it and raises
        ObjectChanged. `sha256`: of each part (base64), for an upload that was opened with SHA256. `by_part`: for an
        upload that was opened with PART_CRC32, send the CRC-32 of each part, and return the object's own checksum.

        The ETag is read by HEAD: Ceph RGW 16 completes with an empty one, rclone with another one than HEAD.
        """
        parts: list[Any] = [
            {"PartNumber": number, "ETag": etag}
            | ({"ChecksumSHA256": sha256[number]} if sha256 else {})
            | ({"ChecksumCRC32": encode_crc32(self.crc32[number])} if by_part else {})
            for number, etag in sorted(self.parts.items())
        ]
        more: dict[str, Any] = {}
        if crc32 is not None:
            more = {"ChecksumType": "FULL_OBJECT", "ChecksumCRC32": encode_crc32(crc32)}
        with translated(self.key):
            self.store.client.complete_multipart_upload(
                Bucket=self.store.bucket,
                Key=self.key,
                UploadId=self.id,
                MultipartUpload={"Parts": parts},
                **more,
            )
        return self.store.head(self.key, checksum=by_part)

    @property
    def composite_crc32(self) -> str:
        """S3's composite checksum: the CRC-32 of the CRC-32s of the parts, and their number."""
        crcs = b"".join(crc32.to_bytes(4, "big") for _, crc32 in sorted(self.crc32.items()))
        return f"{encode_crc32(zlib.crc32(crcs))}-{len(self.crc32)}"


class Checksums(Enum):
    """What CreateMultipartUpload announces: S3 accepts only this checksum for the parts of that upload."""

    UNANNOUNCED = MappingProxyType[str, str]({})
    WHOLE_CRC32 = MappingProxyType({"ChecksumAlgorithm": "CRC32", "ChecksumType": "FULL_OBJECT"})
    PART_CRC32 = MappingProxyType({"ChecksumAlgorithm": "CRC32", "ChecksumType": "COMPOSITE"})
    PART_SHA256 = MappingProxyType({"ChecksumAlgorithm": "SHA256"})


def begin(
    store: Store,
    key: str,
    content_type: str,
    metadata: Mapping[str, str] | None = None,
    checksums: Checksums = Checksums.UNANNOUNCED,
) -> Upload:
    """Open an upload (step 1 only). The caller does step 2, sends the parts, and completes or aborts it.

    `metadata` (ASCII) is stored with the object.
    """
    more: Any = {**checksums.value, **store.encryption}
    with translated(key):
        answer = store.client.create_multipart_upload(
            Bucket=store.bucket, Key=key, ContentType=content_type, Metadata=dict(metadata or {}), **more
        )
        return Upload(store, key, answer["UploadId"])


def encode_crc32(value: int) -> str:
    """Encode as in S3's headers: base64 of the big-endian bytes."""
    return base64.b64encode(value.to_bytes(4, "big")).decode()


def decode_crc32(text: str | None) -> int | None:
    """Decode a CRC-32 in the base64 form of S3. Returns None for any other text."""
    try:
        value = base64.b64decode(text or "", validate=True)
    except ValueError:
        return None
    return int.from_bytes(value, "big") if len(value) == 4 else None


def abort_at(store: Store, key: str) -> None:
    """Abort the open uploads at exactly this key. (The listing also returns keys that begin with it.)"""
    for other, upload_id in store.uploads(key):
        if other == key:
            store.abort(key, upload_id)


@contextmanager
def uploading(
    store: Store,
    key: str,
    content_type: str,
    check: Callable[[], None],
    checksums: Checksums = Checksums.UNANNOUNCED,
) -> Iterator[Upload]:
    """Open an upload to `key`, call `check` (which raises if this worker may not write), then yield the upload. Before
    that, abort the uploads of earlier workers at this key.

    On any error the upload is aborted. If the process is killed, the next attempt or the purge aborts it. If another
    process aborted it, this raises the error of `check`, or StoreUnavailable for a retry.
    """
    check()  # a worker that may not write must not abort uploads either
    abort_at(store, key)
    upload = begin(store, key, content_type, checksums=checksums)
    try:
        check()
        yield upload
    except UploadGone as error:
        check()
        raise StoreUnavailable.of(error.problem) from error
    except BaseException:
        with suppress(StorageError):  # keep the first error; a later attempt or the purge aborts
            store.abort(key, upload.id)
        raise


@dataclass(frozen=True)
class Written:
    """A stored object: size in bytes, SHA-256 (hex) and CRC-32 (as ZIP uses it) of the whole."""

    key: str
    size: int
    sha256: str
    crc32: int
    etag: str


def write(
    store: Store,
    key: str,
    source: BinaryIO,
    content_type: str,
    *,
    check: Callable[[], None],
    step: Callable[[int], None] = lambda count: None,
    sha256: str | None = None,
) -> Written:
    """Stream `source` to `key` in constant memory, computing checksums on the way.

    Calls `step(bytes)` for each part; it may raise to stop. Raises ObjectChanged, and stores nothing, if the bytes do
    not match the expected `sha256`. Where the store can, it compares the CRC-32 of the whole.
    """
    digest, crc32, size = hashlib.sha256(), 0, 0
    whole = store.capabilities.verifies_whole
    with uploading(
        store, key, content_type, check, Checksums.WHOLE_CRC32 if whole else Checksums.UNANNOUNCED
    ) as upload:
        while (data := source.read(PART)) or not upload.parts:
            upload.put(len(upload.parts) + 1, data)
            digest.update(data)
            crc32 = zlib.crc32(data, crc32)
            size += len(data)
            step(len(data))
        if sha256 not in (None, digest.hexdigest()):
            raise ObjectChanged("storage.bytes_differ", key=key)
        stored = upload.complete(crc32 if whole else None)
    if stored.size != size:
        raise ObjectChanged("storage.bytes_differ", key=key)
    return Written(key, size, digest.hexdigest(), crc32, stored.etag)
