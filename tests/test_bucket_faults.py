"""A bucket with versioning or object lock is detected, and old versions are deleted all the same."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from archive.storage import Store, store
from archive.storage.checks import bucket_is_erasable
from tests.support.object_stores import UNREACHABLE, WRONG_KEY, override_store


@pytest.fixture
def versioned() -> Iterator[Store]:
    with override_store(bucket_name=f"versioned-{uuid.uuid4()}") as bucket:
        bucket.client.create_bucket(Bucket=bucket.bucket)
        bucket.client.put_bucket_versioning(Bucket=bucket.bucket, VersioningConfiguration={"Status": "Enabled"})
        yield bucket


def check() -> list[str | None]:
    return [message.id for message in bucket_is_erasable(databases=["default"])]


def test_old_versions_and_delete_markers_are_listed_and_deleted(versioned: Store) -> None:
    client, name = versioned.client, versioned.bucket
    for body in (b"first", b"second!"):
        client.put_object(Bucket=name, Key="spaces/1/a", Body=body)
    client.delete_object(Bucket=name, Key="spaces/1/a")

    listing = versioned.listing("spaces/1/").versions
    failed = versioned.delete(listing)

    assert sorted((version.size, version.marker) for version in listing) == [(0, True), (5, False), (7, False)]
    assert failed == {}
    assert not versioned.listing("spaces/1/")


def test_versioning_is_an_error(versioned: Store) -> None:
    (message,) = bucket_is_erasable(databases=["default"])

    assert message.id == "spacekeep.E101"
    assert "Versioning is enabled: a deleted object could live on as an old version" in message.msg


def test_object_lock_is_an_error() -> None:
    with override_store(bucket_name=f"locked-{uuid.uuid4()}") as bucket:
        bucket.client.create_bucket(Bucket=bucket.bucket, ObjectLockEnabledForBucket=True)

        assert set(check()) == {"spacekeep.E101"}
        assert any("Object lock is on" in message.msg for message in bucket_is_erasable(databases=["default"]))


def test_a_plain_bucket_is_erasable() -> None:
    assert check() == []
    assert store().bucket


@pytest.mark.parametrize("options", [WRONG_KEY, UNREACHABLE], ids=["wrong key", "down"])
def test_a_store_that_does_not_answer_is_a_warning(options: dict[str, Any]) -> None:
    with override_store(**options):
        assert check() == ["spacekeep.W101"]


def test_the_store_is_only_asked_on_demand() -> None:
    with override_store(**UNREACHABLE):
        assert bucket_is_erasable() == []
