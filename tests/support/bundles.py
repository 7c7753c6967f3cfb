"""Build, download and check bundles."""

import hashlib
import io
import random
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from archive.bundles.build import build, request
from archive.bundles.maintain import clear_storage
from archive.log import SYSTEM
from archive.models import Bundle, ExportPart, LogEntry, Recording, Space, User
from archive.storage import begin, keys, store, write
from tests.support.factory import make_row


def build_bundle(space: Space) -> Bundle:
    bundle = request(space.pk, SYSTEM)
    assert build(bundle.pk)
    bundle.refresh_from_db()
    return bundle


def read_bundle(bundle: Bundle | ExportPart) -> bytes:
    assert bundle.size is not None
    return store().read(bundle.key, 0, bundle.size, bundle.etag)


def unpack_bundle(space: Space, folder: Path) -> Path:
    """Build a bundle and extract it to `folder`. Return its top folder."""
    with zipfile.ZipFile(io.BytesIO(read_bundle(build_bundle(space)))) as zip_file:
        zip_file.extractall(folder)
    (top,) = folder.iterdir()
    return top


def clear_failed_bundle(bundle: Bundle) -> str:
    """Clear the storage of a failed bundle, check that nothing remains, and return its problem code.

    Checks that the log has exactly one entry about the failure.
    """
    bundle.refresh_from_db()
    assert (bundle.state, bundle.storage_cleared) == ("failed", False)
    assert clear_storage(Bundle, bundle.pk)
    assert not clear_storage(Bundle, bundle.pk)
    assert not store().listing(keys.bundle(bundle.space_id, bundle.pk))
    assert LogEntry.objects.filter(event="bundle.failed", detail__bundle=str(bundle.pk)).count() == 1
    return bundle.problem_code


def assert_checksums_match(bundle: Bundle | ExportPart) -> None:
    """Check the CRC of every member, and the checksum of the file that verification stored."""
    data = read_bundle(bundle)
    if bundle.verified_by == "store":
        assert zlib.crc32(data) == bundle.crc32
    else:
        assert hashlib.sha256(data).hexdigest() == bundle.sha256
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None


def make_long_space(host: User, *, mebibytes: int, step: int = 64) -> Space:
    """Create a Space whose recording is `step` MiB of noise repeated up to `mebibytes` (a multiple of `step`).

    The store copies the parts itself, which is faster than uploading them.
    """
    space, bucket = make_row(host, title="A long one"), store()
    noise = random.Random(1).randbytes(step * 1024**2)
    source = write(bucket, f"{keys.prefix(space.id)}noise", io.BytesIO(noise), "audio/wav", check=lambda: None)
    upload = begin(bucket, keys.recording(space.id, 1, "wav"), "audio/wav")
    sha256, crc32, times = hashlib.sha256(), 0, mebibytes // step
    with ThreadPoolExecutor(4) as lanes:
        copies = [lanes.submit(upload.copy, n, source.key, source.etag, 0, source.size) for n in range(1, times + 1)]
        for copy in copies:
            sha256.update(noise)
            crc32 = zlib.crc32(noise, crc32)
            copy.result()
    upload.complete()
    stored = bucket.head(upload.key)
    sums = {"size": stored.size, "etag": stored.etag, "crc32": crc32, "sha256": sha256.hexdigest()}
    facts = {"codec": "pcm_s16le", "duration_ms": 1, "sample_rate": 48000, "channels": 1}
    kind = {"extension": "wav", "content_type": "audio/wav"}
    Recording.objects.create(space=space, key=upload.key, **sums, **kind, **facts)
    return space
