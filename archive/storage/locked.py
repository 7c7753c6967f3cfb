"""A bucket with objects that are written once: with object lock, the store refuses to replace or delete them until a
date. It holds checkpoints of the log, and no data of Spaces, which must be deleted in time.

The lock is tested with a test object (`rehearse`), instead of trusting the store. A bucket without lock is used as
well: then only separate credentials protect its objects.
"""

from base64 import b64encode
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import md5
from typing import Any
from uuid import uuid4

from archive.errors import ObjectChanged, ObjectMissing, StorageError, StoreDenied, StoreRefused
from archive.storage import keys
from archive.storage.bucket import exists, location_of
from archive.storage.s3 import Store, StoredVersion, translated

CONTENT_TYPE = "text/plain; charset=utf-8"
COMPLIANCE, GOVERNANCE = "COMPLIANCE", "GOVERNANCE"
REHEARSED_LOCK = timedelta(minutes=10)
PAGE = 100  # versions per listing, whose objects are read one by one
BEGIN, REPLACED = b"rehearsal", b"replaced"


@dataclass(frozen=True)
class Lock:
    """How an object is locked: COMPLIANCE (nobody can end it) or GOVERNANCE (credentials that may bypass it can), and
    until when."""

    mode: str
    until: datetime


@dataclass(frozen=True)
class LockReport:
    """The observed behavior of a bucket. `has_lock` is what the store reports."""

    has_lock: bool
    keeps_locked: bool
    refuses_overwriting: bool
    may_bypass: bool

    @property
    def is_safe(self) -> bool:
        return self.has_lock and self.keeps_locked and not self.may_bypass


def prepare(store: Store) -> bool:
    """Create the bucket with object lock if it does not exist. Returns whether it was created. Raises StorageError."""
    if exists(store):
        return False
    try:
        with translated(store.bucket):
            store.client.create_bucket(Bucket=store.bucket, ObjectLockEnabledForBucket=True, **location_of(store))
    except StoreRefused:
        with translated(store.bucket):
            store.client.create_bucket(Bucket=store.bucket, **location_of(store))
    return True


def has_lock(store: Store) -> bool:
    """Return whether the store reports that objects in this bucket can be locked. Raises StorageError."""
    try:
        with translated(store.bucket):
            answer = store.client.get_object_lock_configuration(Bucket=store.bucket)
    except (ObjectMissing, StoreRefused):
        return False
    return answer.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled"


def put_once(store: Store, key: str, data: bytes, lock: Lock | None) -> str:
    """Write a new object. Returns its version ("" without versions). Raises ObjectChanged if there is one, provided
    that the store knows If-None-Match; so check first."""
    checksum = b64encode(md5(data, usedforsecurity=False).digest()).decode()  # S3 requires it for locked objects
    options: Any = {"Bucket": store.bucket, "Key": key, "Body": data, "ContentType": CONTENT_TYPE}
    options["ContentMD5"] = checksum
    if lock:
        options |= {"ObjectLockMode": lock.mode, "ObjectLockRetainUntilDate": lock.until}
    try:
        with translated(key):
            return str(store.client.put_object(**options, IfNoneMatch="*").get("VersionId") or "")
    except StoreRefused as error:
        if not _is_unimplemented(error):
            raise
    with translated(key):
        return str(store.client.put_object(**options).get("VersionId") or "")


def _is_unimplemented(error: StoreRefused) -> bool:
    """Return whether the store refused the request because it does not know If-None-Match."""
    return error.params.get("status") == 501 or error.params.get("s3_code") == "NotImplemented"


def read_version(store: Store, version: StoredVersion) -> bytes:
    """Read a version of a small object. Raises ObjectMissing."""
    with translated(version.key):
        return store.client.get_object(Bucket=store.bucket, **_named(version))["Body"].read()


