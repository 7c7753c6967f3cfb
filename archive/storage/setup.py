"""Making the bucket fit, and finding out where it does not."""

from io import BytesIO
from typing import Any
from uuid import uuid4

from archive.errors import ObjectMissing, StorageError, StoreUnavailable
from archive.storage import keys
from archive.storage.capabilities import unknown_to_store
from archive.storage.multipart import write
from archive.storage.s3 import Store, translated


def prepare_bucket(store: Store, origin: str) -> bool:
    """Make the bucket if it is not there, and allow the portal's `origin` to use it from browsers. True if it was made
    now. Raises StorageError."""
    made = not exists(store)
    if made:
        with translated(store.bucket):
            store.client.create_bucket(Bucket=store.bucket, **_place(store))
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
        if not unknown_to_store(error):  # a store that has CORS for all buckets at once is the operator's to set up
            raise
    return made


def _place(store: Store) -> Any:
    """AWS wants to be told the region, but for the one that is the default."""
    region = store.client.meta.region_name
    return {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}


def exists(store: Store) -> bool:
    try:
        with translated(store.bucket):
            store.client.head_bucket(Bucket=store.bucket)
    except ObjectMissing:
        return False
    return True


def faults(store: Store) -> list[str]:
    """What about the bucket would keep deleted bytes alive. Raises StorageError when the store can't be asked."""
    found = []
    with translated(store.bucket):
        status = store.client.get_bucket_versioning(Bucket=store.bucket).get("Status")
    if status in ("Enabled", "Suspended"):
        found.append(f"versioning is {status.lower()}: a deleted object could live on as an old version")
    try:
        with translated(store.bucket):
            lock = store.client.get_object_lock_configuration(Bucket=store.bucket).get("ObjectLockConfiguration", {})
    except ObjectMissing:  # no lock configuration at all
        return found
    except StorageError as error:
        if not unknown_to_store(error):
            raise
        return found
    if lock.get("ObjectLockEnabled") == "Enabled":
        found.append("object lock is on: the store could refuse to delete before a date of its own")
    return found


def rehearse(store: Store) -> None:
    """Write, leave an upload open, list, delete and list again, on a key of its own: everything that a deletion
    needs, tried before the first deadline depends on it. Raises StorageError, with what the store could not do."""
    prefix = f"{keys.REHEARSAL}{uuid4()}/"
    write(store, f"{prefix}object", BytesIO(b"rehearsal"), "text/plain", check=lambda: None)
    with translated(prefix):
        store.client.create_multipart_upload(Bucket=store.bucket, Key=f"{prefix}open")
    found = store.listing(prefix)
    if (len(found.versions), len(found.uploads)) != (1, 1):
        raise StoreUnavailable(f"{prefix}: the object store does not list what was just written")
    for key, upload in found.uploads:
        store.abort(key, upload)
    if failed := store.delete(found.versions):
        raise StoreUnavailable(f"{prefix}: the object store does not delete ({', '.join(failed.values())})")
    if store.listing(prefix):
        raise StoreUnavailable(f"{prefix}: the object store still lists what was just deleted")
