"""An export packs all Spaces of a host into parts. Each part opens alone, fits the chosen size, and is revoked at its
first deadline."""

import io
import zipfile
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import bagit
import pytest

from archive import dbtime
from archive.bundles import exports
from archive.bundles.exports import SizedSpace, build, newest, packed, request
from archive.bundles.maintain import clear_storage
from archive.errors import Refused, make_problem
from archive.models import Export, ExportPart, LogEntry, Space, User
from archive.retention.purge import begin, purge
from archive.storage import keys, store
from tests.support.deadlines import make_due
from tests.support.errors import raises_error
from tests.support.factory import make_noise, make_row

GB = 10**9
SMALL = Export.Size.SMALL


@pytest.fixture
def three(db: None, alice: User) -> list[Space]:
    """Three Spaces with successive deadlines; the first two have the same title and day."""
    ended = dbtime.now() - timedelta(days=10)
    return [
        make_noise(alice, megabytes=megabytes, title=title, ended_at=ended + timedelta(minutes=minutes))
        for megabytes, title, minutes in ((7, "Seeds", 0), (6, "SEEDS", 1), (1, "Beans", 2))
    ]


def only_part(host: User) -> ExportPart:
    export = newest(host)
    assert export is not None
    return exports.visible_parts(export)[0]


def open_zip(export_part: ExportPart) -> zipfile.ZipFile:
    export_part.refresh_from_db()
    assert export_part.size is not None
    return zipfile.ZipFile(io.BytesIO(store().read(export_part.key, 0, export_part.size, export_part.etag)))


def made(host: User) -> ExportPart:
    request(host, SMALL)
    export_part = only_part(host)
    assert build(export_part.pk)
    return export_part


@pytest.mark.parametrize(
    ("sizes", "most", "expected"),
    [
        ([1, 1], 2, [[1, 1]]),
        ([1, 2], 2, [[1], [2]]),
        ([2, 1, 1], 2, [[2], [1, 1]]),
        ([1, 3, 1], 2, [[1], [3], [1]]),
        ([5], 2, [[5]]),
        ([], 2, []),
    ],
)
def test_packing_keeps_the_order_and_the_limit(sizes: list[int], most: int, expected: list[list[int]]) -> None:
    space = uuid4()

    groups = packed([SizedSpace(space, size) for size in sizes], most)

    assert [[share.size for share in export_part] for export_part in groups] == expected


def test_a_part_has_at_most_500_spaces() -> None:
    groups = packed([SizedSpace(uuid4(), 1)] * 1001, 2 * GB)

    assert [len(export_part) for export_part in groups] == [500, 500, 1]


def test_a_part_has_a_bag_of_each_space_and_an_index(three: list[Space], alice: User, tmp_path: Path) -> None:
    export_part = made(alice)

    day = f"{three[0].ended_at:%Y-%m-%d}"
    with open_zip(export_part) as zip_file:
        assert zip_file.testzip() is None
        assert zip_file.namelist()[0] == "index.html"
        folders = list(dict.fromkeys(name.split("/")[0] for name in zip_file.namelist()[1:]))
        assert folders == [f"Seeds-{day}", f"SEEDS-{day} (2)", f"Beans-{day}"]
        page = zip_file.read("index.html").decode()
        zip_file.extractall(tmp_path)
    assert f'href="SEEDS-{day}%20%282%29/data/index.html"' in page
    for folder in folders:
        assert bagit.Bag(str(tmp_path / folder)).is_valid()
    assert export_part.name == f"spaces-{day}-1-of-1.zip"


def test_a_repeated_export_is_one_and_another_size_revokes_it(three: list[Space], alice: User) -> None:
    export_part = made(alice)
    assert request(alice, SMALL) == newest(alice)
    assert Export.objects.count() == 1

    larger = request(alice, Export.Size.LARGE)

    export_part.refresh_from_db()
    assert (export_part.state, larger.parts.get().state) == ("removed", "requested")
    assert clear_storage(ExportPart, export_part.pk)
    assert not store().listing(keys.export_part(export_part.pk))


def test_no_export_without_downloadable_spaces(db: None, alice: User) -> None:
    make_row(alice, state="receiving")
    make_row(alice)  # it has no recording

    with raises_error(Refused, "export.nothing"):
        request(alice, SMALL)


def test_a_part_is_revoked_and_replaced_at_its_first_deadline(three: list[Space], alice: User) -> None:
    export_part = made(alice)
    make_due(three[0])

    assert purge(three[0].pk)

    export_part.refresh_from_db()
    assert export_part.state == "removed"
    assert not store().listing(keys.export_part(export_part.pk))
    successor = only_part(alice)
    assert (successor.number, successor.state, successor.fetched_at) == (1, "requested", export_part.ready_at)
    assert build(successor.pk)
    day = f"{three[0].ended_at:%Y-%m-%d}"
    with open_zip(successor) as zip_file:
        assert {name.split("/")[0] for name in zip_file.namelist()} == {"index.html", f"SEEDS-{day}", f"Beans-{day}"}
        page = zip_file.read("index.html").decode()
    assert "Deleted in the meantime" in page
    assert "Seeds</a>" not in page
    entry = LogEntry.objects.get(event="export_part.removed")
    assert entry.detail == {"export_part": str(export_part.pk), "why": "space-deadline"}


def test_the_deletion_removes_the_upload_of_a_killed_builder(three: list[Space], alice: User) -> None:
    request(alice, SMALL)
    export_part = only_part(alice)
    key = keys.export_part(export_part.pk)
    store().client.create_multipart_upload(Bucket=store().bucket, Key=key)  # the worker died at this point
    ExportPart.objects.update(state="building")
    make_due(three[0])

    assert purge(three[0].pk)

    assert not store().listing(key)
    export_part.refresh_from_db()
    assert (export_part.state, export_part.problem) == ("failed", make_problem("export.space_expired"))


def test_a_stale_builder_cannot_finish(three: list[Space], alice: User) -> None:
    request(alice, SMALL)
    export_part = only_part(alice)
    assert store().capabilities.copies_parts
    seen: list[bool] = []

    def while_composing(**kwargs: object) -> None:
        make_due(three[0])
        seen.append(begin(three[0].pk))

    events = store().client.meta.events
    events.register("before-call.s3.CompleteMultipartUpload", while_composing)
    try:
        assert not build(export_part.pk)
    finally:
        events.unregister("before-call.s3.CompleteMultipartUpload", while_composing)

    assert seen == [True]
    export_part.refresh_from_db()
    assert export_part.state == "failed"
    assert purge(three[0].pk)
    assert not store().listing(keys.export_part(export_part.pk))


def test_no_replacement_after_the_last_space(three: list[Space], alice: User) -> None:
    export_part = made(alice)
    for space in three:
        make_due(space)
        assert purge(space.pk)

    last = only_part(alice)
    assert last.pk != export_part.pk
    assert not build(last.pk)
    last.refresh_from_db()
    assert (last.state, last.problem) == ("failed", make_problem("export.all_expired"))
    for one in ExportPart.objects.all():
        assert not store().listing(keys.export_part(one.pk))
