"""Parts that browsers and recorders put straight into the store, by addresses that are signed for one part each.

Such an address is dead once its upload is completed or ended: the store answers NoSuchUpload, so it can't bring a
deleted object back. A plain PUT or POST could; that is why there is none.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from archive.storage.multipart import Upload
from archive.storage.s3 import backend, translated

MOST_PARTS = 10_000  # of one upload, in S3
PART_CHECKSUM = "x-amz-checksum-sha256"


@dataclass(frozen=True)
class StoredPart:
    """A part that has arrived. Some stores keep all versions of a part that was sent again, and list each of them."""

    number: int
    size: int
    etag: str
    at: datetime


def signed_part(upload: Upload, number: int, size: int, sha256: str, expires: timedelta) -> tuple[str, dict[str, str]]:
    """A PUT address at the store's public side for part `number`, dead after `expires` (whole seconds, at least 1), and
    the headers that must come with it. The store takes exactly `size` bytes; with `sha256` (base64) only those that
    have this checksum."""
    seconds = int(expires.total_seconds())
    if seconds < 1:
        raise ValueError("a signed address needs at least a second to live")
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
    """What has arrived so far, by number. Raises Missing when the upload was completed or ended."""
    found: list[StoredPart] = []
    with translated(upload.key):
        pages = upload.store.client.get_paginator("list_parts").paginate(
            Bucket=upload.store.bucket, Key=upload.key, UploadId=upload.id
        )
        for page in pages:
            found += [
                StoredPart(p["PartNumber"], p["Size"], p["ETag"], p["LastModified"]) for p in page.get("Parts", [])
            ]
    return found


def newest(parts: list[StoredPart]) -> dict[int, StoredPart]:
    """One for each number: the last that came, as S3 has it. Where the store's clock (in whole seconds) can't tell, the
    one that is left out of an answer is asked for again, which is harmless; a wrong one would not be."""
    found: dict[int, StoredPart] = {}
    unsure: set[int] = set()
    for part in parts:
        other = found.get(part.number)
        if other is None or part.at > other.at or part.etag == other.etag:
            found[part.number] = part
            unsure.discard(part.number)
        elif part.at == other.at:
            unsure.add(part.number)
    return {number: found[number] for number in sorted(found) if number not in unsure}
