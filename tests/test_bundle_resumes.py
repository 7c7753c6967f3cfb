"""An interrupted build resumes: it does not send uploaded parts again, and survives lost responses."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db.models.functions import Now
from django.test import override_settings

from archive.bundles.build import build, request
from archive.log import SYSTEM
from archive.models import Bundle, Space, User
from archive.storage import keys, store
from tests.faults.proxy import Fault, Proxy
from tests.support.bundles import assert_checksums_match
from tests.support.factory import make_noise
from tests.support.object_stores import override_store

COPY = r"^PUT .* copy$"
PUT = r"^PUT [^ ]*partNumber=\d+[^ ]*$"
COMPLETE = r"^POST [^ ]*uploadId="


@pytest.fixture
def bundle(db: None, alice: User) -> Bundle:
    """The bundle of a recording of 12 MiB: two parts are uploaded, one is copied."""
    assert store().capabilities.copies_parts
    return request(make_noise(alice, megabytes=12).pk, SYSTEM)


@pytest.fixture
def day() -> Iterator[Proxy]:
    """A proxy in front of the store, without faults yet."""
    with (
        Proxy(settings.S3_ENDPOINT_URL) as proxy,
        override_store(endpoint_url=proxy.url) as behind,
    ):
        assert behind.capabilities.copies_parts
        proxy.lines.clear()
        yield proxy


def count(day: Proxy, ending: str) -> int:
    return sum("partNumber=" in line and line.endswith(" copy") == (ending == "copy") for line in day.lines)


def finished(bundle: Bundle) -> None:
    Bundle.objects.update(lease_until=Now(), retry_at=None)
    assert build(bundle.pk)
    bundle.refresh_from_db()
    assert_checksums_match(bundle)
    assert store().listing(keys.bundle(bundle.space_id, bundle.pk)).uploads == ()


def test_existing_parts_are_not_sent_again(bundle: Bundle, day: Proxy) -> None:
    day.faults = [Fault(COMPLETE, status=503, code="SlowDown")]
    assert not build(bundle.pk)
    assert (count(day, "put"), count(day, "copy")) == (2, 1)
    day.faults, day.lines = [], []

    finished(bundle)

    assert (count(day, "put"), count(day, "copy")) == (0, 0)


def test_missing_parts_are_sent(bundle: Bundle, day: Proxy) -> None:
    day.faults = [Fault(COPY, status=500, code="InternalError")]
    assert not build(bundle.pk)
    bundle.refresh_from_db()
    assert (bundle.state, bundle.attempts) == ("building", 0)  # it made progress
    day.faults, day.lines = [], []

    finished(bundle)

    assert (count(day, "put"), count(day, "copy")) == (0, 1)


def test_a_lost_response_loses_nothing(bundle: Bundle, day: Proxy) -> None:
    """The store completes the upload, but the connection breaks: on the retry it no longer knows the upload."""
    day.faults = [Fault(COMPLETE, times=1, lost=True), Fault(COPY, times=1, lost=True), Fault(PUT, times=1, lost=True)]

    finished(bundle)

    assert [fault.seen for fault in day.faults] == [1, 1, 1]


def test_the_next_run_continues_after_the_time_limit(bundle: Bundle, day: Proxy) -> None:
    day.faults = [Fault(COPY, times=1, after_seconds=5)]  # longer than 0.7 of the lease and one round of the renewal

    with override_settings(LEASE_SECONDS=4):
        assert not build(bundle.pk)

    bundle.refresh_from_db()
    assert (bundle.state, bundle.problem, bundle.attempts) == ("building", {}, 0)
    assert 0 < bundle.bytes_done < bundle.bytes_total
    day.lines.clear()
    finished(bundle)
    assert count(day, "put") == 0


@pytest.mark.long
def test_an_upload_with_other_parts_is_not_resumed(bundle: Bundle, day: Proxy, alice: User) -> None:
    day.faults = [Fault(COMPLETE, status=503, code="SlowDown")]
    assert not build(bundle.pk)
    before = Bundle.objects.get().upload_id
    Space.objects.update(title="Another one")  # renames the folder in the ZIP
    day.faults, day.lines = [], []

    finished(bundle)

    assert (count(day, "put"), count(day, "copy")) == (2, 1)
    bundle.refresh_from_db()
    assert bundle.name.startswith("Another one-")
    assert before not in str(store().listing(keys.prefix(bundle.space_id)).uploads)


def test_a_stale_worker_removes_no_finished_bundle(bundle: Bundle, day: Proxy) -> None:
    """A worker claims the bundle and sleeps before it opens an upload. After its lease, another worker claims and
    finishes."""
    slept: list[bool] = []

    def sleep(**kwargs: object) -> None:
        if not slept:
            slept.append(True)
            Bundle.objects.update(lease_until=Now(), retry_at=None)
            slept.append(build(bundle.pk))

    events = store().client.meta.events
    events.register("before-call.s3.ListMultipartUploads", sleep)
    try:
        assert not build(bundle.pk)
    finally:
        events.unregister("before-call.s3.ListMultipartUploads", sleep)

    assert slept == [True, True]
    bundle.refresh_from_db()
    assert_checksums_match(bundle)


@pytest.mark.long
def test_an_object_with_other_parts_is_not_reused(bundle: Bundle, day: Proxy) -> None:
    """The store completed the ZIP, but the worker died. Then a new title of the same length led to another ZIP of the
    same size, and somebody aborted its upload."""
    day.faults = [Fault(r"^HEAD .*bundles", status=503, code="SlowDown")]
    assert not build(bundle.pk)
    Space.objects.update(title="Other")
    Bundle.objects.update(lease_until=Now(), retry_at=None)
    day.faults = [Fault(COMPLETE, status=404, code="NoSuchUpload")]
    assert not build(bundle.pk)
    bundle.refresh_from_db()
    assert (bundle.state, "NoSuchUpload" in bundle.problem_text) == ("building", True)
    day.faults = []

    finished(bundle)

    bundle.refresh_from_db()
    assert bundle.name.startswith("Other-")
