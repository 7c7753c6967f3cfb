"""What this store can do, found out by trying, once.

Copying a part of another object is in S3's interface, but not in every store that speaks it; and one release of a store
that could, wrote other bytes than it had read (SeaweedFS before its pull request 9280, with encryption). So it is tried
with bytes that we know, and what comes out is compared.
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
from archive.storage.purge_prefix import remove
from archive.storage.s3 import Store

REMEMBERED = 24 * 3600  # seconds; a store may be upgraded
CODES = {"NotImplemented", "MethodNotAllowed", "XNotImplemented", "UnsupportedOperation"}
SKIPPED = 1000  # bytes of the source that are not copied: a range that begins at 0 proves little

logger = structlog.get_logger()


def unknown_to_store(error: StorageError) -> bool:
    """Whether the store said that it does not know this call."""
    cause = error.__cause__
    if not isinstance(cause, ClientError):
        return False
    answer = cause.response
    return answer["Error"].get("Code") in CODES or answer["ResponseMetadata"]["HTTPStatusCode"] in (405, 501)


def copies_parts(store: Store) -> bool:
    """Whether the store copies a range of one object into a part of another, byte for byte. Tried once a day, by
    whoever asks first. Raises StorageError when it can't be found out now."""
    place = f"{store.client.meta.endpoint_url} {store.bucket}"
    name = f"copies-parts:{hashlib.sha256(place.encode()).hexdigest()}"
    known = cache.get(name)
    if known is None:
        known = try_copying(store)
        cache.set(name, known, REMEMBERED)
    return bool(known)


def try_copying(store: Store) -> bool:
    """As `copies_parts`, at this moment; also told in the log. Raises StorageError."""
    copies = _tried(store)
    if not copies:
        logger.warning("store_copies_no_parts", effect="recordings travel through the workers into bundles")
    return copies


def _tried(store: Store) -> bool:
    prefix = f"{keys.REHEARSAL}{uuid4()}/"
    source = hashlib.shake_256(b"rehearsal").digest(SKIPPED + MIN_PART)
    try:
        made = write(store, f"{prefix}source", BytesIO(source), "text/plain", check=lambda: None)
        copy = f"{prefix}copy"
        with uploading(store, copy, "text/plain", lambda: None) as upload:
            upload.copy(1, made.key, made.etag, SKIPPED, MIN_PART)
            upload.put(2, b"end")
            etag = upload.complete()
        return store.read(copy, 0, MIN_PART + 3, etag) == source[SKIPPED:] + b"end"
    except StorageError as error:
        if unknown_to_store(error):
            return False
        raise
    finally:
        remove(store, store.listing(prefix))
