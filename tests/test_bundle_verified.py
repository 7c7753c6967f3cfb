"""If the store cannot verify a bundle, a worker reads it back once and compares it with what was uploaded."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db.models.functions import Now

from archive import dbtime
from archive.bundles.build import build, current, request
from archive.bundles.maintain import clear_storage, remove_unfetched, verify
from archive.log import SYSTEM
from archive.models import Bundle, LogEntry, Space
from archive.storage import keys, store
from tests.support.bundles import build_bundle, clear_failed_bundle, read_bundle
from tests.support.object_stores import UNREACHABLE, override_store, without


@pytest.fixture
def bundle(seeds: Space) -> Iterator[Bundle]:
    with without(verifies_whole=False, reports_part_crc32=False):
        yield build_bundle(seeds)


def overwrite(bundle: Bundle, data: bytes) -> None:
    answer = store().client.put_object(Bucket=store().bucket, Key=bundle.key, Body=data)
    Bundle.objects.update(etag=answer["ETag"])


def test_the_checksum_is_that_of_the_file(bundle: Bundle) -> None:
    assert bundle.sha256 == ""

    assert verify(Bundle, bundle.pk)

    bundle.refresh_from_db()
    assert bundle.sha256 == hashlib.sha256(read_bundle(bundle)).hexdigest()
    assert (bundle.attempts, bundle.lease_until) == (0, None)
    entry = LogEntry.objects.get(event="bundle.verified")
    assert (entry.premis, entry.detail["sha256"]) == ("fixity check", bundle.sha256)
    assert not verify(Bundle, bundle.pk)


def test_a_flipped_bit_fails_the_bundle(bundle: Bundle, seeds: Space) -> None:
    data = bytearray(read_bundle(bundle))
    recording = data.index(b"ftyp")
    data[recording + 1000] ^= 1
    overwrite(bundle, bytes(data))

    assert not verify(Bundle, bundle.pk)

    bundle.refresh_from_db()
    assert "/data/recording.m4a does not have the bytes that were uploaded" in bundle.problem_text
    assert current(seeds) == bundle
    clear_failed_bundle(bundle)
    again = request(seeds.pk, SYSTEM)
    assert (again.pk != bundle.pk, build(again.pk), verify(Bundle, again.pk)) == (True, True, True)


def test_a_truncated_bundle_gets_no_checksum(bundle: Bundle) -> None:
    overwrite(bundle, read_bundle(bundle)[:-1])

    assert not verify(Bundle, bundle.pk)

    bundle.refresh_from_db()
    assert (bundle.state, bundle.sha256) == ("ready", "")
    assert bundle.problem_code == "storage.short_read"


def test_an_object_that_is_not_a_zip_fails(bundle: Bundle) -> None:
    overwrite(bundle, b"x" * (bundle.size or 0))

    assert not verify(Bundle, bundle.pk)

    bundle.refresh_from_db()
    assert (bundle.state, "It does not start like a ZIP" in bundle.problem_text) == ("failed", True)


def test_a_lost_bundle_can_be_requested_again(bundle: Bundle, seeds: Space) -> None:
    store().delete(store().listing(bundle.key).versions)

    assert not verify(Bundle, bundle.pk)

    bundle.refresh_from_db()
    assert bundle.state == "removed"
    assert current(seeds) is None


def test_verification_is_retried_while_the_store_is_down(bundle: Bundle) -> None:
    with override_store(**UNREACHABLE):
        assert not verify(Bundle, bundle.pk)
    bundle.refresh_from_db()
    assert (bundle.state, bundle.problem_code == "storage.unreachable") == ("ready", True)

    Bundle.objects.update(retry_at=Now())

    assert verify(Bundle, bundle.pk)


def test_after_seven_days_without_a_download_it_is_removed(bundle: Bundle, seeds: Space) -> None:
    week = timedelta(days=7)
    Bundle.objects.update(ready_at=dbtime.now() - week + timedelta(minutes=1))
    assert remove_unfetched(Bundle) == 0
    Bundle.objects.update(ready_at=dbtime.now() - week, fetched_at=dbtime.now() - timedelta(days=1))
    assert remove_unfetched(Bundle) == 0
    Bundle.objects.update(fetched_at=dbtime.now() - week)

    assert remove_unfetched(Bundle) == 1

    bundle.refresh_from_db()
    assert (bundle.state, bundle.storage_cleared) == ("removed", False)
    assert LogEntry.objects.get(event="bundle.removed").detail["why"] == "not-fetched"
    assert clear_storage(Bundle, bundle.pk)
    assert not store().listing(keys.bundle(seeds.pk, bundle.pk))
    assert request(seeds.pk, SYSTEM) != bundle
