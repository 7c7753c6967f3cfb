"""Walk the bucket, or a prefix of it, page by page, with the age of each object. Used by reconcile and for inboxes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

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
        if not store.capabilities.lists_versions:
            listed = store.client.get_paginator("list_objects_v2").paginate(Bucket=store.bucket, Prefix=prefix)
            yield from (_listed(entry) for found in listed for entry in found.get("Contents", []))
            return
        for page in store.client.get_paginator("list_object_versions").paginate(Bucket=store.bucket, Prefix=prefix):
            for entry in page.get("Versions", []):
                yield _listed(entry)


def _listed(entry: Any) -> ListedObject:
    stored = StoredVersion(entry["Key"], entry.get("VersionId") or "", entry["Size"])
    return ListedObject(stored, entry["ETag"], entry["LastModified"])


def walk_uploads(store: Store, prefix: str = "") -> Iterator[OpenUpload]:
    """Yield all open multipart uploads of the bucket, or of a prefix of it."""
    with translated(store.bucket):
        pages = store.client.get_paginator("list_multipart_uploads")
        for page in pages.paginate(Bucket=store.bucket, Prefix=prefix):
            for entry in page.get("Uploads", []):
                yield OpenUpload(entry["Key"], entry["UploadId"], entry["Initiated"])
