"""Presigned part uploads: browsers and recorders send parts directly to the store.

Each URL is signed for one part of one upload. Once the upload is completed or aborted the store answers NoSuchUpload,
so an old URL can't recreate a deleted object. A presigned PUT or POST of a whole object could, so we never sign one.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from archive.storage.multipart import Upload, decode_crc32
from archive.storage.s3 import backend, translated

MOST_PARTS = 10_000  # S3's limit per upload
PART_CHECKSUM = "x-amz-checksum-sha256"


@dataclass(frozen=True)
class StoredPart:
    """An uploaded part. Some stores keep every version of a part that was sent repeatedly, and list them all. `crc32`:
    as reported by the store, if it does."""

    number: int
    size: int
    etag: str
    at: datetime
    crc32: int | None = None


def signed_part(upload: Upload, number: int, size: int, sha256: str, expires: timedelta) -> tuple[str, dict[str, str]]:
    """Sign a PUT URL at the public endpoint for part `number`. Returns the URL and the headers to send with it.

    The URL expires after `expires` (whole seconds, at least 1). The store accepts exactly `size` bytes and, with
    `sha256` (base64), only bytes with this checksum, unless it ignores one of them (capabilities.py).
    """
    seconds = int(expires.total_seconds())
    if seconds < 1:
        raise ValueError("a signed URL needs a lifetime of at least one second")
    parameters = {
        "Bucket": upload.store.bucket,
        "Key": upload.key,
        "UploadId": upload.id,
        "PartNumber": number,
        "ContentLength": size,
    }
    if sha256:
        parameters["ChecksumSHA256"] = sha256
    client = backend("public").connection.meta.client
    url = client.generate_presigned_url("upload_part", Params=parameters, ExpiresIn=seconds)
    return str(url), {PART_CHECKSUM: sha256} if sha256 else {}


def stored_parts(upload: Upload) -> list[StoredPart]:
    """List the parts uploaded so far, by number. Raises UploadGone if the upload was completed or aborted."""
    parts: list[StoredPart] = []
    with translated(upload.key):
        pages = upload.store.client.get_paginator("list_parts").paginate(
            Bucket=upload.store.bucket, Key=upload.key, UploadId=upload.id
        )
        for page in pages:
            parts += [
                StoredPart(
                    p["PartNumber"], p["Size"], p["ETag"], p["LastModified"], decode_crc32(p.get("ChecksumCRC32"))
                )
                for p in page.get("Parts", [])
            ]
    return parts


def newest(parts: list[StoredPart]) -> dict[int, StoredPart]:
    """Return the latest version of each part, as S3 itself would use it.

    Stores report whole seconds. If two versions have the same time, the part is omitted, so the client sends it again:
    that is harmless, while keeping the wrong version would not be.
    """
    latest: dict[int, StoredPart] = {}
    ambiguous: set[int] = set()
    for part in parts:
        other = latest.get(part.number)
        if other is None or part.at > other.at or part.etag == other.etag:
            latest[part.number] = part
            ambiguous.discard(part.number)
        elif part.at == other.at:
            ambiguous.add(part.number)
    return {number: latest[number] for number in sorted(latest) if number not in ambiguous}
