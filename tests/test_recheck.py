"""Objects that reappear after a deletion are found within a day, removed and logged."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings

from archive import dbtime
from archive.bundles.exports import request
from archive.models import DeletionCertificate, DeletionRecheck, Export, ExportPart, LogEntry, Space, User
from archive.retention import certificate, recheck
from archive.retention.purge import purge
from archive.storage import keys, store
from archive.storage.bucket import prepare_bucket
from archive.storage.purge_prefix import purge_listing
from tests.faults.proxy import Fault, Proxy
from tests.support.deadlines import make_due
from tests.support.factory import make_contents, make_row
from tests.support.log_entries import event_detail, events
from tests.support.object_stores import override_store

pytestmark = pytest.mark.usefixtures("db", "own_bucket")
BUCKET = "recheck"
AFTER = ["deletion.copy_found", "deletion.copy_removed"]


@pytest.fixture
def own_bucket() -> Iterator[None]:
    """A bucket of its own, because the store lists folders of other tests for a while after they are empty."""
    with override_store(bucket_name=BUCKET) as bucket:
        prepare_bucket(bucket, "http://127.0.0.1:8000")
        purge_listing(bucket, bucket.listing(""))
        yield


@pytest.fixture
def deleted(own_bucket: None, alice: User) -> Space:
    space = make_row(alice)
    make_contents(space)
    make_due(space)
    assert purge(space.pk)
    return space


def put(space: Space, name: str = "recording/1.m4a") -> None:
    store().client.put_object(Bucket=store().bucket, Key=f"{keys.prefix(space.pk)}{name}", Body=b"back")


def recheck_everything() -> int:
    """Recheck until the day's pass is finished. Returns how many rounds it took."""
    for count in range(1, 2000):  # a store may list empty folders for a while
        if recheck.run_round(pages=1):
            return count
    raise AssertionError("it never comes to its end")


def test_a_reappeared_object_is_removed_and_logged(deleted: Space, alice: User) -> None:
    neighbor = make_row(alice)
    make_contents(neighbor)
    put(deleted)
    document = DeletionCertificate.objects.get().document

    recheck_everything()

    assert not store().listing(keys.prefix(deleted.pk))
    assert len(store().listing(keys.prefix(neighbor.pk)).versions) == 3
    assert events(deleted)[-2:] == AFTER
    assert event_detail(deleted, "deletion.copy_found")["objects"] == [
        {"key": f"spaces/{deleted.pk}/recording/1.m4a", "size": 4}
    ]
    assert event_detail(deleted, "deletion.copy_removed")["certificate"] == certificate.digest(
        DeletionCertificate.objects.get()
    )
    assert DeletionCertificate.objects.get().document == document


def test_an_upload_opened_after_the_deletion_is_aborted(deleted: Space) -> None:
    store().client.create_multipart_upload(Bucket=store().bucket, Key=f"{keys.prefix(deleted.pk)}late")

    recheck_everything()

    assert not store().listing(keys.prefix(deleted.pk))
    assert events(deleted)[-2:] == AFTER


def test_a_reappeared_export_part_is_removed(alice: User) -> None:
    space, neighbor = make_row(alice), make_row(alice)
    for one in (space, neighbor):
        make_contents(one)
    export_part = request(alice, Export.Size.SMALL).parts.get()
    make_due(space)
    assert purge(space.pk)
    successor = ExportPart.objects.exclude(pk=export_part.pk).get()
    for back in (export_part, successor):
        store().client.put_object(Bucket=store().bucket, Key=keys.export_part(back.pk), Body=b"back")

    recheck_everything()

    assert not store().listing(keys.export_part(export_part.pk))
    assert store().listing(keys.export_part(successor.pk)), "nothing of a deleted Space is in this one"
    assert events(space)[-2:] == AFTER
    assert event_detail(space, "deletion.copy_found")["objects"] == [
        {"key": keys.export_part(export_part.pk), "size": 4}
    ]
    assert not {*AFTER} & {*events(neighbor)}


def test_a_deletion_is_rechecked_once_a_day(deleted: Space) -> None:
    assert recheck.is_due()
    recheck_everything()
    assert LogEntry.objects.get(event="deletion.rechecked").detail == {"spaces": 1}

    assert not recheck.is_due()
    put(deleted)
    assert not recheck.run_round()
    assert store().listing(keys.prefix(deleted.pk))
    DeletionRecheck.objects.update(finished_at=dbtime.now() - timedelta(hours=24))
    assert recheck.is_due()
    recheck_everything()
    assert not store().listing(keys.prefix(deleted.pk))


def test_a_round_is_bounded_and_the_next_continues(
    deleted: Space, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive.storage.s3.BATCH", 2)
    for space in [make_row(alice) for _ in range(5)]:
        put(space)
    put(deleted)

    with Proxy(settings.S3_ENDPOINT_URL) as proxy, override_store(endpoint_url=proxy.url, bucket_name=BUCKET):
        recheck.run_round(pages=1)
        assert len([line for line in proxy.lines if "delimiter" in line]) == 1
        assert DeletionRecheck.objects.get().marker
        assert recheck.is_due()
        recheck_everything()

    assert events(deleted)[-2:] == AFTER


def test_an_undeletable_object_is_logged_once_and_retried(deleted: Space) -> None:
    put(deleted)
    with (
        Proxy(settings.S3_ENDPOINT_URL, Fault(r"^POST /\S*\?delete", status=403, code="AccessDenied")) as proxy,
        override_store(endpoint_url=proxy.url, bucket_name=BUCKET),
    ):
        for _ in range(3):
            assert not recheck.run_round()
            DeletionRecheck.objects.update(retry_at=None)

    assert events(deleted)[-1] == "deletion.copy_found"
    assert events(deleted).count("deletion.copy_found") == 1
    assert recheck.is_due()
    recheck_everything()
    assert events(deleted)[-2:] == AFTER


def test_an_empty_prefix_is_no_alert(deleted: Space) -> None:
    recheck_everything()

    assert events(deleted)[-1] == "space.deleted"
    assert LogEntry.objects.filter(event="deletion.rechecked").count() == 1


def test_an_undeletable_object_does_not_block_others(deleted: Space, alice: User) -> None:
    other = make_row(alice)
    make_due(other)
    assert purge(other.pk)
    put(deleted)
    put(other)
    refused = Fault(rf"^GET /\S*versions\S*{deleted.pk}", status=403, code="AccessDenied")

    with Proxy(settings.S3_ENDPOINT_URL, refused) as proxy, override_store(endpoint_url=proxy.url, bucket_name=BUCKET):
        assert not recheck.run_round()

    assert events(other)[-2:] == AFTER
    assert DeletionRecheck.objects.get().problem["params"]["status"] == 403
