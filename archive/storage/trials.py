"""The trials of a rehearsal, in order. Each writes known bytes under its own prefix, and checks what the store made of
them. A trial fails if it raises StoreRefused, ObjectChanged or ObjectMissing.

Sources of the differences: AWS's S3 API reference; the documentation of Cloudflare R2, Garage and Google Cloud Storage
on what they lack; tests of Ceph RGW 16, OpenStack Swift 2.30 and rclone 1.75 (docs/stores.md).
"""

import base64
import hashlib
import http.client
import re
import ssl
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from functools import cache
from io import BytesIO
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext_noop as _

from archive.errors import ObjectChanged, ObjectMissing, StorageError, StoreDenied, StoreRefused, StoreUnavailable
from archive.storage.bucket import NEVER_HAD_VERSIONS, find_faults
from archive.storage.capabilities import PartChecksums
from archive.storage.multipart import MIN_PART, Checksums, Upload, begin, encode_crc32, write
from archive.storage.presigned_parts import PART_CHECKSUM, signed_part, stored_parts
from archive.storage.remedies import is_missing_permission
from archive.storage.s3 import MAX_WORDS, Store, StoredVersion, backend, translated

OFFSET = 1000  # bytes; a copied range that starts at 0 would not prove that ranges work
MINUTE = timedelta(minutes=1)
WRONG_ETAG = '"0123456789abcdef0123456789abcdef"'


class Outcome(StrEnum):
    WORKS = "works"
    FALLBACK = "fallback"  # Spacekeep does something else instead
    FAULT = "fault"  # there is no fallback


class NotNeeded(Exception):
    """An earlier trial has already decided this."""


@dataclass(frozen=True)
class Trial:
    """`run` returns "" if it worked, or what the store did instead.

    `label`: what is tried. `fallback`: what Spacekeep does if it does not work; "" if nothing can replace it.
    `changes`: the Capabilities in that case.
    """

    label: str
    run: Callable[[Store, str], str]
    fallback: str
    changes: dict[str, object]
    permissions: str  # that the key needs for it, with AWS's names
    remedy: str

    @property
    def name(self) -> str:
        return self.run.__name__.strip("_")


@dataclass(frozen=True)
class Finding:
    """The result of a trial. `problem`: what the store did instead, with its own message. `remedy`: what to do."""

    name: str
    outcome: Outcome
    problem: str = ""
    remedy: str = ""

    def as_json(self) -> dict[str, str]:
        return {
            "name": self.name,
            "outcome": self.outcome.value,
            "problem": self.problem,
            "remedy": self.remedy if self.problem else "",
        }


OBJECTS = "s3:PutObject, s3:GetObject, s3:DeleteObject, s3:AbortMultipartUpload"
LISTINGS = "s3:ListBucket, s3:ListBucketVersions, s3:ListBucketMultipartUploads"
OTHER_STORE = _("Use a store of docs/stores.md, or a newer release of yours.")
ALL: list[Trial] = []
Run = Callable[[Store, str], str]


def trial(
    label: str, *, fallback: str = "", permissions: str = OBJECTS, remedy: str = "", **changes: object
) -> Callable[[Run], Run]:
    def register(run: Run) -> Run:
        ALL.append(Trial(label, run, fallback, changes, permissions, remedy or ("" if fallback else OTHER_STORE)))
        return run

    return register


def _nothing() -> None:
    """Do nothing: the check of a writer that may always write."""


@cache
def _bytes(size: int) -> bytes:
    return hashlib.shake_256(b"rehearsal").digest(size)


@contextmanager
def _upload(store: Store, key: str, checksums: Checksums = Checksums.UNANNOUNCED) -> Iterator[Upload]:
    upload = begin(store, key, "text/plain", checksums=checksums)
    try:
        yield upload
    finally:
        with suppress(StorageError):
            store.abort(key, upload.id)


