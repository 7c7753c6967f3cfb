"""manage.py setup_store creates the bucket, tests every needed operation, and refuses a bucket that cannot be used."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from archive.models import StoreReport
from archive.storage import Store
from archive.storage.capabilities import Capabilities
from tests.support.object_stores import UNREACHABLE, WRONG_KEY, override_store
from tests.support.store_profiles import Aws, Gcs, Swift, use_profile

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def fresh() -> Iterator[Store]:
    with override_store(bucket_name=f"fresh-{uuid4()}", public=True, tried=False) as bucket:
        yield bucket


def test_the_bucket_is_created_once_and_left_empty(fresh: Store, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("setup_store")
    call_command("setup_store")

    lines = capsys.readouterr().out.splitlines()
    assert f"The bucket {fresh.bucket} was created." in lines
    assert lines[-1] == f"The bucket {fresh.bucket} is ready."
    assert "  works      UploadPartCopy of a range" in lines
    assert not fresh.listing("")
    (rule,) = fresh.client.get_bucket_cors(Bucket=fresh.bucket)["CORSRules"]
    assert rule["AllowedOrigins"] == ["http://127.0.0.1:8000"]  # the portal's origin


def test_a_versioned_bucket_is_refused(fresh: Store) -> None:
    fresh.client.create_bucket(Bucket=fresh.bucket)
    fresh.client.put_bucket_versioning(Bucket=fresh.bucket, VersioningConfiguration={"Status": "Enabled"})

    with pytest.raises(CommandError, match="can't be used: Versioning is enabled"):
        call_command("setup_store")


@pytest.mark.parametrize(
    ("options", "words"),
    [(WRONG_KEY, "check S3_SECRET_ACCESS_KEY"), (UNREACHABLE, "Check S3_ENDPOINT_URL")],
)
def test_a_store_that_denies_access_is_reported(options: dict[str, Any], words: str) -> None:
    with override_store(**options), pytest.raises(CommandError, match=words):
        call_command("setup_store")


def test_a_fallback_is_named_with_the_words_of_the_store(capsys: pytest.CaptureFixture[str]) -> None:
    with use_profile(Gcs) as (_, bucket):
        call_command("setup_store")
        lines = capsys.readouterr().out.splitlines()

    at = lines.index("  other way  UploadPartCopy of a range")
    assert "501 NotImplemented: A header or query you provided" in lines[at + 1]
    assert lines[at + 2].strip() == "so recordings travel through the workers into bundles"
    assert lines[-1] == f"The bucket {bucket.bucket} is ready."


def test_a_browser_that_may_not_upload_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    with use_profile(Swift) as (_, bucket):
        call_command("setup_store", "--json")
        facts = json.loads(capsys.readouterr().out)
        stored = {one["name"]: one["problem"] for one in StoreReport.objects.get(place=bucket.place).findings}

    (cors,) = [finding for finding in facts["findings"] if finding["name"] == "cors"]
    assert cors == {
        "name": "cors",
        "outcome": "fallback",
        "problem": "It answered 405 MethodNotAllowed, and allows no origin.",
        "remedy": "Allow GET, HEAD and PUT from SITE_URL at the store (docs/stores.md), and check "
        "S3_PUBLIC_ENDPOINT_URL.",
    }
    assert facts["usable"]
    assert stored["cors"] == {"code": "trial.no_origin_allowed", "params": {"answer": "405 MethodNotAllowed"}}
    assert stored["writes"] == {}


def test_the_result_is_kept_and_a_change_is_an_error(caplog: pytest.LogCaptureFixture) -> None:
    with use_profile(Aws) as (_, bucket):
        before = StoreReport.objects.create(place=bucket.place, capabilities=Capabilities().as_json(), findings=[])
        assert before.capabilities["part_checksums"] == "plain"

        call_command("setup_store")

        assert StoreReport.objects.get(place=bucket.place).capabilities["part_checksums"] == "announced"
        assert bucket.capabilities.part_checksums == "announced"
    (message,) = [record.getMessage() for record in caplog.records if "store_changed" in record.getMessage()]
    assert "part_checksums" in message
