"""Read, list, delete and sign objects in the bucket, with boto3 where django-storages has no API for it."""

import base64
import hashlib
import http.client
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from django.conf import settings
from django.core.files.storage import storages

from archive.errors import ObjectChanged, ObjectMissing, StoreDenied, StoreRefused, StoreUnavailable, UploadGone
from archive.storage import keys
from archive.storage.backend import ObjectStorage
from archive.storage.capabilities import Capabilities

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BATCH = 1000  # keys per DeleteObjects request, S3's maximum
LAST_CHARACTER = "\U0010ffff"
MAX_WORDS = 200  # characters of a store's own message
CHANGED = {"PreconditionFailed", "BadDigest", "XAmzContentChecksumMismatch", "InvalidDigest"}
TRANSIENT = {"InternalError", "OperationAborted", "RequestTimeout", "ServiceUnavailable", "SlowDown", "Throttling"}


@dataclass(frozen=True)
class ObjectInfo:
    """The result of HEAD. `metadata` is the user metadata of the object; `crc32` the store's own checksum as sent, if
    it was requested and the store has it."""

    key: str
    size: int
    etag: str
    metadata: Mapping[str, str] = field(default_factory=dict, hash=False)
    crc32: str = ""

    def is_one(self, size: int, etag: str) -> bool:
        """Return whether size and ETag match. Some stores quote the ETag in one response and not in another."""
        return self.size == size and is_same_etag(self.etag, etag)

    def require(self, etag: str) -> None:
        """Raise ObjectChanged if the object has another ETag."""
        if not is_same_etag(self.etag, etag):
            raise ObjectChanged("storage.object_differs", key=self.key)


def is_same_etag(one: str, other: str) -> bool:
    return one.strip('"') == other.strip('"')


@dataclass(frozen=True)
class StoredVersion:
    """A version of an object, or a delete marker. `version` is "" or "null" without versioning."""

    key: str
    version: str
    size: int
    marker: bool = False


@dataclass(frozen=True)
class Listing:
    """Everything that the store has under a prefix. False if it is empty."""

    versions: tuple[StoredVersion, ...]
    uploads: tuple[tuple[str, str], ...]  # (key, upload id) of open multipart uploads

    def __bool__(self) -> bool:
        return bool(self.versions or self.uploads)


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Translate botocore's errors into ours. `what` names the object in the message, which also has the store's own
    message."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"].get("Code") or ""  # None for an empty tag: Ceph RGW sends no messages
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        words = (error.response["Error"].get("Message") or "")[:MAX_WORDS].strip().rstrip(".")
        reply = ": ".join(text for text in (code, words) if text and text != str(status))  # HEAD has no code
        reply = reply or http.client.responses.get(status, "")
        answer = {"what": what, "status": status, "s3_code": code, "reply": reply}
        if code == "NoSuchBucket":  # a configuration error, not proof that the object is gone
            raise StoreRefused("storage.answer", **answer) from error
        if code == "NoSuchUpload":
            raise UploadGone("storage.answer", **answer) from error
        if code == "NoSuchKey" or status == 404:
            raise ObjectMissing("storage.answer", **answer) from error
        if code in CHANGED or status == 412:
            raise ObjectChanged("storage.answer", **answer) from error
        if status in (401, 403):
            raise StoreDenied("storage.answer", **answer) from error
        if code in TRANSIENT or status in (408, 429) or (status >= 500 and status != 501):
            raise StoreUnavailable("storage.answer", **answer) from error
        raise StoreRefused("storage.answer", **answer) from error
    except KeyError as error:  # rclone treats a copy as an upload, and answers 200 to both
        lacking = {"status": 200, "s3_code": "", "reply": f"without {error.args[0]}"}
        raise StoreRefused("storage.answer", what=what, **lacking) from error
    except (BotoCoreError, HTTPClientError) as error:
        raise StoreUnavailable("storage.unreachable", what=what, error=type(error).__name__) from error


def backend(alias: str) -> ObjectStorage:
    configured = storages[alias]
    assert isinstance(configured, ObjectStorage)
    return configured


