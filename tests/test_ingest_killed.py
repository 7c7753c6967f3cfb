"""`manage.py ingest` is killed and run again: the result is one complete Space."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from archive import dbtime
from archive.models import Space
from archive.storage import keys, store
from embedded.process import Process
from tests.support.audio_files import make_noise
from tests.support.leases import expire_leases
from tests.support.paused_at import PausedAt
from tests.support.processes import ROOT, Services, manage
from tests.support.proxy import PausingProxy
from tests.support.waiting import dispatch_until, wait_until

PART_2 = r"PUT /spacekeep/spaces/[^/]+/recording/1\.wav\?.*partNumber=2"


@pytest.mark.long
@pytest.mark.usefixtures("committed", "alice")
def test_killed_before_the_row_is_written(services: Services, demo_recording: Path) -> None:
    command = ingest_command(demo_recording)
    before = store().listing("spaces/")
    with PausedAt("space.registered") as pause:
        process = start(services, command)
        pause.wait()
        process.kill()
    assert not Space.objects.exists()
    assert store().listing("spaces/") == before

    again = manage(services, *command)

    assert_whole(Space.objects.get(), again.stdout)


@pytest.mark.usefixtures("committed", "alice")
def test_killed_between_the_object_and_its_row(services: Services, demo_recording: Path) -> None:
    command = ingest_command(demo_recording)
    with PausedAt("space.received") as pause:
        process = start(services, command)
        pause.wait()
        process.kill()
    space = Space.objects.get()
    assert (space.state, space.recordings.count()) == ("receiving", 0)

    again = call_again(services, command)

    assert_whole(space, again)


@pytest.mark.long
@pytest.mark.usefixtures("committed", "alice")
def test_killed_while_parts_are_uploaded(services: Services, tmp_path: Path) -> None:
    command = ingest_command(make_noise(tmp_path / "long.wav", megabytes=20))
    with PausingProxy(os.environ["S3_ENDPOINT_URL"], PART_2) as gate:
        process = start(services, command, S3_ENDPOINT_URL=gate.url)
        wait_until(gate.reached, "the second part is being sent")
        process.kill()
    space = Space.objects.get()
    left = store().listing(keys.prefix(space.id))
    assert (len(left.versions), len(left.uploads)) == (0, 1)

    again = call_again(services, command)

    assert_whole(space, again)


@pytest.mark.long
@pytest.mark.usefixtures("committed", "alice")
def test_killed_before_it_is_available_a_worker_finishes_it(services: Services, demo_recording: Path) -> None:
    command = ingest_command(demo_recording)
    with PausedAt("space.available") as pause:
        process = start(services, command)
        pause.wait()
        process.kill()
    space = Space.objects.get()
    assert space.state == "processing"

    again = manage(services, *command)
    expire_leases()
    services.worker()
    dispatch_until(lambda: Space.objects.get().state == "available", "the worker finishes it")

    assert "in the archive already" in again.stderr
    assert_whole(space, again.stdout)


def ingest_command(recording: Path) -> list[str]:
    ended_at = dbtime.now() - timedelta(days=2)
    return ["ingest", str(recording), "--host", "alice", "--ended-at", ended_at.isoformat()]


def start(services: Services, command: list[str], **env: str) -> Process:
    return services.start("ingest", str(ROOT / "manage.py"), *command, **env)


def call_again(services: Services, command: list[str]) -> str:
    """Run the command again as its message says: once the lease of the killed process has expired."""
    assert Space.objects.get().lease_until is not None
    first = manage(services, *command, ok=False)
    assert (first.returncode, "Try again in a few minutes" in first.stderr) == (1, True)
    expire_leases()
    return manage(services, *command).stdout


def assert_whole(space: Space, printed: str) -> None:
    space.refresh_from_db()
    (recording,) = space.recordings.all()
    listing = store().listing(keys.prefix(space.id))
    assert printed.strip() == str(space.id)
    assert space.state == "available"
    assert {(v.key, v.size) for v in listing.versions} == {(o.key, o.size) for o in (recording, space.derived.get())}
    assert listing.uploads == ()
