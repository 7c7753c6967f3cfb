"""A writer that sleeps while its Space is deleted (a suspended laptop) restores nothing when it wakes up."""

import os
import signal
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection

from archive import dbtime
from archive.models import LogEntry, Recording, Space, User
from archive.retention.purge import purge
from archive.storage import keys, store
from embedded.process import Process
from tests.support import factory
from tests.support.audio_files import make_noise
from tests.support.paused_at import PausedAt
from tests.support.processes import ROOT, Services
from tests.support.proxy import PausingProxy
from tests.support.waiting import wait_until

OPENS_UPLOAD = r"POST /spacekeep/spaces/[^/]+/{folder}/[^/]+\?uploads"
PART_2 = r"PUT /spacekeep/spaces/[^/]+/recording/1\.wav\?.*partNumber=2"


@pytest.mark.usefixtures("committed", "alice")
@pytest.mark.parametrize(
    "stopped_at",
    [
        pytest.param(PART_2, id="between parts"),
        pytest.param(OPENS_UPLOAD.format(folder="recording"), id="before its upload is open", marks=pytest.mark.long),
        pytest.param(OPENS_UPLOAD.format(folder="transcript"), id="before the transcript", marks=pytest.mark.long),
    ],
)
def test_an_ingest_paused_during_its_upload(services: Services, tmp_path: Path, stopped_at: str) -> None:
    recording = make_noise(tmp_path / "long.wav", megabytes=20)
    with PausingProxy(os.environ["S3_ENDPOINT_URL"], stopped_at) as gate:
        writer = ingest(services, recording, S3_ENDPOINT_URL=gate.url)
        wait_until(gate.reached, "the writer reaches that step")
        space = Space.objects.get()
        stop(writer)
        assert deleted(space)
        gate.release()
        output = wake(writer)

    assert output == (f"CommandError: Space {space.id} is deleted now: another worker continued it, or it has ended.\n")
    assert_nothing_came_back(space)


@pytest.mark.usefixtures("committed", "alice")
@pytest.mark.long
def test_an_ingest_paused_in_its_transaction(services: Services, demo_recording: Path) -> None:
    """PostgreSQL ends the transaction of an idle client; otherwise its locks would block the deletion."""
    with PausedAt("space.received") as pause:
        writer = ingest(services, demo_recording, IDLE_TRANSACTION_SECONDS="2")
        pause.wait()
        stop(writer)
        pause.release()
    space = Space.objects.get()
    assert store().listing(keys.prefix(space.id)).versions  # the recording is stored, but its row is not committed
    assert deleted(space)
    output = wake(writer)

    assert output.count("\n") == 1, output
    assert_nothing_came_back(space)


@pytest.mark.usefixtures("committed")
def test_a_build_paused_before_its_upload_is_opened(services: Services, alice: User) -> None:
    """The upload is opened after the purge saw the store empty, but before the purge commits."""
    space = factory.make_space(alice)
    with PausingProxy(os.environ["S3_ENDPOINT_URL"], OPENS_UPLOAD.format(folder="bundles")) as gate:
        writer = bundle(services, space, S3_ENDPOINT_URL=gate.url)
        wait_until(gate.reached, "the writer is about to open its upload")
        with PausedAt("space.deleted") as pause:
            purging = threading.Thread(target=delete_in_thread, args=[space])
            purging.start()
            pause.wait()
            gate.release()
            output = wake(writer)
            pause.release()
            purging.join()

    assert "The deadline came before it was done." in output
    assert_nothing_came_back(space)


@pytest.mark.long
@pytest.mark.usefixtures("committed")
def test_a_build_paused_before_its_row_is_written(services: Services, alice: User) -> None:
    space = factory.make_space(alice)
    with PausedAt("bundle.ready") as pause:
        writer = bundle(services, space, IDLE_TRANSACTION_SECONDS="2")
        pause.wait()
        stop(writer)
        pause.release()
    assert deleted(space)
    output = wake(writer)

    assert output.count("\n") == 1, output
    assert_nothing_came_back(space)


def ingest(services: Services, recording: Path, **env: str) -> Process:
    ended_at = (dbtime.now() - timedelta(days=2)).isoformat()
    command = ("ingest", str(recording), "--host", "alice", "--ended-at", ended_at)
    words = ("--transcript", str(factory.DEMO / "transcript.vtt"), "--language", "en")
    return services.start("ingest", str(ROOT / "manage.py"), *command, *words, **env)


def bundle(services: Services, space: Space, **env: str) -> Process:
    return services.start("bundle", str(ROOT / "manage.py"), "bundle", str(space.id), **env)


def stop(writer: Process) -> None:
    assert writer.pid
    os.kill(writer.pid, signal.SIGSTOP)


def wake(writer: Process) -> str:
    """Let the writer continue. Returns its output; it must fail."""
    assert writer.pid
    os.kill(writer.pid, signal.SIGCONT)
    assert writer.wait(60), "it ends"
    output = writer.log.read_text()
    assert writer.exit_status == 1, output
    return output


def deleted(space: Space) -> bool:
    """Set the deadline into the past, and purge repeatedly, as the dispatcher does, until the Space is deleted."""
    end = dbtime.now() - timedelta(days=31)
    Space.objects.filter(pk=space.pk).update(ended_at=end, expires_at=end + timedelta(days=30))
    wait_until(lambda: purge(space.id), "the Space is deleted")
    return True


def delete_in_thread(space: Space) -> None:
    deleted(space)
    connection.close()


def assert_nothing_came_back(space: Space) -> None:
    time.sleep(0.5)  # for requests that are still on their way
    assert not store().listing(keys.prefix(space.id))
    assert Space.objects.get(pk=space.pk).state == "deleted"
    assert not Recording.objects.filter(space=space).exists()
    assert LogEntry.objects.filter(space_id=space.id).latest("id").event == "space.deleted"
