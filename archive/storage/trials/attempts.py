"""What several trials do: write known bytes, and send requests as a browser does."""

import hashlib
import http.client
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import cache
from urllib.parse import urlsplit

from archive.errors import StorageError, StoreUnavailable
from archive.storage.multipart import MIN_PART, Checksums, Upload, begin
from archive.storage.presigned_parts import signed_part
from archive.storage.s3 import MAX_WORDS, Store, backend

OFFSET = 1000  # bytes; a copied range that starts at 0 would not prove that ranges work
MINUTE = timedelta(minutes=1)


def check_nothing() -> None:
    """Do nothing: the check of a writer that may always write."""


@cache
def known_bytes(size: int) -> bytes:
    return hashlib.shake_256(b"rehearsal").digest(size)


@contextmanager
def open_upload(store: Store, key: str, checksums: Checksums = Checksums.UNANNOUNCED) -> Iterator[Upload]:
    upload = begin(store, key, "text/plain", checksums=checksums)
    try:
        yield upload
    finally:
        with suppress(StorageError):
            store.abort(key, upload.id)


def put_part(upload: Upload, data: bytes, sha256: str, *, sent: bytes | None = None) -> tuple[int, str]:
    """PUT `sent` to the public URL of part 1 that was signed for `data`. Returns the status and the store's message."""
    url, headers = signed_part(upload, 1, len(data), sha256, MINUTE)
    return send("PUT", url, data if sent is None else sent, headers)[:2]


def _tls() -> ssl.SSLContext:
    """Trust the authorities of the system and the store. (A browser may trust others, too.)"""
    context = ssl.create_default_context()
    if file := backend("public").verify:
        context.load_verify_locations(file)
    return context


def send(
    method: str, url: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[int, str, http.client.HTTPMessage]:
    """Send a request as a browser does, without credentials. Returns status, the beginning of the answer, headers."""
    where = urlsplit(url)
    if where.scheme == "https":
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(where.netloc, timeout=20, context=_tls())
    else:
        connection = http.client.HTTPConnection(where.netloc, timeout=20)
    try:
        connection.request(method, f"{where.path}?{where.query}" if where.query else where.path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read(MIN_PART).decode("utf-8", "replace"), answer.headers
    except (OSError, http.client.HTTPException) as error:
        raise StoreUnavailable("storage.unreachable", what=where.netloc, error=type(error).__name__) from error
    finally:
        connection.close()


def describe_answer(status: int, body: str) -> str:
    """Return an answer in short: 403 AccessDenied: Access Denied."""
    code, words = (re.search(f"<{tag}>([^<]*)<", body) for tag in ("Code", "Message"))
    described = ": ".join(found[1].rstrip(".") for found in (code, words) if found and found[1])[:MAX_WORDS]
    return f"{status} {described}".strip()
