"""manage.py setup_store: creates the bucket, rehearses a deletion, and refuses one that keeps deleted bytes."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from archive.storage import Store
from tests.support.object_stores import UNREACHABLE, WRONG_KEY, override_store


@pytest.fixture
def fresh() -> Iterator[Store]:
    with override_store(bucket_name=f"fresh-{uuid4()}") as bucket:
        yield bucket


def test_the_bucket_is_created_once_and_left_empty(fresh: Store, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("setup_store")
    call_command("setup_store")

    assert capsys.readouterr().out.splitlines() == [
        f"The bucket {fresh.bucket} was created.",
        f"The bucket {fresh.bucket} is ready.",
    ]
    assert not fresh.listing("")


def test_cors_allows_the_portal(fresh: Store) -> None:
    call_command("setup_store")

    (rule,) = fresh.client.get_bucket_cors(Bucket=fresh.bucket)["CORSRules"]

    assert rule["AllowedOrigins"] == ["http://127.0.0.1:8000"]


def test_a_versioned_bucket_is_refused(fresh: Store) -> None:
    fresh.client.create_bucket(Bucket=fresh.bucket)
    fresh.client.put_bucket_versioning(Bucket=fresh.bucket, VersioningConfiguration={"Status": "Enabled"})

    with pytest.raises(CommandError, match="can't be used: versioning is enabled"):
        call_command("setup_store")


@pytest.mark.parametrize(
    ("options", "words"), [(WRONG_KEY, "Check S3_ACCESS_KEY_ID"), (UNREACHABLE, "can't be reached")]
)
def test_a_store_that_denies_access_is_reported(options: dict[str, str], words: str) -> None:
    with override_store(**options), pytest.raises(CommandError, match=words):
        call_command("setup_store")
