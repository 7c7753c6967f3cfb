"""Spaces of the same export part are deleted together or concurrently."""

import re

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from archive.bundles.exports import newest, request, visible_parts
from archive.errors import make_problem
from archive.models import DeletionCertificate, Export, ExportPart, ExportPartEntry, Space, User
from archive.retention.purge import begin, purge_all
from archive.storage import keys, store
from tests.faults.proxy import Fault, Proxy
from tests.support.deadlines import make_due
from tests.support.factory import make_contents, make_row
from tests.support.log_entries import event_detail
from tests.support.object_stores import override_store
from tests.support.rows import reload_space, update_space
from tests.support.threads import commit_first
from tests.support.waiting import PATIENCE

SMALL, LARGE = Export.Size.SMALL, Export.Size.LARGE
DELETE = r"^POST /\S*\?delete"


def make_shared(host: User, count: int = 3) -> list[Space]:
    """Create Spaces in one export part, with its object in the store."""
    spaces = [make_row(host) for _ in range(count)]
    for space in spaces:
        make_contents(space)
    request(host, SMALL)
    store().client.put_object(Bucket=store().bucket, Key=keys.export_part(only_part(host).pk), Body=b"ZIP")
    return spaces


def only_part(host: User) -> ExportPart:
    export = newest(host)
    assert export is not None
    (export_part,) = visible_parts(export)
    return export_part


def inside(export_part: ExportPart) -> set[object]:
    return set(
        ExportPartEntry.objects.filter(export_part=export_part, excluded=False).values_list("space_id", flat=True)
    )


@pytest.mark.usefixtures("db")
def test_two_deletions_leave_one_replacement_without_both(alice: User) -> None:
    one, two, remaining = make_shared(alice)
    export_part = only_part(alice)
    for space in (one, two):
        make_due(space)

    assert set(purge_all([one.pk, two.pk])) == {one.pk, two.pk}

    export_part.refresh_from_db()
    assert (export_part.state, store().listing(keys.export_part(export_part.pk)).versions) == ("failed", ())
    assert ExportPart.objects.count() == 2
    assert inside(only_part(alice)) == {remaining.pk}
    for space in (one, two):
        assert keys.export_part(export_part.pk) in {
            o["key"] for o in event_detail(space, "deletion.inventoried")["objects"]
        }
        assert keys.export_part(export_part.pk) in DeletionCertificate.objects.get(pk=space.pk).document


@pytest.mark.usefixtures("db")
def test_an_undeletable_export_part_blocks_only_its_own_spaces(alice: User, bob: User) -> None:
    shared, alone = make_shared(alice), make_row(bob)
    make_contents(alone)
    key = keys.export_part(only_part(alice).pk)
    for space in (shared[0], alone):
        make_due(space)
    error = f"<Error><Key>{key}</Key><Code>AccessDenied</Code><Message>No.</Message></Error>".encode()
    denies = Fault(DELETE, changed=lambda body: re.sub(rb"(<DeleteResult[^>]*>)", rb"\1" + error, body))

    with Proxy(settings.S3_ENDPOINT_URL, denies) as proxy, override_store(endpoint_url=proxy.url):
        gone = purge_all([shared[0].pk, alone.pk])

    assert gone == [alone.pk]
    assert reload_space(shared[0]).problem == make_problem(
        "storage.not_deleted", count=1, keys=[f"{key} (AccessDenied)"]
    )
    update_space(shared[0], retry_at=None)
    assert purge_all([shared[0].pk]) == [shared[0].pk]


@pytest.mark.usefixtures("db")
def test_the_query_count_does_not_grow_with_the_spaces(alice: User, bob: User) -> None:
    def statements(host: User, count: int) -> int:
        spaces = make_shared(host, count)
        for space in spaces:
            make_due(space)
        with CaptureQueriesContext(connection) as queries:
            assert len(purge_all([space.pk for space in spaces])) == count
        return len(queries)

    assert statements(alice, 2) == statements(bob, 7)


@pytest.mark.usefixtures("committed")
def test_concurrent_deletions_leave_a_replacement_without_both(alice: User) -> None:
    one, two, remaining = make_shared(alice)
    for space in (one, two):
        make_due(space)

    assert commit_first(lambda: begin(one.pk), lambda: begin(two.pk)).result(timeout=PATIENCE) is True

    assert inside(only_part(alice)) == {remaining.pk}
    assert ExportPart.objects.filter(state__in=ExportPart.LIVE).count() == 1


@pytest.mark.usefixtures("committed")
def test_a_deletion_races_a_new_export(alice: User) -> None:
    one, *remaining = make_shared(alice)
    make_due(one)

    commit_first(lambda: begin(one.pk), lambda: request(alice, LARGE)).result(timeout=PATIENCE)

    assert inside(only_part(alice)) == {space.pk for space in remaining}
    assert ExportPart.objects.filter(state__in=ExportPart.LIVE).count() == 1