class Store:
    """A bucket: our own, or another one of STORAGES that has recordings to fetch (`alias`).

    Every method raises StoreDenied or StoreUnavailable when the store refuses or fails.
    """

    def __init__(
        self,
        alias: str = "default",
        *,
        bucket: str = "",
        find_capabilities: "Callable[[Store], Capabilities]" = lambda store: Capabilities(),
    ) -> None:
        self.alias = alias
        self._bucket, self._find_capabilities = bucket, find_capabilities

    @property
    def capabilities(self) -> Capabilities:
        """What the store can do. Other stores than ours (ours.py) are not tested, and assumed to behave as S3.

        Raises StorageError when ours was never tested, and can't be tested now.
        """
        return self._find_capabilities(self)

    @property
    def place(self) -> str:
        """The name of the store and the bucket in StoreReport."""
        return f"{backend(self.alias).endpoint_url} {self.bucket}"

    @property
    def encryption(self) -> Mapping[str, str]:
        """The parameters of server-side encryption for new objects (S3_ENCRYPTION)."""
        return settings.S3_ENCRYPTION if self.alias == "default" else {}

    @cached_property
    def client(self) -> "S3Client":
        """One client for all threads that share this Store. The storage backend would create one per thread."""
        client: S3Client = backend(self.alias).connection.meta.client
        return client

    @cached_property
    def bucket(self) -> str:
        return self._bucket or str(backend(self.alias).bucket_name)

    def head(self, key: str, *, checksum: bool = False) -> ObjectInfo:
        """Return the object's size, ETag and metadata. Raises ObjectMissing."""
        more: Any = {"ChecksumMode": "ENABLED"} if checksum else {}
        with translated(key):
            answer = self.client.head_object(Bucket=self.bucket, Key=key, **more)
            crc32 = answer.get("ChecksumCRC32", "")
            return ObjectInfo(key, answer["ContentLength"], answer["ETag"], answer.get("Metadata", {}), crc32)

    def read(self, key: str, start: int, length: int, etag: str) -> bytes:
        """Read `length` bytes from offset `start` of the object with this ETag.

        Raises ObjectMissing; ObjectChanged if the ETag differs; StoreUnavailable if it returns fewer bytes.
        """
        with translated(key):
            answer = self.client.get_object(
                Bucket=self.bucket, Key=key, Range=f"bytes={start}-{start + length - 1}", IfMatch=etag
            )
            data = answer["Body"].read()
            _require_etag(key, answer, etag)
        if len(data) != length:
            raise StoreUnavailable("storage.short_read", key=key, actual=len(data), expected=length)
        return data

    def stream(self, key: str, size: int, etag: str, step: int = 1024**2) -> Iterator[bytes]:
        """Stream the object with this ETag from one response, `step` bytes at a time. Raises as `read` does."""
        received = 0
        with translated(key):
            answer = self.client.get_object(Bucket=self.bucket, Key=key, IfMatch=etag)
            _require_etag(key, answer, etag)
            for data in answer["Body"].iter_chunks(step):
                received += len(data)
                yield data
        if received != size:
            raise StoreUnavailable("storage.short_read", key=key, actual=received, expected=size)

    def get(self, key: str) -> bytes:
        """Read a small object. Raises ObjectMissing."""
        with translated(key):
            return self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def put(self, key: str, data: bytes, content_type: str) -> None:
        """Write a small object of the log. Never of a Space: a late PUT would recreate a deleted object."""
        if not keys.is_of_log(key):
            raise ValueError(f"{key}: objects of Spaces are written by multipart uploads")
        more: Any = dict(self.encryption)
        if self.capabilities.own_checksums:
            more["ChecksumSHA256"] = base64.b64encode(hashlib.sha256(data).digest()).decode()
        with translated(key):
            self.client.put_object(Bucket=self.bucket, Key=key, Body=data, ContentType=content_type, **more)

    def listing(self, prefix: str) -> Listing:
        """List everything under `prefix`.

        Uploads are listed before objects: an upload completed in between then shows up as an object. In the other order
        it would show up as neither.
        """
        uploads = self.uploads(prefix)
        return Listing(self.versions(prefix), uploads)

    def versions(self, prefix: str) -> tuple[StoredVersion, ...]:
        """List objects, old versions and delete markers under `prefix`. Lists objects only if the store lacks
        ListObjectVersions: the rehearsal refuses such a store if it keeps versions."""
        versions: list[StoredVersion] = []
        with translated(prefix):
            if not self.capabilities.lists_versions:
                pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
                return tuple(_version(entry, entry["Size"]) for page in pages for entry in page.get("Contents", []))
            for page in self.client.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=prefix):
                versions += [_version(v, v["Size"]) for v in page.get("Versions", [])]
                versions += [_version(m, 0, marker=True) for m in page.get("DeleteMarkers", [])]
        return tuple(versions)

    def keys_after(self, prefix: str, key: str) -> Iterator[str]:
        """Yield the keys under `prefix` that sort after `key`, in order."""
        place = {"Bucket": self.bucket, "Prefix": prefix, "StartAfter": key}
        operation: Any = "list_objects_v2"
        with translated(prefix):
            for page in self.client.get_paginator(operation).paginate(**place):
                yield from (entry["Key"] for entry in page.get("Contents", []))

    def folders(self, parent: str, marker: str = "") -> tuple[tuple[str, ...], str]:
        """List up to 1,000 non-empty prefixes one level below `parent`, starting after `marker`.

        Delete markers count as content. Returns the prefixes and the marker of the next page ("" at the end).
        """
        if not self.capabilities.lists_versions:
            return self._folders_without_versions(parent, marker)
        with translated(parent):
            page = self.client.list_object_versions(
                Bucket=self.bucket, Prefix=parent, Delimiter="/", KeyMarker=marker, MaxKeys=BATCH
            )
        folders = tuple(folder["Prefix"] for folder in page.get("CommonPrefixes", []))
        more = page.get("NextKeyMarker", "") if page["IsTruncated"] else ""
        return folders, more

    def _folders_without_versions(self, parent: str, marker: str) -> tuple[tuple[str, ...], str]:
        # A listing that starts after "a/" would begin with "a/1", which is in the same folder.
        after = {"StartAfter": marker + LAST_CHARACTER} if marker else {}
        with translated(parent):
            page = self.client.list_objects_v2(Bucket=self.bucket, Prefix=parent, Delimiter="/", MaxKeys=BATCH, **after)  # type: ignore[arg-type]
        folders = tuple(folder["Prefix"] for folder in page.get("CommonPrefixes", []))
        return folders, folders[-1] if page["IsTruncated"] and folders else ""

    def uploads(self, prefix: str) -> tuple[tuple[str, str], ...]:
        """Return (key, upload id) of each open multipart upload under `prefix`."""
        uploads: list[tuple[str, str]] = []
        with translated(prefix):
            for page in self.client.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket, Prefix=prefix):
                uploads += [(upload["Key"], upload["UploadId"]) for upload in page.get("Uploads", [])]
        return tuple(uploads)

    def delete(self, versions: tuple[StoredVersion, ...]) -> dict[str, str]:
        """Delete these versions, 1,000 per request. Returns {key: error code} of those that were not deleted.

        DeleteObjects answers 200 even when single keys fail, so every per-key error is read. A key that is already gone
        counts as deleted.
        """
        if not self.capabilities.deletes_many:
            return self._delete_each(versions)
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

    def delete_same(self, key: str, etag: str) -> bool:
        """Delete the object if it still has this ETag. Returns False if another one is there. One that is already gone
        counts as deleted. Look before: a store without conditional deletion deletes what is there."""
        try:
            with translated(key):
                self.client.delete_object(Bucket=self.bucket, Key=key, IfMatch=etag)
        except ObjectMissing:
            pass
        except ObjectChanged:
            return False
        except StoreRefused as error:
            if error.params["status"] != http.HTTPStatus.NOT_IMPLEMENTED:
                raise
            with translated(key):
                self.client.delete_object(Bucket=self.bucket, Key=key)
        return True

    def _delete_each(self, versions: tuple[StoredVersion, ...]) -> dict[str, str]:
        failed = {}
        for version in versions:
            try:
                with translated(version.key):
                    self.client.delete_object(Bucket=self.bucket, **_identifier(version))
            except ObjectMissing:
                pass
            except (StoreDenied, StoreRefused) as error:
                failed[version.key] = str(error.params["reply"])
        return failed

    def abort(self, key: str, upload_id: str) -> None:
        """Abort an open multipart upload. An upload that is already gone counts as aborted."""
        try:
            with translated(key):
                self.client.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload_id)
        except ObjectMissing:
            pass

    def signed_url(self, key: str, *, expires: timedelta, filename: str, content_type: str, inline: bool) -> str:
        """Sign a GET URL at the public endpoint that expires after `expires` (whole seconds, at least 1)."""
        kind = "inline" if inline else "attachment"
        parameters = {
            "ResponseContentDisposition": content_disposition(kind, filename),
            "ResponseContentType": content_type,
            "ResponseCacheControl": "private, no-store",
        }
        seconds = int(expires.total_seconds())
        if seconds < 1:
            raise ValueError("a signed URL needs a lifetime of at least one second")
        return str(backend("public").url(key, parameters=parameters, expire=seconds))


def content_disposition(kind: str, filename: str) -> str:
    """Build a Content-Disposition header (RFC 6266): an ASCII fallback and the real name in UTF-8."""
    plain = filename.encode("ascii", "replace").decode().replace("?", "_").replace('"', "_").replace("\\", "_")
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"


def _version(entry: Any, size: int, *, marker: bool = False) -> StoredVersion:
    return StoredVersion(entry["Key"], entry.get("VersionId") or "", size, marker)


def _require_etag(key: str, answer: Any, etag: str) -> None:
    """Raise ObjectChanged if a store that ignores If-Match sent another object."""
    if not is_same_etag(answer["ETag"], etag):
        raise ObjectChanged("storage.object_differs", key=key)


def _identifier(version: StoredVersion) -> Any:
    # "null" must be named: without it, a bucket with suspended versioning would only add a delete marker.
    named = {"Key": version.key}
    return named | {"VersionId": version.version} if version.version else named
