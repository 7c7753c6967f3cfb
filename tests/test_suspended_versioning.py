"""A bucket with suspended versioning is refused at set-up, but purges still empty it completely."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest

from archive.errors import make_problem
from archive.models import Space, User
from archive.retention.purge import purge
from archive.storage import Store, keys, store
from archive.storage.bucket import find_faults
from tests.support.factory import make_space
from tests.support.object_stores import override_store


@pytest.fixture
def suspended() -> Iterator[Store]:
    with override_store(bucket_name=f"suspended-{uuid4()}") as bucket:
        bucket.client.create_bucket(Bucket=bucket.bucket)
        yield bucket


def versioning(bucket: Store, status: str) -> None:
    bucket.client.put_bucket_versioning(
        Bucket=bucket.bucket,
        VersioningConfiguration={"Status": status},  # type: ignore[typeddict-item]
    )


def test_a_bucket_with_suspended_versioning_is_refused(suspended: Store) -> None:
    versioning(suspended, "Enabled")
    versioning(suspended, "Suspended")

    assert find_faults(suspended) == [make_problem("trial.versioning", status="suspended")]


@pytest.mark.django_db
@pytest.mark.parametrize("status", ["Enabled", "Suspended"])
def test_old_versions_are_deleted_too(suspended: Store, alice: User, status: str) -> None:
    space = make_space(alice, transcript=None)
    versioning(suspended, "Enabled")
    versioning(suspended, status)
    Space.objects.update(expires_at=space.ended_at + timedelta(days=1))

    assert purge(space.pk)

    assert not store().listing(keys.prefix(space.pk))
