"""Listing and deleting under a prefix, for any number of objects."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from archive.storage import StoredVersion, store
from archive.storage.multipart import uploading
from tests.support.stored_objects import always_pass, put_object


@pytest.fixture
def prefix() -> str:
    return f"tests/{uuid.uuid4()}/"


def test_listing_shows_what_is_under_the_prefix_and_no_neighbor(prefix: str) -> None:
    put_object(f"{prefix}1/a", b"12345")
    put_object(f"{prefix}10/a", b"neighbor")
    put_object(f"{prefix}1.txt", b"neighbor")
    with uploading(store(), f"{prefix}1/b", "text/plain", always_pass) as upload:
        with uploading(store(), f"{prefix}10/b", "text/plain", always_pass) as other:
            listing = store().listing(f"{prefix}1/")
            store().abort(other.key, other.id)
        store().abort(upload.key, upload.id)

    assert [(version.key, version.size, version.marker) for version in listing.versions] == [(f"{prefix}1/a", 5, False)]
    assert listing.uploads == ((f"{prefix}1/b", upload.id),)


def test_more_than_one_page_is_listed_and_deleted(prefix: str) -> None:
    client, bucket = store().client, store().bucket
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: client.put_object(Bucket=bucket, Key=f"{prefix}{n:04}", Body=b"x"), range(1001)))

    listing = store().listing(prefix).versions
    failed = store().delete(listing)

    assert [version.key for version in listing] == [f"{prefix}{n:04}" for n in range(1001)]
    assert failed == {}
    assert not store().listing(prefix)


def test_deleting_a_missing_object_is_no_error(prefix: str) -> None:
    put_object(f"{prefix}there", b"x")
    keys = (*(f"{prefix}gone-{n}" for n in range(1500)), f"{prefix}there")

    assert store().delete(tuple(StoredVersion(key, "", 1) for key in keys)) == {}

    assert not store().listing(prefix)
