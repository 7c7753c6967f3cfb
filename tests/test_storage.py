"""A write to the object store is complete or has no effect."""

import hashlib
import io
import uuid
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from archive.errors import LeaseLost, ObjectChanged, ObjectMissing
from archive.storage import PART, store, write
from archive.storage.multipart import uploading
from tests.support.stored_objects import always_pass

MIB = 1024**2


@pytest.fixture
def prefix() -> str:
    return f"tests/{uuid.uuid4()}/"


class Broken(io.BytesIO):
    """A file whose disk fails after the first part."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell():
            raise OSError("the disk failed")
        return super().read(size)


def test_a_written_object_has_its_checksums(prefix: str) -> None:
    data, steps = bytes(range(256)) * (65 * 1024), list[int]()

    written = write(store(), f"{prefix}a", io.BytesIO(data), "audio/mp4", check=always_pass, step=steps.append)

    assert len(data) == 17_039_360
    assert steps == [16 * MIB, 17_039_360 - 16 * MIB]
    assert (written.key, written.size, written.crc32) == (f"{prefix}a", 17_039_360, zlib.crc32(data))
    assert written.sha256 == hashlib.sha256(data).hexdigest()
    head = store().head(f"{prefix}a")
    assert (head.size, head.etag) == (17_039_360, written.etag)
    assert store().read(f"{prefix}a", 0, len(data), written.etag) == data
    assert store().client.head_object(Bucket=store().bucket, Key=f"{prefix}a")["ContentType"] == "audio/mp4"


def raising(error: Exception) -> Callable[..., Any]:
    def raise_it(*args: object) -> None:
        raise error

    return raise_it


FAILURES: list[tuple[type[Exception], dict[str, Any]]] = [
    (OSError, {"source": Broken(bytes(PART + 1))}),
    (LeaseLost, {"step": raising(LeaseLost("too slow"))}),
    (LeaseLost, {"check": raising(LeaseLost("not mine"))}),
    (ObjectChanged, {"sha256": "0" * 64}),
]


@pytest.mark.parametrize(("error", "wrong"), FAILURES, ids=["disk", "lease lost on the way", "not mine", "other bytes"])
def test_a_failed_write_leaves_no_object(prefix: str, error: type[Exception], wrong: dict[str, Any]) -> None:
    options: dict[str, Any] = {"source": io.BytesIO(b"half"), "check": always_pass} | wrong

    with pytest.raises(error):
        write(store(), f"{prefix}a", content_type="text/plain", **options)

    assert not store().listing(prefix)  # neither an object nor an open upload


def test_the_upload_is_open_before_the_check_runs(prefix: str) -> None:
    seen: list[tuple[str, ...]] = []

    def look() -> None:
        seen.append(tuple(key for key, _ in store().listing(prefix).uploads))

    write(store(), f"{prefix}a", io.BytesIO(b"x"), "text/plain", check=look)

    assert seen == [(), (f"{prefix}a",)]


def test_an_aborted_upload_cannot_be_completed(prefix: str) -> None:
    bucket = store()

    with uploading(bucket, f"{prefix}a", "text/plain", always_pass) as upload:
        upload.put(1, b"from before the deletion")
        bucket.abort(upload.key, upload.id)
        with pytest.raises(ObjectMissing):
            upload.complete()
        with pytest.raises(ObjectMissing):
            upload.put(2, b"from after it")

    assert not bucket.listing(prefix)


def test_aborting_twice_is_no_error(prefix: str) -> None:
    with uploading(store(), f"{prefix}a", "text/plain", always_pass) as upload:
        store().abort(upload.key, upload.id)
        store().abort(upload.key, upload.id)

    assert not store().listing(prefix)
