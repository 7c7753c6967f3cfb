"""Detect what this store can do by trying it with known bytes.

UploadPartCopy is part of S3's API, but not every compatible store implements it, and one release of a store that does
copied wrong bytes (SeaweedFS before its pull request 9280, with encryption). So we copy known bytes and compare.
"""

import hashlib
from io import BytesIO
from uuid import uuid4

import structlog
from botocore.exceptions import ClientError
from django.core.cache import cache

from archive.errors import StorageError
from archive.storage import keys
from archive.storage.multipart import MIN_PART, uploading, write
from archive.storage.purge_prefix import purge_listing
from archive.storage.s3 import Store

CACHE_SECONDS = 24 * 3600  # a store may be upgraded
NOT_IMPLEMENTED_CODES = {"NotImplemented", "MethodNotAllowed", "XNotImplemented", "UnsupportedOperation"}
OFFSET = 1000  # bytes; a copied range that starts at 0 would not prove that ranges work

logger = structlog.get_logger()


def unknown_to_store(error: StorageError) -> bool:
    """Return whether the store answered that it does not implement this operation."""
    cause = error.__cause__
    if not isinstance(cause, ClientError):
        return False
    answer = cause.response
    return answer["Error"].get("Code") in NOT_IMPLEMENTED_CODES or answer["ResponseMetadata"]["HTTPStatusCode"] in (
        405,
        501,
    )


def copies_parts(store: Store) -> bool:
    """Return whether UploadPartCopy copies a byte range correctly. Cached for a day.

    Raises StorageError when the test could not be run.
    """
    place = f"{store.client.meta.endpoint_url} {store.bucket}"
    name = f"copies-parts:{hashlib.sha256(place.encode()).hexdigest()}"
    supported = cache.get(name)
    if supported is None:
        supported = try_copying(store)
        cache.set(name, supported, CACHE_SECONDS)
    return bool(supported)


def try_copying(store: Store) -> bool:
    """Test UploadPartCopy now, and log a warning if it does not work. Raises StorageError."""
    supported = _copy_and_compare(store)
    if not supported:
        logger.warning("store_copies_no_parts", effect="recordings travel through the workers into bundles")
    return supported


def _copy_and_compare(store: Store) -> bool:
    prefix = f"{keys.REHEARSAL}{uuid4()}/"
    source = hashlib.shake_256(b"rehearsal").digest(OFFSET + MIN_PART)
    try:
        written = write(store, f"{prefix}source", BytesIO(source), "text/plain", check=lambda: None)
        copy = f"{prefix}copy"
        with uploading(store, copy, "text/plain", lambda: None) as upload:
            upload.copy(1, written.key, written.etag, OFFSET, MIN_PART)
            upload.put(2, b"end")
            etag = upload.complete()
        return store.read(copy, 0, MIN_PART + 3, etag) == source[OFFSET:] + b"end"
    except StorageError as error:
        if unknown_to_store(error):
            return False
        raise
    finally:
        purge_listing(store, store.listing(prefix))
