"""Export parts are compared with their rows like all other objects."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from archive.errors import make_problem
from archive.models import Export, ExportPart, LogEntry, User
from archive.retention.reconcile import Findings, reconcile
from archive.storage import keys, store

pytestmark = pytest.mark.usefixtures("db", "empty_bucket")
READY: dict[str, Any] = {
    "state": "ready",
    "size": 3,
    "etag": '"e"',
    "name": "a.zip",
    "ready_at": datetime(2026, 11, 1, tzinfo=UTC),
}
OVER = {"state": "failed", "problem": make_problem("export.space_expired")}


@pytest.fixture
def make_part(alice: User) -> Callable[..., ExportPart]:
    export = Export.objects.create(host=alice, max_part_size=2 * 10**9)

    def make(**fields: Any) -> ExportPart:
        export_part = ExportPart(export=export, number=1, **fields)
        export_part.key = keys.export_part(export_part.pk) if export_part.state == "ready" else ""
        export_part.save()
        return export_part

    return make


def put(export_part_id: UUID) -> str:
    store().client.put_object(Bucket=store().bucket, Key=keys.export_part(export_part_id), Body=b"ZIP")
    return keys.export_part(export_part_id)


def again() -> Findings:
    return reconcile(apply=True, age=timedelta(0))


@pytest.mark.parametrize("fields", [READY, {"state": "building"}, OVER], ids=["ready", "building", "not cleared"])
def test_known_parts_are_left_alone(make_part: Callable[..., ExportPart], fields: dict[str, Any]) -> None:
    put(make_part(**fields).pk)

    assert [again(), again()] == [Findings(), Findings()]


def test_a_reappeared_part_is_removed_at_the_second_sighting(make_part: Callable[..., ExportPart]) -> None:
    stray, nobodys = put(make_part(**OVER, storage_cleared=True).pk), put(uuid4())

    first = again()
    assert (sorted(first.orphans), first.removed, first.unknown) == (sorted([stray, nobodys]), [], [])
    assert sorted(again().removed) == sorted([stray, nobodys])

    assert not store().listing("exports/")
    assert set(LogEntry.objects.values_list("event", "space_id")) == {
        ("reconcile.orphan_found", None),
        ("reconcile.orphan_removed", None),
    }


def test_a_missing_ready_part_is_an_alert(make_part: Callable[..., ExportPart]) -> None:
    export_part = make_part(**READY)

    assert [again().ghosts, again().ghosts] == [[export_part.key], [export_part.key]]
    entry = LogEntry.objects.get()
    assert (entry.event, entry.space_id, entry.detail) == ("object.missing", None, {"key": export_part.key})


def test_the_upload_of_a_part_in_progress_stays_open(make_part: Callable[..., ExportPart]) -> None:
    export_part = make_part(state="building")
    for key in (keys.export_part(export_part.pk), keys.export_part(UUID(int=1))):
        store().client.create_multipart_upload(Bucket=store().bucket, Key=key)
    ((_, upload_id),) = store().uploads(keys.export_part(export_part.pk))
    ExportPart.objects.update(upload_id=upload_id)

    assert again().ended == [keys.export_part(UUID(int=1))]
    assert store().uploads("exports/") == ((keys.export_part(export_part.pk), upload_id),)
