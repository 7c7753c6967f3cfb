"""Create and configure the bucket, and check that objects in it can be deleted for good."""

from io import BytesIO
from typing import Any
from uuid import uuid4

from archive.errors import ObjectMissing, StorageError, StoreUnavailable
from archive.storage import keys
from archive.storage.capabilities import unknown_to_store
from archive.storage.multipart import write
from archive.storage.s3 import Store, translated


def prepare_bucket(store: Store, origin: str) -> bool:
    """Create the bucket if it does not exist, and allow CORS requests from the portal's `origin`.

    Returns whether the bucket was created. Raises StorageError.
    """
    created = not exists(store)
    if created:
        with translated(store.bucket):
            store.client.create_bucket(Bucket=store.bucket, **_location(store))
    rule: Any = {
        "AllowedOrigins": [origin],
        "AllowedMethods": ["GET", "HEAD", "PUT"],
        "AllowedHeaders": ["*"],
        "ExposeHeaders": ["ETag", "Content-Range", "Accept-Ranges"],
        "MaxAgeSeconds": 3600,
    }
    try:
        with translated(store.bucket):
            store.client.put_bucket_cors(Bucket=store.bucket, CORSConfiguration={"CORSRules": [rule]})
    except StorageError as error:
        if not unknown_to_store(error):  # some stores configure CORS globally; the operator does that
            raise
    return created


def _location(store: Store) -> Any:
    """AWS requires a LocationConstraint in every region except the default one."""
    region = store.client.meta.region_name
    return {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}


def exists(store: Store) -> bool:
    try:
        with translated(store.bucket):
            store.client.head_bucket(Bucket=store.bucket)
    except ObjectMissing:
        return False
    return True


def find_faults(store: Store) -> list[str]:
    """List the bucket settings that would keep deleted bytes alive. Raises StorageError."""
    faults = []
    with translated(store.bucket):
        status = store.client.get_bucket_versioning(Bucket=store.bucket).get("Status")
    if status in ("Enabled", "Suspended"):
        faults.append(f"versioning is {status.lower()}: a deleted object could live on as an old version")
    try:
        with translated(store.bucket):
            lock = store.client.get_object_lock_configuration(Bucket=store.bucket).get("ObjectLockConfiguration", {})
    except ObjectMissing:  # no lock configuration at all
        return faults
    except StorageError as error:
        if not unknown_to_store(error):
            raise
        return faults
    if lock.get("ObjectLockEnabled") == "Enabled":
        faults.append("object lock is on: the store could refuse to delete before a date of its own")
    return faults


def rehearse(store: Store) -> None:
    """Rehearse a deletion with test objects: write, open an upload, list, delete, list again.

    Raises StorageError naming the step that failed, before the first deadline depends on it.
    """
    prefix = f"{keys.REHEARSAL}{uuid4()}/"
    write(store, f"{prefix}object", BytesIO(b"rehearsal"), "text/plain", check=lambda: None)
    with translated(prefix):
        store.client.create_multipart_upload(Bucket=store.bucket, Key=f"{prefix}open")
    listing = store.listing(prefix)
    if (len(listing.versions), len(listing.uploads)) != (1, 1):
        raise StoreUnavailable("storage.does_not_list", prefix=prefix)
    for key, upload in listing.uploads:
        store.abort(key, upload)
    if failed := store.delete(listing.versions):
        raise StoreUnavailable("storage.does_not_delete", prefix=prefix, errors=sorted(failed.values()))
    if store.listing(prefix):
        raise StoreUnavailable("storage.still_lists", prefix=prefix)