def _put_part(upload: Upload, data: bytes, sha256: str, *, sent: bytes | None = None) -> tuple[int, str]:
    """PUT `sent` to the public URL of part 1 that was signed for `data`. Returns the status and the store's message."""
    url, headers = signed_part(upload, 1, len(data), sha256, MINUTE)
    return _request("PUT", url, data if sent is None else sent, headers)[:2]


def _tls() -> ssl.SSLContext:
    """Trust the authorities of the system and the store. (A browser may trust others, too.)"""
    context = ssl.create_default_context()
    if file := backend("public").verify:
        context.load_verify_locations(file)
    return context


def _request(
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


# Objects, listings, deletion.


@trial(_("parts with a CRC-32"), fallback=_("parts are sent without a checksum"), own_checksums=False)
def _own_checksums(store: Store, prefix: str) -> str:
    with _upload(store, f"{prefix}object") as upload:
        upload.put(1, b"rehearsal")
        upload.complete()
    return ""


@trial(_("multipart uploads appear whole, with size and ETag"))
def _writes(store: Store, prefix: str) -> str:
    written = write(store, f"{prefix}object", BytesIO(b"rehearsal"), "text/plain", check=_nothing)
    return "" if store.read(written.key, 2, 4, written.etag) == b"hear" else "a range has other bytes"


@trial(
    _("ListObjectVersions"),
    fallback=_("ListObjectsV2 proves that a prefix is empty"),
    permissions=LISTINGS,
    lists_versions=False,
)
def _lists_versions(store: Store, prefix: str) -> str:
    with translated(prefix):
        store.client.list_object_versions(Bucket=store.bucket, Prefix=prefix)
    return ""


@trial(_("listings show new objects and open uploads at once"), permissions=LISTINGS)
def _lists(store: Store, prefix: str) -> str:
    write(store, f"{prefix}object", BytesIO(b"rehearsal"), "text/plain", check=_nothing)
    with _upload(store, f"{prefix}open") as upload:
        listing = store.listing(prefix)
        if [version.key for version in listing.versions] != [f"{prefix}object"]:
            return f"listed {len(listing.versions)} objects, not 1"
        if listing.uploads != ((upload.key, upload.id),):
            return f"listed {len(listing.uploads)} open uploads, not 1"
    return "" if not store.uploads(prefix) else "an aborted upload is still listed"


@trial(
    _("DeleteObjects"),
    permissions="s3:DeleteObject, s3:DeleteObjectVersion",
    fallback=_("objects are deleted one by one"),
    deletes_many=False,
)
def _deletes_many(store: Store, prefix: str) -> str:
    names = [f"{prefix}{number}" for number in range(2)]
    for name in names:
        write(store, name, BytesIO(b"rehearsal"), "text/plain", check=_nothing)
    failed = store.delete(tuple(StoredVersion(name, "", 9) for name in (*names, f"{prefix}never")))
    return _refused(failed) or _left(store, prefix)


def _refused(failed: dict[str, str]) -> str:
    """Return the codes of keys that were not deleted. Raises StoreDenied if the key lacks the permission."""
    for key, code in failed.items():
        answer = {"what": key, "status": 403, "s3_code": code, "reply": code}
        denied = StoreDenied("storage.answer", **answer)
        if is_missing_permission(denied):
            raise denied
    return ", ".join(sorted(set(failed.values())))


@trial(_("deleted objects disappear at once"), permissions="s3:DeleteObject, s3:DeleteObjectVersion")
def _deletes(store: Store, prefix: str) -> str:
    written = write(store, f"{prefix}object", BytesIO(b"rehearsal"), "text/plain", check=_nothing)
    if refused := _refused(store.delete(store.listing(prefix).versions)):
        return refused
    with suppress(ObjectMissing):
        store.head(written.key)
        return "a deleted object still answers"
    return _left(store, prefix)


def _left(store: Store, prefix: str) -> str:
    return "a deleted object is still listed" if store.listing(prefix) else ""


# Uploads by browsers and recorders.


@trial(
    _("URLs of parts with a SHA-256"),
    fallback=_("the checksums of parts are announced when an upload is opened"),
    part_checksums=PartChecksums.ANNOUNCED.value,
)
def _part_checksums(store: Store, prefix: str) -> str:
    with _upload(store, f"{prefix}object") as upload:
        return _sent(upload) or _completed(upload, {})


@trial(
    _("URLs of parts with an announced SHA-256"),
    fallback=_("what is uploaded is compared when it is read, not before"),
    part_checksums=PartChecksums.NONE.value,
)
def _announced_checksums(store: Store, prefix: str) -> str:
    if store.capabilities.part_checksums != PartChecksums.ANNOUNCED:
        raise NotNeeded
    with _upload(store, f"{prefix}object", Checksums.PART_SHA256) as upload:
        return _sent(upload) or _completed(upload, {1: _sha256(b"rehearsal")})


@trial(
    _("other bytes than announced are refused"),
    fallback=_("what is uploaded is compared when it is read, not before"),
    refuses_wrong_parts=False,
)
def _refuses_wrong_parts(store: Store, prefix: str) -> str:
    announced = store.capabilities.part_checksums
    if announced == PartChecksums.NONE:
        raise NotNeeded
    how = Checksums.PART_SHA256 if announced == PartChecksums.ANNOUNCED else Checksums.UNANNOUNCED
    with _upload(store, f"{prefix}object", how) as upload:
        status, _ = _put_part(upload, b"rehearsal", _sha256(b"rehearsal"), sent=b"something")
    return "" if 400 <= status < 500 else f"answered {status} to other bytes"


@trial(_("parts of another size are refused"), fallback=_("sizes are compared when the upload is complete"))
def _refuses_other_sizes(store: Store, prefix: str) -> str:
    with _upload(store, f"{prefix}object") as upload:
        status, _ = _put_part(upload, b"rehearsal", "", sent=b"rehearsals")
    return "" if 400 <= status < 500 else f"answered {status} to a longer part"


@trial(_("a part that comes after the end of its upload is refused"))
def _refuses_late_parts(store: Store, prefix: str) -> str:
    with _upload(store, f"{prefix}object") as upload:
        store.abort(upload.key, upload.id)
        status, _ = _put_part(upload, b"rehearsal", "")
    return "" if status >= 400 and not store.listing(prefix) else f"answered {status} to a late part"


def _sent(upload: Upload) -> str:
    status, words = _put_part(upload, b"rehearsal", _sha256(b"rehearsal"))
    return "" if status == 200 else f"answered {status} {_code(words)}"


def _completed(upload: Upload, sha256: dict[int, str]) -> str:
    (part,) = stored_parts(upload)
    upload.parts = {1: part.etag}
    return "" if upload.complete(sha256=sha256).size == 9 else "the object has another size"


def _sha256(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def _code(answer: str) -> str:
    code, words = (re.search(f"<{tag}>([^<]*)<", answer) for tag in ("Code", "Message"))
    return ": ".join(found[1] for found in (code, words) if found and found[1])[:MAX_WORDS]


# Bundles.


@trial(
    _("UploadPartCopy of a range"), fallback=_("recordings travel through the workers into bundles"), copies_parts=False
)
def _copies_parts(store: Store, prefix: str) -> str:
    """Copy without a condition, since the next trial tests that."""
    known = replace(store.capabilities, checks_copy_source=False)
    plain = Store(store.alias, find_capabilities=lambda store: known)
    source = _bytes(OFFSET + MIN_PART)
    written = write(plain, f"{prefix}source", BytesIO(source), "text/plain", check=_nothing)
    with _upload(plain, f"{prefix}copy") as upload:
        upload.copy(1, written.key, written.etag, OFFSET, MIN_PART)
        upload.put(2, b"end")
        made = upload.complete()
    same = made.size == MIN_PART + 3 and store.read(made.key, 0, made.size, made.etag) == source[OFFSET:] + b"end"
    return "" if same else "the copy has other bytes"


@trial(
    _("only copies of a replaced object are refused"),
    fallback=_("the ETag is asked for before each copy"),
    checks_copy_source=False,
)
def _checks_copy_source(store: Store, prefix: str) -> str:
    if not store.capabilities.copies_parts:
        raise NotNeeded
    written = write(store, f"{prefix}source", BytesIO(b"rehearsal"), "text/plain", check=_nothing)
    with _upload(store, f"{prefix}copy") as upload:
        upload.copy(1, written.key, written.etag, 0, 9)
        with suppress(ObjectChanged):
            upload.copy(2, written.key, WRONG_ETAG, 0, 9)
            return "copied an object with another ETag"
    return ""


@trial(_("parts of different sizes"), fallback=_("all parts but the last have one size"), any_part_sizes=False)
def _any_part_sizes(store: Store, prefix: str) -> str:
    data = _bytes(2 * MIN_PART + OFFSET)
    with _upload(store, f"{prefix}object") as upload:
        upload.put(1, data[:MIN_PART])
        upload.put(2, data[MIN_PART:])
        upload.put(3, b"end")
        made = upload.complete()
    return "" if made.size == len(data) + 3 else "the object has another size"


@trial(
    _("the CRC-32 of a whole upload is compared"),
    fallback=_("bundles are verified part by part, or read once more"),
    verifies_whole=False,
)
def _verifies_whole(store: Store, prefix: str) -> str:
    whole = zlib.crc32(b"rehearsal")
    with _upload(store, f"{prefix}right", Checksums.WHOLE_CRC32) as upload:
        upload.put(1, b"rehearsal")
        upload.complete(whole)
    with _upload(store, f"{prefix}wrong", Checksums.WHOLE_CRC32) as upload:
        upload.put(1, b"rehearsal")
        with suppress(ObjectChanged, StoreRefused):
            upload.complete(whole ^ 1)
            return "completed an upload with another CRC-32"
    return ""


@trial(_("the CRC-32 of each part is computed"), fallback=_("bundles are read once more"), reports_part_crc32=False)
def _reports_part_crc32(store: Store, prefix: str) -> str:
    """Copy a range whose CRC-32 no request contains: a store that reports the right one has computed it."""
    if store.capabilities.verifies_whole:
        raise NotNeeded
    source = _bytes(OFFSET + MIN_PART)
    written = write(store, f"{prefix}source", BytesIO(source), "text/plain", check=_nothing)
    with _upload(store, f"{prefix}right", Checksums.PART_CRC32) as upload:
        if store.capabilities.copies_parts:
            upload.copy(1, written.key, written.etag, OFFSET, MIN_PART)
        else:
            upload.put(1, source[OFFSET:])
        upload.put(2, b"end")
        if upload.crc32 != {1: zlib.crc32(source[OFFSET:]), 2: zlib.crc32(b"end")}:
            return "a part has no CRC-32, or another one"
        if upload.complete(by_part=True).crc32 != upload.composite_crc32:
            return "the object has no CRC-32 of its parts, or another one"
    with _upload(store, f"{prefix}wrong", Checksums.PART_CRC32) as upload:
        with suppress(ObjectChanged, StoreRefused):
            _put_with_wrong_crc32(upload)
            return "took a part with another CRC-32"
        upload.put(1, b"rehearsal")
        upload.crc32[1] ^= 1
        with suppress(ObjectChanged, StoreRefused):
            if upload.complete(by_part=True).crc32 == upload.composite_crc32:
                return "reports the CRC-32 of the request, not one of its own"
    return ""


def _put_with_wrong_crc32(upload: Upload) -> None:
    wrong = encode_crc32(zlib.crc32(b"rehearsal") ^ 1)
    with translated(upload.key):
        upload.store.client.upload_part(
            Bucket=upload.store.bucket,
            Key=upload.key,
            UploadId=upload.id,
            PartNumber=1,
            Body=b"rehearsal",
            ChecksumCRC32=wrong,
        )


# Downloads.


@trial(_("signed URLs with ranges, file name and type"))
def _signed_ranges(store: Store, prefix: str) -> str:
    written = write(store, f"{prefix}object", BytesIO(b"rehearsal"), "text/plain", check=_nothing)
    url = store.signed_url(written.key, expires=MINUTE, filename="talk.m4a", content_type="audio/mp4", inline=False)
    status, body, headers = _request("GET", url, headers={"Range": "bytes=2-5"})
    if body != "hear" or status not in (200, 206):
        return f"answered {status} {_code(body)} to a range"
    if "talk.m4a" not in (headers["Content-Disposition"] or ""):
        return "the file has no name"
    return ""


@trial(
    _("ranges are answered with 206"),
    fallback=_("players can't jump in a recording, and downloads start from the beginning"),
)
def _partial_content(store: Store, prefix: str) -> str:
    written = write(store, f"{prefix}object", BytesIO(b"rehearsal"), "text/plain", check=_nothing)
    url = store.signed_url(written.key, expires=MINUTE, filename="talk.m4a", content_type="audio/mp4", inline=True)
    status = _request("GET", url, headers={"Range": "bytes=2-5"})[0]
    return "" if status == 206 else f"answered {status} to a range"


@trial(_("downloads have the type of their file"), fallback=_("players guess the type of a recording"))
def _signed_types(store: Store, prefix: str) -> str:
    written = write(store, f"{prefix}object", BytesIO(b"rehearsal"), "text/plain", check=_nothing)
    url = store.signed_url(written.key, expires=MINUTE, filename="talk.m4a", content_type="audio/mp4", inline=True)
    found = _request("GET", url)[2]["Content-Type"]
    return "" if found == "audio/mp4" else f"the type is {found}"


@trial(
    _("the browser may upload and read (CORS)"),
    fallback=_("browsers can't upload until the store allows it; recorders can"),
    remedy=_("Allow GET, HEAD and PUT from SITE_URL at the store (docs/stores.md), and check S3_PUBLIC_ENDPOINT_URL."),
)
def _cors(store: Store, prefix: str) -> str:
    url = store.signed_url(
        f"{prefix}object", expires=MINUTE, filename="talk.m4a", content_type="audio/mp4", inline=False
    )
    asked = {
        "Origin": settings.SITE_URL,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": PART_CHECKSUM,
    }
    status, body, headers = _request("OPTIONS", url, headers=asked)
    allowed = headers["Access-Control-Allow-Origin"]
    if status < 300 and allowed in ("*", settings.SITE_URL):
        return ""
    return f"answered {status} {_code(body)}, allowed origin: {allowed or 'none'}"


@trial(
    _("new objects are encrypted as S3_ENCRYPTION says"),
    remedy=_("Set S3_ENCRYPTION to what the store has, or to none."),
)
def _encrypts(store: Store, prefix: str) -> str:
    wanted = store.encryption.get("ServerSideEncryption")
    if not wanted:
        raise NotNeeded
    written = write(store, f"{prefix}object", BytesIO(b"rehearsal"), "text/plain", check=_nothing)
    with translated(written.key):
        found = str(store.client.head_object(Bucket=store.bucket, Key=written.key).get("ServerSideEncryption", "no"))
    return "" if found == wanted else f"the store reports {found} encryption"


# Settings that would keep deleted bytes alive.


@trial(_("the bucket keeps no old versions"), permissions=LISTINGS, remedy=NEVER_HAD_VERSIONS)
def _no_versioning(store: Store, prefix: str) -> str:
    """Read the bucket's settings, and write one object twice, as a store may deny or lack the request for settings."""
    if faults := find_faults(store):
        return faults[0]  # a bucket with object lock has versioning, too
    for _round in range(2):
        write(store, f"{prefix}object", BytesIO(b"rehearsal"), "text/plain", check=_nothing)
    count = len(store.listing(prefix).versions)
    if count != 1:
        return f"{count} versions of one object are kept: a deleted object could live on as an old version"
    return ""
