"""If a worker is killed while it examines an upload, nothing stays stuck, duplicated or incomplete."""

from pathlib import Path

import pytest

from archive.models import Space, User
from archive.storage import keys, store
from archive.tasks import dispatch
from tests.support.factory import make_row, make_space
from tests.support.leases import expire_leases
from tests.support.log_entries import events
from tests.support.paused_at import PausedAt
from tests.support.processes import Services
from tests.support.uploads import store_upload
from tests.support.waiting import dispatch_until

VTT = "WEBVTT\n\n00:00.000 --> 00:01.000\n<v Nora>Runner beans.\n"


@pytest.mark.usefixtures("committed")
def test_killed_at_every_commit(services: Services, alice: User, bob: User, tone: Path, tmp_path: Path) -> None:
    accepted, refused = make_row(alice, state="processing", title="Kept"), make_row(bob, state="processing")
    store_upload(accepted, tone)
    (tmp_path / "notes.m4a").write_text("What we talked about.\n")
    store_upload(refused, tmp_path / "notes.m4a")
    read = make_space(alice, recording=tone, transcript=None)
    (tmp_path / "words.vtt").write_text(VTT)
    upload = store_upload(read, tmp_path / "words.vtt", "transcript")

    with (
        PausedAt("upload.accepted", accepted.pk) as taking,
        PausedAt("space.rejected", refused.pk) as rejecting,
        PausedAt("transcript.added", read.pk) as keeping,
    ):
        worker = services.worker(concurrency=4)
        dispatch()
        for pause in (taking, rejecting, keeping):
            pause.wait()
        worker.kill()
    expire_leases()
    services.worker()

    def settled() -> bool:
        states = set(Space.objects.filter(pk__in=[accepted.pk, refused.pk]).values_list("state", flat=True))
        upload.refresh_from_db()
        return states == {"available", "rejected"} and upload.state == "accepted"

    dispatch_until(settled, "everything is settled after the restart")
    assert events(accepted) == ["upload.accepted", "space.available"]
    assert accepted.recordings.count() == 1
    assert {v.key for v in store().listing(keys.prefix(accepted.pk)).versions} == {
        f"spaces/{accepted.pk}/recording/1.bin",
        f"spaces/{accepted.pk}/derived/peaks.json",
    }
    assert events(refused) == ["upload.rejected", "space.rejected"]
    assert not store().listing(keys.prefix(refused.pk))
    assert [(t.number, t.cues[0]["text"]) for t in read.transcripts.all()] == [(1, "Runner beans.")]
    assert events(read)[-2:] == ["transcript.added", "upload.accepted"]


@pytest.mark.long
@pytest.mark.usefixtures("committed")
def test_a_killed_worker_leaves_no_file_on_disk(services: Services, alice: User, tone: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    space = make_row(alice, state="processing")
    store_upload(space, tone)

    with PausedAt("upload.accepted", space.pk) as taking:  # the file was downloaded, and is still open
        worker = services.worker(SPOOL_DIR=str(disk))
        dispatch()
        taking.wait()
        worker.kill()

    assert list(disk.rglob("*")) == []
