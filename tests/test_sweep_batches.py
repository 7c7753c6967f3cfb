"""Many Spaces are deleted together, and a failure of one does not affect the others."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from archive import restores
from archive.errors import make_problem
from archive.models import DeletionCertificate, Space, User
from archive.retention.purge import purge_all, sweep_all
from archive.storage import keys, store
from tests.faults.proxy import Fault, Proxy
from tests.support.deadlines import make_due
from tests.support.factory import make_contents, make_held, make_row
from tests.support.log_entries import event_detail, events
from tests.support.object_stores import override_store
from tests.support.rows import reload_space, update_space

pytestmark = pytest.mark.usefixtures("db")
DELETE = r"^POST /\S*\?delete"


@pytest.fixture
def make_full(alice: User) -> Callable[[int], list[Space]]:
    """Due Spaces, each with three objects and an open upload."""

    def make(count: int) -> list[Space]:
        spaces = [make_row(alice) for _ in range(count)]
        for space in spaces:
            make_contents(space)
            key = f"{keys.prefix(space.pk)}open"
            store().client.create_multipart_upload(Bucket=store().bucket, Key=key)
            make_due(space)
        return spaces

    return make


@contextmanager
def faulty_store(*faults: Fault) -> Iterator[Proxy]:
    with Proxy(settings.S3_ENDPOINT_URL, *faults) as proxy, override_store(endpoint_url=proxy.url):
        yield proxy


def stored(space: Space) -> int:
    return len(store().listing(keys.prefix(space.pk)).versions)


def test_a_sweep_deletes_only_due_spaces(make_full: Callable[[int], list[Space]], alice: User) -> None:
    spaces, neighbor, held = make_full(5), make_row(alice), make_held(alice)
    make_contents(neighbor)
    make_contents(held)

    assert sorted(sweep_all(at_once=2, keys_at_once=2)) == sorted(space.pk for space in spaces)

    for space in spaces:
        assert not store().listing(keys.prefix(space.pk))
        assert events(space) == ["deletion.started", "bundle.removed", "deletion.inventoried", "space.deleted"]
        listed = event_detail(space, "deletion.inventoried")
        assert (listed["object_count"], listed["open_uploads"]) == (3, 1)
        assert {o["key"].split("/")[1] for o in event_detail(space, "space.deleted")["removed"]} == {str(space.pk)}
        assert str(space.pk) in DeletionCertificate.objects.get(pk=space.pk).document
    assert [(reload_space(space).state, stored(space)) for space in (neighbor, held)] == [("available", 3)] * 2
    assert DeletionCertificate.objects.count() == 5


def denies(key: str) -> Fault:
    """DeleteObjects deletes everything, but reports that it refused this key."""
    error = f"<Error><Key>{key}</Key><Code>AccessDenied</Code><Message>No.</Message></Error>".encode()
    return Fault(
        DELETE, changed=lambda body: re.sub(rb"(<DeleteResult[^>]*>|<DeleteResult[^>]*/>)", rb"\1" + error, body)
    )


def test_a_refused_key_blocks_only_its_space(make_full: Callable[[int], list[Space]]) -> None:
    first, bad, last = make_full(3)
    key = keys.recording(bad.pk, 1, "m4a")

    with faulty_store(denies(key)):
        gone = purge_all([first.pk, bad.pk, last.pk])

    assert set(gone) == {first.pk, last.pk}
    assert reload_space(bad).state == "expiring"
    assert reload_space(bad).problem == make_problem("storage.not_deleted", count=1, keys=[f"{key} (AccessDenied)"])
    assert "space.deleted" not in events(bad)
    update_space(bad, retry_at=None)
    assert purge_all([bad.pk]) == [bad.pk]
    assert event_detail(bad, "space.deleted")["attempts"] == 2


def test_after_a_failed_call_spaces_are_deleted_one_by_one(make_full: Callable[[int], list[Space]]) -> None:
    spaces = make_full(3)
    ids = [space.pk for space in spaces]

    with faulty_store(Fault(DELETE, status=400, code="MalformedXML", times=1)):
        assert purge_all(ids) == []
    assert {(reload_space(space).state, stored(space)) for space in spaces} == {("expiring", 3)}
    Space.objects.update(retry_at=None)
    poisoned = Fault(DELETE, status=400, code="MalformedXML", times=1)
    with faulty_store(poisoned) as proxy:
        gone = purge_all(ids)

    assert len([line for line in proxy.lines if re.search(DELETE, line)]) == 3
    assert len(gone) == 2
    (left,) = set(ids) - set(gone)
    assert "answered 400 MalformedXML" in Space.objects.get(pk=left).problem_text


@pytest.mark.parametrize("what", ["versions", "second versions"])
def test_a_prefix_that_can_not_be_listed_is_not_empty(make_full: Callable[[int], list[Space]], what: str) -> None:
    first, bad = make_full(2)
    listing = rf"^GET /\S*versions\S*{bad.pk}"
    # For the second listing, fail only requests after a DeleteObjects.
    seen: list[str] = []

    class After(Fault):
        def takes(self, line: str) -> bool:
            seen.append(line)
            if what == "second versions" and not any(re.search(DELETE, one) for one in seen):
                return False
            return super().takes(line)

    with faulty_store(After(listing, status=403, code="AccessDenied")):
        gone = purge_all([first.pk, bad.pk])

    assert gone == [first.pk]
    assert "answered 403 AccessDenied" in reload_space(bad).problem_text
    assert not DeletionCertificate.objects.filter(pk=bad.pk).exists()
    assert stored(bad) == (3 if what == "versions" else 0)


@contextmanager
def meanwhile(what: Callable[[], object], after: str = "DeleteObjects") -> Iterator[None]:
    """Run `what` between the deletion and the second listing."""
    client = store().client

    def happens(**kwargs: Any) -> None:
        what()

    client.meta.events.register(f"after-call.s3.{after}", happens)
    try:
        yield
    finally:
        client.meta.events.unregister(f"after-call.s3.{after}", happens)


def test_a_pause_that_begins_during_a_sweep_keeps_the_next_batch(make_full: Callable[[int], list[Space]]) -> None:
    """An older database is restored during the sweep."""
    spaces = make_full(4)

    with meanwhile(lambda: restores.open_restore("a bucket", 7)):
        gone = list(sweep_all(at_once=2))

    kept = [space for space in spaces if space.pk not in gone]
    assert (len(gone), len(kept)) == (2, 2)
    for space in kept:
        assert (reload_space(space).state, stored(space), events(space)) == ("available", 3, [])


def test_a_reappeared_object_blocks_only_its_space(make_full: Callable[[int], list[Space]]) -> None:
    first, bad = make_full(2)
    late = f"{keys.prefix(bad.pk)}late"

    with meanwhile(lambda: store().client.put_object(Bucket=store().bucket, Key=late, Body=b"x")):
        gone = purge_all([first.pk, bad.pk])

    assert gone == [first.pk]
    assert reload_space(bad).problem == make_problem(
        "storage.not_empty", prefix=f"spaces/{bad.pk}/", objects=1, uploads=0
    )


def test_a_worker_that_lost_its_claim_writes_no_tombstone(make_full: Callable[[int], list[Space]]) -> None:
    first, stolen = make_full(2)

    with meanwhile(lambda: update_space(stolen, fence=7)):
        gone = purge_all([first.pk, stolen.pk])

    assert gone == [first.pk]
    assert (reload_space(stolen).state, reload_space(stolen).problem) == ("expiring", {})
    assert "space.deleted" not in events(stolen)


def test_a_claim_lost_at_the_last_listing_writes_no_tombstone(make_full: Callable[[int], list[Space]]) -> None:
    (stolen,) = make_full(1)

    def steal() -> None:
        if not stored_now(stolen):
            update_space(stolen, fence=7)

    def stored_now(space: Space) -> bool:
        return bool(store().client.list_objects_v2(Bucket=store().bucket, Prefix=keys.prefix(space.pk))["KeyCount"])

    with meanwhile(steal, after="ListObjectVersions"):
        assert purge_all([stolen.pk]) == []

    assert reload_space(stolen).state == "expiring"
    assert not DeletionCertificate.objects.exists()


def test_a_store_that_is_down_is_asked_once(make_full: Callable[[int], list[Space]]) -> None:
    spaces = make_full(4)

    with faulty_store(Fault("", status=503, code="SlowDown")) as proxy:
        assert list(sweep_all(at_once=2)) == []

    assert {reload_space(space).state for space in spaces} == {"available"}, "nothing was begun"
    assert len(proxy.lines) == 3, "one request for the checkpoint, with the SDK's own three tries"


def calls(spaces: list[Space]) -> tuple[int, int]:
    """Return the numbers of statements and of S3 calls for deleting the Spaces together."""
    with faulty_store() as proxy, CaptureQueriesContext(connection) as queries:
        assert len(purge_all([space.pk for space in spaces])) == len(spaces)
    return len(queries), len(proxy.lines)


def test_the_query_and_call_counts_per_space(make_full: Callable[[int], list[Space]]) -> None:
    few, many = calls(make_full(2)), calls(make_full(7))

    assert few[0] == many[0], "no statement more"
    # For each Space: two listings and the abort of its open upload. For all together: the checkpoint of the log
    # (archive/restores.py), the open uploads, twice, and one deletion.
    assert (few[1], many[1]) == (2 * 3 + 4, 7 * 3 + 4)
