"""An interrupted ingest loses nothing, and running the same command resumes it."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from archive import dbtime
from archive.errors import Refused, StoreUnavailable
from archive.intake.ingest import ingest
from archive.intake.request import Request
from archive.models import Recording, Space
from archive.storage import keys, store
from tests.support.audio_files import make_silence
from tests.support.errors import raises_error
from tests.support.object_stores import UNREACHABLE, override_store


def test_an_unavailable_store_is_retried(talk: Callable[..., Request]) -> None:
    with override_store(**UNREACHABLE), pytest.raises(StoreUnavailable):
        ingest(talk())
    waiting = Space.objects.get()
    assert waiting.state == "receiving"

    Space.objects.update(lease_until=None)  # or a few minutes later
    done = ingest(talk())

    assert (done.space.pk, done.space.state) == (waiting.pk, "available")


class Killed(BaseException):
    """Stands for SIGKILL, which could not be caught."""


def test_a_killed_ingest_is_resumed(talk: Callable[..., Request]) -> None:
    def kill(what: str, done: float, total: float) -> None:
        if what == "storing":
            raise Killed

    with pytest.raises(Killed):
        ingest(talk(), kill)
    space = Space.objects.get()
    store().client.create_multipart_upload(Bucket=store().bucket, Key=keys.recording(space.pk, 1, "m4a"))
    Space.objects.update(lease_until=dbtime.now() + timedelta(seconds=60))
    with raises_error(Refused, "intake.at_work"):
        ingest(talk())
    Space.objects.update(lease_until=dbtime.now())

    done = ingest(talk())

    assert (done.space.pk, done.space.state) == (space.pk, "available")
    listing = store().listing(keys.prefix(space.pk))
    assert {version.key.split("/", 2)[2] for version in listing.versions} == {"derived/peaks.json", "recording/1.m4a"}
    assert listing.uploads == ()


def test_a_file_that_changes_meanwhile_is_refused(talk: Callable[..., Request], tmp_path: Path) -> None:
    path = make_silence(tmp_path / "growing.wav", seconds=200, rate=48000)  # 18 MiB: two parts

    def grow(what: str, done: float, total: float) -> None:
        if what == "storing" and done == 16 * 1024**2:
            with path.open("ab") as file:
                file.write(b"more")

    with raises_error(Refused, "intake.file_growing", file="growing.wav"):
        ingest(talk(recording=path), grow)

    space = Space.objects.get()
    assert space.state == "receiving"
    assert not store().listing(keys.prefix(space.pk))
    assert not Recording.objects.exists()