def versions_after(store: Store, prefix: str, marker: str) -> list[StoredVersion]:
    """Return all versions under `prefix` whose keys come after `marker`, in key order, without delete markers: the
    versions that they hide still exist."""
    found: list[StoredVersion] = []
    with translated(prefix):
        start = {"KeyMarker": marker}
        while start:  # a loop, because boto3's paginator can't start after a key
            page = store.client.list_object_versions(Bucket=store.bucket, Prefix=prefix, **start)  # type: ignore[arg-type]
            found += [StoredVersion(v["Key"], v.get("VersionId") or "", v["Size"]) for v in page.get("Versions", [])]
            start = {}
            if page["IsTruncated"]:
                start = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page.get("NextVersionIdMarker", "")}
    return found


@dataclass(frozen=True)
class Page:
    """Versions with the times when the store wrote them; `next`: the markers of the next page, None after the last."""

    versions: list[tuple[StoredVersion, datetime]]
    next: tuple[str, str] | None


def list_page(store: Store, prefix: str, key: str, version: str, most: int = PAGE) -> Page:
    """List at most `most` versions after this one, in key order. Start with "" and ""."""
    markers = {"KeyMarker": key} | ({"VersionIdMarker": version} if version else {}) if key else {}
    with translated(prefix):
        page = store.client.list_object_versions(Bucket=store.bucket, Prefix=prefix, MaxKeys=most, **markers)  # type: ignore[arg-type]
    found = [
        (StoredVersion(v["Key"], v.get("VersionId") or "", v["Size"]), v["LastModified"])
        for v in page.get("Versions", [])
    ]
    return Page(found, (page["NextKeyMarker"], page.get("NextVersionIdMarker", "")) if page["IsTruncated"] else None)


def locked_until(store: Store, version: StoredVersion) -> datetime | None:
    """Return until when the store says that it keeps this version; None without a lock."""
    with translated(version.key):
        head = store.client.head_object(Bucket=store.bucket, **_named(version))
    return head.get("ObjectLockRetainUntilDate")


def rehearse(store: Store, mode: str) -> LockReport:
    """Write a test object, and try to replace and to delete it. Raises StorageError if even writing fails.

    A later rehearsal deletes the objects that are still locked.
    """
    _delete_old_rehearsals(store)
    locks = has_lock(store)
    lock = Lock(mode, datetime.now(UTC) + REHEARSED_LOCK) if locks else None
    key = f"{keys.REHEARSAL}{uuid4()}"
    version = StoredVersion(key, put_once(store, key, BEGIN, lock), len(BEGIN))
    refuses = _is_refused(lambda: put_once(store, key, REPLACED, None), store, version)
    keeps = locks and _keeps(store, version)
    may_bypass = keeps and mode == GOVERNANCE and _bypasses(store, version)
    _delete_old_rehearsals(store)
    return LockReport(locks, keeps, refuses, may_bypass)


def _is_refused(act: Any, store: Store, version: StoredVersion) -> bool:
    try:
        act()
    except (ObjectChanged, StoreDenied):
        return read_version(store, version) == BEGIN
    return False


def _keeps(store: Store, version: StoredVersion) -> bool:
    """Return whether the locked version still exists after a PUT at its key and an attempt to delete it."""
    try:
        with translated(version.key):
            store.client.put_object(Bucket=store.bucket, Key=version.key, Body=REPLACED)
    except StoreDenied:
        pass
    with suppress(StorageError):
        store.delete((version,))  # ignore its errors: reading the object shows the result
    try:
        return read_version(store, version) == BEGIN and locked_until(store, version) is not None
    except ObjectMissing:
        return False


def _bypasses(store: Store, version: StoredVersion) -> bool:
    """Return whether these credentials can delete an object that is locked in GOVERNANCE mode."""
    try:
        with translated(version.key):
            store.client.delete_object(Bucket=store.bucket, **_named(version), BypassGovernanceRetention=True)
    except StorageError:
        return False
    return True


def _delete_old_rehearsals(store: Store) -> None:
    with suppress(StoreDenied):  # it is best if the credentials may not delete
        store.delete(store.versions(keys.REHEARSAL))


def _named(version: StoredVersion) -> Any:
    named = {"Key": version.key}
    return named | {"VersionId": version.version} if version.version else named
