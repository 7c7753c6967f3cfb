"""The number of queries of a download grows neither with the number of export parts nor with the Spaces in them."""

from io import BytesIO

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from archive import dbtime
from archive.bundles import exports
from archive.models import Export, ExportPart, LogEntry, Recording, User
from archive.recorders import create_token
from archive.storage import keys, store, write
from portal.downloads import download_path
from tests.support.api_client import ApiClient
from tests.support.factory import make_contents, make_row
from tests.support.http_clients import make_client

pytestmark = pytest.mark.usefixtures("db")
SMALLEST, _, LARGEST = Export.Size.values


def make_export(host: User, *, spaces: int, a_part_each: bool = False) -> list[ExportPart]:
    """Create an export with ready parts that contains `spaces` more Spaces than the one before."""
    for _ in range(spaces):
        make_contents(make_row(host))
    if a_part_each:
        Recording.objects.update(size=SMALLEST + 1)  # too large to share a part with another one
    parts = exports.visible_parts(exports.request(host, SMALLEST if a_part_each else LARGEST))
    for part in parts:
        stored = write(store(), keys.export_part(part.pk), BytesIO(b"zip"), "application/zip", check=lambda: None)
        ready = {"state": ExportPart.State.READY, "name": "a.zip", "ready_at": dbtime.now()}
        ExportPart.objects.filter(pk=part.pk).update(key=stored.key, size=stored.size, etag=stored.etag, **ready)
        part.refresh_from_db()
    return parts


def count_queries(client: Client, url: str, status: int = 200, **headers: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url, headers=headers).status_code == status
    return len(queries)


def test_the_export_page_with_one_or_many_parts(alice: User) -> None:
    counts = []
    for spaces in (1, 5):
        parts = make_export(alice, spaces=spaces, a_part_each=True)
        page = count_queries(make_client(alice), "/export/")
        polled = count_queries(make_client(alice), "/export/", HX_Request="true")
        counts.append((page, polled))

    assert len(parts) == 6
    assert counts[0] == counts[1]


def test_the_export_page_with_one_or_many_spaces_in_a_part(alice: User) -> None:
    counts = []
    for spaces in (1, 5):
        parts = make_export(alice, spaces=spaces)
        counts.append(count_queries(make_client(alice), "/export/"))

    assert len(parts) == 1
    assert counts[0] == counts[1]


@pytest.mark.parametrize("who", ["host", "recorder"])
def test_downloading_a_part_with_one_or_many_spaces(alice: User, admin: User, who: str) -> None:
    by = alice if who == "host" else create_token("studio", 30, admin, [alice], ["bundles"])[0]
    counts = []
    for spaces in (1, 5):
        [part] = make_export(alice, spaces=spaces)
        counts.append(count_queries(make_client(), download_path(part, by), 302))

    assert counts[0] == counts[1]
    assert LogEntry.objects.filter(event="content.downloaded").count() == 6  # one entry for each Space in this hour


def test_the_api_with_one_or_many_parts(alice: User) -> None:
    counts = []
    for spaces in (1, 5):
        make_export(alice, spaces=spaces, a_part_each=True)
        export = exports.newest(alice)
        assert export is not None
        with CaptureQueriesContext(connection) as queries:
            response = ApiClient(user=alice).get(f"/exports/{export.pk}")
        assert len(response.json["parts"]) == (1 if spaces == 1 else 6)
        counts.append(len(queries))

    assert counts[0] == counts[1]
