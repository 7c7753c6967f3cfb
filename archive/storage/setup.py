"""Making the bucket fit, and finding out where it does not."""

from typing import Any

from botocore.exceptions import ClientError

from archive.errors import Missing, StorageError
from archive.storage.s3 import Store, translated


def prepare(store: Store, origin: str) -> bool:
    """Make the bucket if it is not there, and allow the portal's `origin` to use it from browsers. True if it was made
    now. Raises StorageError."""
    made = not exists(store)
    if made:
        with translated(store.bucket):
            store.client.create_bucket(Bucket=store.bucket)
    rule: Any = {
        "AllowedOrigins": [origin],
        "AllowedMethods": ["GET", "HEAD", "PUT"],
        "AllowedHeaders": ["*"],
        "ExposeHeaders": ["ETag", "Content-Range", "Accept-Ranges"],
        "MaxAgeSeconds": 3600,
    }
    with translated(store.bucket):
        store.client.put_bucket_cors(Bucket=store.bucket, CORSConfiguration={"CORSRules": [rule]})
    return made


def exists(store: Store) -> bool:
    try:
        with translated(store.bucket):
            store.client.head_bucket(Bucket=store.bucket)
    except Missing:
        return False
    return True


def faults(store: Store) -> list[str]:
    """What about the bucket would keep deleted bytes alive. Raises StorageError when the store can't be asked."""
    found = []
    with translated(store.bucket):
        if store.client.get_bucket_versioning(Bucket=store.bucket).get("Status") == "Enabled":
            found.append("versioning is on: a deleted object would live on as an old version")
    try:
        with translated(store.bucket):
            lock = store.client.get_object_lock_configuration(Bucket=store.bucket).get("ObjectLockConfiguration", {})
    except Missing:  # no lock configuration at all
        return found
    except StorageError as error:
        if isinstance(error.__cause__, ClientError) and "NotImplemented" in str(error):
            return found
        raise
    if lock.get("ObjectLockEnabled") == "Enabled":
        found.append("object lock is on: the store could refuse to delete before a date of its own")
    return found
