"""The whole life of a Space with commands: ingest, bundle, deadline, deletion."""

import zipfile
from datetime import timedelta
from pathlib import Path

import bagit
import pytest

from archive import dbtime
from archive.models import Bundle, LogEntry, Space, User
from archive.storage import keys, store
from tests.support.deadlines import move_deadline
from tests.support.processes import Services, manage
from tests.support.waiting import wait_until


@pytest.mark.usefixtures("committed")
def test_from_ingest_to_deletion(services: Services, alice: User, demo_recording: Path, demo_transcript: Path) -> None:
    tmp = services.folder
    ended_at = dbtime.now() - timedelta(days=29)

    output = manage(
        services,
        *("ingest", str(demo_recording), "--host", "alice", "--ended-at", ended_at.isoformat()),
        *("--transcript", str(demo_transcript), "--language", "en", "--title", "Seeds"),
    )
    space = Space.objects.get(pk=output.stdout.strip())
    manage(services, "bundle", str(space.pk), "--out", str(tmp / "bundle.zip"))

    with zipfile.ZipFile(tmp / "bundle.zip") as bundle:
        assert bundle.testzip() is None
        bundle.extractall(tmp / "bag")
    (folder,) = (tmp / "bag").iterdir()
    assert bagit.Bag(str(folder)).is_valid()
    assert (folder / "data" / "recording.m4a").read_bytes() == demo_recording.read_bytes()

    services.worker()
    services.beat()
    assert Bundle.objects.get().verified_by == "store"
    deadline = move_deadline(space, 3)
    wait_until(lambda: Space.objects.get(pk=space.pk).state == "deleted", "the worker deletes it")

    assert not store().listing(keys.prefix(space.pk))
    assert list(LogEntry.objects.filter(space_id=space.pk).order_by("id").values_list("event", flat=True)) == [
        "space.registered",
        "space.received",
        "transcript.added",
        "space.available",
        "bundle.requested",
        "bundle.started",
        "bundle.ready",
        "bundle.verified",
        "content.downloaded",
        "deletion.started",
        "bundle.removed",
        "deletion.inventoried",
        "space.deleted",
    ]
    last = LogEntry.objects.filter(space_id=space.pk).latest("id")
    assert {row["key"].split("/", 2)[2].split("/")[0] for row in last.detail["removed"]} == {
        "recording",
        "transcript",
        "bundles",
        "derived",
    }
    assert last.at >= deadline
