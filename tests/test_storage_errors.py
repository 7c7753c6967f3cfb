"""Missing, changed, denied and unavailable are different errors: only a definite 404 counts as missing."""

import io
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from archive.errors import ObjectChanged, ObjectMissing, StorageError, StoreDenied, StoreRefused, StoreUnavailable
from archive.storage import MIN_PART, Store, StoredVersion, locked, store, write
from archive.storage.multipart import uploading
from tests.support.errors import raises_error
from tests.support.http_server import serve
from tests.support.object_stores import MISSING_BUCKET, UNREACHABLE, WRONG_KEY, override_store
from tests.support.stored_objects import always_pass, put_object


@pytest.fixture
def prefix() -> str:
    return f"tests/{uuid.uuid4()}/"


def test_a_range_is_read_from_the_expected_object(prefix: str) -> None:
    etag = put_object(f"{prefix}a", b"0123456789").etag

    assert store().read(f"{prefix}a", 2, 3, etag) == b"234"
    with pytest.raises(ObjectChanged):
        store().read(f"{prefix}a", 2, 3, '"0123456789abcdef0123456789abcdef"')
    with raises_error(StoreUnavailable, "storage.short_read", actual=2, expected=5):
        store().read(f"{prefix}a", 8, 5, etag)


def test_the_store_copies_parts(prefix: str) -> None:
    etag = put_object(f"{prefix}source", bytes(MIN_PART) + b"the end").etag

    with uploading(store(), f"{prefix}copy", "text/plain", always_pass) as upload:
        upload.copy(1, f"{prefix}source", etag, 3, MIN_PART)
        upload.put(2, b"and more")
        copied = upload.complete().etag

    assert store().head(f"{prefix}copy").size == MIN_PART + 8
    assert store().read(f"{prefix}copy", MIN_PART - 3, 11, copied) == b"theand more"


@pytest.mark.parametrize(("name", "error"), [("source", ObjectChanged), ("gone", ObjectMissing)])
def test_a_copy_of_a_replaced_object_fails(prefix: str, name: str, error: type[StorageError]) -> None:
    put_object(f"{prefix}source", bytes(10))

    with pytest.raises(error), uploading(store(), f"{prefix}copy", "text/plain", always_pass) as upload:
        upload.copy(1, f"{prefix}{name}", '"0123456789abcdef0123456789abcdef"', 0, 10)

    assert [version.key for version in store().listing(prefix).versions] == [f"{prefix}source"]


def test_a_missing_object_is_its_own_error(prefix: str) -> None:
    answer = {"what": f"{prefix}a", "status": 404}
    with raises_error(ObjectMissing, "storage.answer", **answer, s3_code="404", reply="Not Found"):
        store().head(f"{prefix}a")
    words = "NoSuchKey: The specified key does not exist"
    with raises_error(ObjectMissing, "storage.answer", **answer, s3_code="NoSuchKey", reply=words):
        store().read(f"{prefix}a", 0, 1, '"0123456789abcdef0123456789abcdef"')


CALLS: dict[str, Callable[[Store], object]] = {
    "head": lambda bucket: bucket.head("a"),
    "read": lambda bucket: bucket.read("a", 0, 1, '"e"'),
    "listing": lambda bucket: bucket.listing("a"),
    "delete": lambda bucket: bucket.delete((StoredVersion("a", "", 1),)),
    "abort": lambda bucket: bucket.abort("a", "0123"),
    "write": lambda bucket: write(bucket, "a", io.BytesIO(b"x"), "text/plain", check=always_pass),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("options", "error"), [(WRONG_KEY, StoreDenied), (UNREACHABLE, StoreUnavailable)], ids=["wrong key", "down"]
)
def test_denied_and_unavailable_are_told_apart(options: dict[str, Any], error: type[StorageError], call: str) -> None:
    with override_store(**options) as bucket, pytest.raises(error):
        CALLS[call](bucket)


@pytest.mark.parametrize("call", ["listing", "delete", "write"])
def test_a_missing_bucket_does_not_prove_absence(call: str) -> None:
    with override_store(**MISSING_BUCKET) as bucket, pytest.raises(StoreRefused):
        CALLS[call](bucket)


class Refusing(BaseHTTPRequestHandler):
    """A server that refuses If-None-Match with `refusal`, and accepts an unconditional PUT."""

    refusal: tuple[int, str]
    conditions: list[str | None]

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.conditions.append(self.headers["If-None-Match"])
        if self.conditions[-1]:
            status, code = self.refusal
            self._answer(status, f"<Error><Code>{code}</Code><Message>No.</Message></Error>".encode())
        else:
            self._answer(200, b"")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.mark.parametrize(
    ("refusal", "error", "conditions"),
    [
        ((501, "NotImplemented"), None, ["*", None]),
        ((400, "NotImplemented"), None, ["*", None]),
        ((400, "InvalidRequest"), StoreRefused, ["*"]),
        ((409, "ConditionalRequestConflict"), StoreRefused, ["*"]),
        ((412, "PreconditionFailed"), ObjectChanged, ["*"]),
    ],
)
def test_only_a_store_that_lacks_conditions_is_written_to_without(
    refusal: tuple[int, str], error: type[StorageError] | None, conditions: list[str | None]
) -> None:
    received: list[str | None] = []
    with serve(Refusing, refusal=refusal, conditions=received) as url, override_store(endpoint_url=url) as bucket:
        if error is None:
            locked.put_once(bucket, "a", b"x", None)
        else:
            with pytest.raises(error):
                locked.put_once(bucket, "a", b"x", None)
    assert received == conditions
