"""Spaces of one volume that are deleted together, or at the same moment."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from archive.bundles.collect import newest, request, shown
from archive.models import Certificate, Collection, Space, User, Volume, VolumeSpace
from archive.retention.purge import begin, purge_all
from archive.storage import keys, store
from tests.factory import make_contents, make_row
from tests.faults.proxy import Fault, Proxy
from tests.processes import wait_until
from tests.rows import change, make_due, row, told
from tests.stores import other_store

SMALL, LARGE = Collection.Size.SMALL, Collection.Size.LARGE
DELETE = r"^POST /\S*\?delete"


def make_shared(host: User, count: int = 3) -> list[Space]:
    """Spaces in one volume, which the store has."""
    spaces = [make_row(host) for _ in range(count)]
    for space in spaces:
        make_contents(space)
    request(host, SMALL)
    store().client.put_object(Bucket=store().bucket, Key=keys.volume(only_volume(host).pk), Body=b"ZIP")
    return spaces


def only_volume(host: User) -> Volume:
    collection = newest(host)
    assert collection is not None
    (volume,) = shown(collection)
    return volume


def inside(volume: Volume) -> set[object]:
    return set(VolumeSpace.objects.filter(volume=volume, left_out=False).values_list("space_id", flat=True))


@pytest.mark.usefixtures("db")
def test_two_leave_one_successor_without_both(alice: User) -> None:
    one, two, kept = make_shared(alice)
    volume = only_volume(alice)
    for space in (one, two):
        make_due(space)

    assert set(purge_all([one.pk, two.pk])) == {one.pk, two.pk}

    volume.refresh_from_db()
    assert (volume.state, store().listing(keys.volume(volume.pk)).versions) == ("failed", ())
    assert Volume.objects.count() == 2
    assert inside(only_volume(alice)) == {kept.pk}
    for space in (one, two):
        assert keys.volume(volume.pk) in {o["key"] for o in told(space, "deletion.listed")["objects"]}
        assert keys.volume(volume.pk) in Certificate.objects.get(pk=space.pk).document


@pytest.mark.usefixtures("db")
def test_a_volume_that_is_refused_holds_up_its_own_spaces_only(alice: User, bob: User) -> None:
    shared, alone = make_shared(alice), make_row(bob)
    make_contents(alone)
    key = keys.volume(only_volume(alice).pk)
    for space in (shared[0], alone):
        make_due(space)
    error = f"<Error><Key>{key}</Key><Code>AccessDenied</Code><Message>No.</Message></Error>".encode()
    denies = Fault(DELETE, changed=lambda said: re.sub(rb"(<DeleteResult[^>]*>)", rb"\1" + error, said))

    with Proxy(settings.S3_ENDPOINT_URL, denies) as proxy, other_store(endpoint_url=proxy.url):
        gone = purge_all([shared[0].pk, alone.pk])

    assert gone == [alone.pk]
    assert row(shared[0]).problem == f"1 objects were not deleted: {key} (AccessDenied)"
    change(shared[0], retry_at=None)
    assert purge_all([shared[0].pk]) == [shared[0].pk]


@pytest.mark.usefixtures("db")
def test_what_it_takes(alice: User, bob: User) -> None:
    def statements(host: User, count: int) -> int:
        spaces = make_shared(host, count)
        for space in spaces:
            make_due(space)
        with CaptureQueriesContext(connection) as queries:
            assert len(purge_all([space.pk for space in spaces])) == count
        return len(queries)

    assert statements(alice, 2) == statements(bob, 7)


def meanwhile(first: Callable[[], object], second: Callable[[], object]) -> object:
    """Do `first`, let `second` run into its locks on another connection, then commit. Returns what `second` did."""

    def run() -> object:
        try:
            return second()
        finally:
            connection.close()

    def somebody_waits() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
            return bool(cursor.fetchone() == (True,))

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first()
            future = pool.submit(run)
            wait_until(somebody_waits, "the second waits for the first")
        return future.result(timeout=20)


@pytest.mark.usefixtures("committed")
def test_two_deletions_at_once_leave_no_place_for_either(alice: User) -> None:
    one, two, kept = make_shared(alice)
    for space in (one, two):
        make_due(space)

    assert meanwhile(lambda: begin(one.pk), lambda: begin(two.pk)) is True

    assert inside(only_volume(alice)) == {kept.pk}
    assert Volume.objects.filter(state__in=Volume.LIVE).count() == 1


@pytest.mark.usefixtures("committed")
def test_a_deletion_while_all_are_asked_for_again(alice: User) -> None:
    one, *kept = make_shared(alice)
    make_due(one)

    meanwhile(lambda: begin(one.pk), lambda: request(alice, LARGE))

    assert inside(only_volume(alice)) == {space.pk for space in kept}
    assert Volume.objects.filter(state__in=Volume.LIVE).count() == 1
