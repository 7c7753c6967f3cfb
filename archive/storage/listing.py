"""Everything in the bucket, page by page, with its age: for whoever compares it with the rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from archive.storage.s3 import Store, StoredVersion, translated


@dataclass(frozen=True)
class ListedObject:
    """One version of an object; `modified` as the store's clock has it (UTC)."""

    stored: StoredVersion
    etag: str
    modified: datetime


@dataclass(frozen=True)
class OpenUpload:
    key: str
    id: str
    begun: datetime


def walk(store: Store) -> Iterator[ListedObject]:
    """All objects and old versions, in the order of their keys, a thousand a call."""
    with translated(store.bucket):
        for page in store.client.get_paginator("list_object_versions").paginate(Bucket=store.bucket):
            for entry in page.get("Versions", []):
                stored = StoredVersion(entry["Key"], entry.get("VersionId") or "", entry["Size"])
                yield ListedObject(stored, entry["ETag"], entry["LastModified"])


def walk_uploads(store: Store) -> Iterator[OpenUpload]:
    """All open multipart uploads."""
    with translated(store.bucket):
        for page in store.client.get_paginator("list_multipart_uploads").paginate(Bucket=store.bucket):
            for entry in page.get("Uploads", []):
                yield OpenUpload(entry["Key"], entry["UploadId"], entry["Initiated"])
