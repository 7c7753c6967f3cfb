"""Objects in the bucket: read, list, delete, sign. boto3 does here what django-storages has no call for."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from django.core.files.storage import storages

from archive.errors import ObjectChanged, ObjectMissing, StoreDenied, StoreUnavailable, UploadGone
from archive.storage.backend import ObjectStorage

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BATCH = 1000  # keys that one DeleteObjects takes


@dataclass(frozen=True)
class ObjectInfo:
    """`metadata` is what its writer gave it along."""

    key: str
    size: int
    etag: str
    metadata: Mapping[str, str] = field(default_factory=dict, hash=False)

    def is_one(self, size: int, etag: str) -> bool:
        """Whether it is the object that was stored. Some stores quote an ETag in one answer and not in another."""
        return self.size == size and self.etag.strip('"') == etag.strip('"')


@dataclass(frozen=True)
class StoredVersion:
    """One version of an object, or a delete marker, as a versioned bucket keeps them. `version` is "" or "null" where
    there is no versioning."""

    key: str
    version: str
    size: int
    marker: bool = False


@dataclass(frozen=True)
class Listing:
    """All that the store has under a prefix."""

    versions: tuple[StoredVersion, ...]
    uploads: tuple[tuple[str, str], ...]  # (key, upload id) of open multipart uploads

    def __bool__(self) -> bool:
        return bool(self.versions or self.uploads)


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn the SDK's errors into ours. `what` names the object for the message."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"].get("Code", "")
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        said = f"{what}: the object store answered {status} {code}"
        if code == "NoSuchBucket":  # somebody's mistake, and no proof that the object is gone
            raise StoreUnavailable(said) from error
        if code == "NoSuchUpload":
            raise UploadGone(said) from error
        if code == "NoSuchKey" or status == 404:
            raise ObjectMissing(said) from error
        if code == "PreconditionFailed" or status == 412:
            raise ObjectChanged(said) from error
        if status in (401, 403):
            raise StoreDenied(said) from error
        raise StoreUnavailable(said) from error
    except (BotoCoreError, HTTPClientError) as error:
        raise StoreUnavailable(f"{what}: the object store can't be reached ({type(error).__name__})") from error


def backend(alias: str) -> ObjectStorage:
    configured = storages[alias]
    assert isinstance(configured, ObjectStorage)
    return configured


class Store:
    """The bucket. Every method raises Denied or Unavailable when the store does not do as asked."""

    @cached_property
    def client(self) -> "S3Client":
        """One for all threads that this Store is handed to: the storage backend would make each thread its own."""
        client: S3Client = backend("default").connection.meta.client
        return client

    @cached_property
    def bucket(self) -> str:
        return str(backend("default").bucket_name)

    def head(self, key: str) -> ObjectInfo:
        """Raises Missing."""
        with translated(key):
            answer = self.client.head_object(Bucket=self.bucket, Key=key)
        return ObjectInfo(key, answer["ContentLength"], answer["ETag"], answer.get("Metadata", {}))

    def read(self, key: str, start: int, length: int, etag: str) -> bytes:
        """`length` bytes from `start` of the very object that `etag` names. Raises Missing; Changed when it is another
        by now; Unavailable when fewer bytes came."""
        with translated(key):
            answer = self.client.get_object(
                Bucket=self.bucket, Key=key, Range=f"bytes={start}-{start + length - 1}", IfMatch=etag
            )
            data = answer["Body"].read()
        if len(data) != length:
            raise StoreUnavailable(f"{key}: {len(data)} of {length} bytes came from the object store")
        return data

    def stream(self, key: str, size: int, etag: str, step: int = 1024**2) -> Iterator[bytes]:
        """The whole of the very object that `etag` names, `step` bytes at a time, from one answer. Raises as `read`
        does; Unavailable also when it breaks off."""
        there = 0
        with translated(key):
            answer = self.client.get_object(Bucket=self.bucket, Key=key, IfMatch=etag)
            for data in answer["Body"].iter_chunks(step):
                there += len(data)
                yield data
        if there != size:
            raise StoreUnavailable(f"{key}: {there} of {size} bytes came from the object store")

    def listing(self, prefix: str) -> Listing:
        """Everything under `prefix`. Uploads first: one that is completed in between is seen as an object then; the
        other way around it would be seen as neither."""
        uploads = self.uploads(prefix)
        return Listing(self.versions(prefix), uploads)

    def versions(self, prefix: str) -> tuple[StoredVersion, ...]:
        """Objects, old versions and delete markers under `prefix`."""
        found: list[StoredVersion] = []
        with translated(prefix):
            for page in self.client.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=prefix):
                found += [_version(v, v["Size"]) for v in page.get("Versions", [])]
                found += [_version(m, 0, marker=True) for m in page.get("DeleteMarkers", [])]
        return tuple(found)

    def folders(self, parent: str, marker: str = "") -> tuple[tuple[str, ...], str]:
        """The prefixes one level below `parent` that hold anything, delete markers included: up to 1,000 after
        `marker`, and the marker to go on with ("" at the end)."""
        with translated(parent):
            page = self.client.list_object_versions(
                Bucket=self.bucket, Prefix=parent, Delimiter="/", KeyMarker=marker, MaxKeys=BATCH
            )
        found = tuple(folder["Prefix"] for folder in page.get("CommonPrefixes", []))
        more = page.get("NextKeyMarker", "") if page["IsTruncated"] else ""
        return found, more

    def uploads(self, prefix: str) -> tuple[tuple[str, str], ...]:
        """(key, upload id) of each open multipart upload under `prefix`."""
        found: list[tuple[str, str]] = []
        with translated(prefix):
            for page in self.client.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket, Prefix=prefix):
                found += [(upload["Key"], upload["UploadId"]) for upload in page.get("Uploads", [])]
        return tuple(found)

    def delete(self, versions: tuple[StoredVersion, ...]) -> dict[str, str]:
        """Delete these versions, 1,000 a call. Returns {key: error code} of those that the store did not delete;
        one that is gone already counts as deleted."""
        failed: dict[str, str] = {}
        for start in range(0, len(versions), BATCH):
            batch = versions[start : start + BATCH]
            with translated(batch[0].key):
                answer = self.client.delete_objects(
                    Bucket=self.bucket, Delete={"Objects": [_identifier(v) for v in batch], "Quiet": True}
                )
            errors = {error["Key"]: error.get("Code", "unknown") for error in answer.get("Errors", [])}
            failed |= {key: code for key, code in errors.items() if code not in ("NoSuchKey", "NoSuchVersion")}
        return failed

    def abort(self, key: str, upload_id: str) -> None:
        """End an open multipart upload. One that is gone already counts as ended."""
        try:
            with translated(key):
                self.client.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload_id)
        except ObjectMissing:
            pass

    def signed_url(self, key: str, *, expires: timedelta, filename: str, content_type: str, inline: bool) -> str:
        """A GET address at the store's public side, dead after `expires` (whole seconds, at least 1)."""
        kind = "inline" if inline else "attachment"
        parameters = {
            "ResponseContentDisposition": content_disposition(kind, filename),
            "ResponseContentType": content_type,
            "ResponseCacheControl": "private, no-store",
        }
        seconds = int(expires.total_seconds())
        if seconds < 1:
            raise ValueError("a signed address needs at least a second to live")
        return str(backend("public").url(key, parameters=parameters, expire=seconds))


def content_disposition(kind: str, filename: str) -> str:
    """RFC 6266: an ASCII name for old clients, the real one in UTF-8."""
    plain = filename.encode("ascii", "replace").decode().replace("?", "_").replace('"', "_").replace("\\", "_")
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"


def _version(entry: Any, size: int, *, marker: bool = False) -> StoredVersion:
    return StoredVersion(entry["Key"], entry.get("VersionId") or "", size, marker)


def _identifier(version: StoredVersion) -> Any:
    # "null" is named too: without it, a bucket with suspended versioning would only add a delete marker.
    named = {"Key": version.key}
    return named | {"VersionId": version.version} if version.version else named


def store() -> Store:
    return Store()
