"""Walk the bucket, or a prefix of it, page by page, with the age of each object. Used by reconcile and for inboxes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from archive.storage.s3 import Store, StoredVersion, translated


@dataclass(frozen=True)
class ListedObject:
    """One version of an object. `modified` is UTC by the store's clock."""

    stored: StoredVersion
    etag: str
    modified: datetime


@dataclass(frozen=True)
class OpenUpload:
    key: str
    id: str
    initiated: datetime


def walk(store: Store, prefix: str = "") -> Iterator[ListedObject]:
    """Yield all objects and old versions in key order, 1,000 per request."""
    with translated(store.bucket):
        for page in store.client.get_paginator("list_object_versions").paginate(Bucket=store.bucket, Prefix=prefix):
            for entry in page.get("Versions", []):
                stored = StoredVersion(entry["Key"], entry.get("VersionId") or "", entry["Size"])
                yield ListedObject(stored, entry["ETag"], entry["LastModified"])


def walk_uploads(store: Store, prefix: str = "") -> Iterator[OpenUpload]:
    """Yield all open multipart uploads of the bucket, or of a prefix of it."""
    with translated(store.bucket):
        pages = store.client.get_paginator("list_multipart_uploads")
        for page in pages.paginate(Bucket=store.bucket, Prefix=prefix):
            for entry in page.get("Uploads", []):
                yield OpenUpload(entry["Key"], entry["UploadId"], entry["Initiated"])
