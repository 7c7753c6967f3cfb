"""Writing objects: always by multipart upload, never by a plain PUT. The order of steps is what keeps deleted deleted.

A writer may be paused for weeks (a laptop, a stuck host) and wake up after the Space was deleted. It must not be able
to bring an object back. So:

1. the upload is opened first,
2. then, and only then, the caller's `check` looks at the row: is this Space still mine to write to?
3. bytes follow, and completing makes the object appear in one step: complete or absent, never half.

The purge changes the row first, commits, and then ends every open upload under the prefix. Whatever the interleaving,
either step 2 sees the purge, or the purge sees the upload of step 1, and completing fails with Missing.
"""

import hashlib
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import BinaryIO

from archive.errors import ObjectChanged, StorageError
from archive.storage.s3 import Store, translated

MIN_PART = 5 * 1024**2  # S3's least size of a part that is not the last, bytes
PART = 16 * 1024**2  # what we upload at a time, bytes; times 10,000 parts it reaches beyond 5 GiB


@dataclass
class Upload:
    """An open multipart upload. `parts` are those that arrived: {number from 1: ETag}. Several threads may send parts
    of one upload at a time, each a number of its own."""

    store: Store
    key: str
    id: str
    parts: dict[int, str] = field(default_factory=dict)

    def put(self, number: int, data: bytes) -> None:
        """Upload `data` as this part. The SDK sends a checksum along; the store refuses a wrong one."""
        with translated(self.key):
            answer = self.store.client.upload_part(
                Bucket=self.store.bucket, Key=self.key, UploadId=self.id, PartNumber=number, Body=data
            )
        self.parts[number] = answer["ETag"]

    def copy(self, number: int, source: str, etag: str, start: int, length: int) -> None:
        """Let the store copy `length` bytes of `source` as this part. Raises Changed when `etag` is not its ETag any
        more, Missing when it is gone."""
        with translated(source):
            answer = self.store.client.upload_part_copy(
                Bucket=self.store.bucket,
                Key=self.key,
                UploadId=self.id,
                PartNumber=number,
                CopySource={"Bucket": self.store.bucket, "Key": source},
                CopySourceIfMatch=etag,
                CopySourceRange=f"bytes={start}-{start + length - 1}",
            )
        self.parts[number] = answer["CopyPartResult"]["ETag"]

    def complete(self) -> str:
        """Make the object appear. Returns its ETag. Raises Missing when the upload was ended meanwhile."""
        parts = [{"PartNumber": number, "ETag": etag} for number, etag in sorted(self.parts.items())]
        with translated(self.key):
            answer = self.store.client.complete_multipart_upload(
                Bucket=self.store.bucket,
                Key=self.key,
                UploadId=self.id,
                MultipartUpload={"Parts": parts},  # type: ignore[typeddict-item]
            )
        return answer["ETag"]


def begin(store: Store, key: str, content_type: str, metadata: Mapping[str, str] | None = None) -> Upload:
    """Step 1 alone, for an upload whose bytes come from elsewhere: the caller sees to step 2, and to its end. The
    object will carry `metadata` (ASCII)."""
    with translated(key):
        answer = store.client.create_multipart_upload(
            Bucket=store.bucket, Key=key, ContentType=content_type, Metadata=dict(metadata or {})
        )
    return Upload(store, key, answer["UploadId"])


@contextmanager
def uploading(store: Store, key: str, content_type: str, check: Callable[[], None]) -> Iterator[Upload]:
    """Open an upload to `key`, then `check` (which raises when this is not ours to write), then yield it. On any error
    the upload is ended and nothing of it stays; what a killed process leaves open, the next attempt ends."""
    upload = begin(store, key, content_type)
    try:
        check()
        yield upload
    except BaseException:
        with suppress(StorageError):  # the first error says more; a later attempt or the purge ends the upload
            store.abort(key, upload.id)
        raise


@dataclass(frozen=True)
class Written:
    """An object that was written: size in bytes, checksums of the whole (hex; CRC-32 as ZIP uses it)."""

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
    """Stream `source` into `key` with constant memory, checksums on the way. `step(bytes)` is called for each part and
    may raise to stop. Raises Changed, and stores nothing, when the bytes don't have the `sha256` that was expected."""
    digest, crc32, size = hashlib.sha256(), 0, 0
    with uploading(store, key, content_type, check) as upload:
        while (data := source.read(PART)) or not upload.parts:
            upload.put(len(upload.parts) + 1, data)
            digest.update(data)
            crc32 = zlib.crc32(data, crc32)
            size += len(data)
            step(len(data))
        if sha256 not in (None, digest.hexdigest()):
            raise ObjectChanged(f"{key}: the bytes are not those that were expected")
        etag = upload.complete()
    return Written(key, size, digest.hexdigest(), crc32, etag)
