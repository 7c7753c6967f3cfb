"""A worker that lost its lease while it slept, at whatever step, changes nothing in the store: the work of its
successor stays (docs/decisions/0002-leases-and-fences.md has a line for each kind of work)."""

import ast
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from archive import recorders, tasks
from archive.bundles import build as bundles
from archive.bundles import exports
from archive.errors import LeaseLost, ObjectMissing, StoreUnavailable, UploadGone
from archive.intake import publish
from archive.intake.arrivals import sources
from archive.intake.arrivals.sources import StoreSource
from archive.intake.transcription import transcribe
from archive.intake.transcripts import import_upload
from archive.intake.uploads import sessions
from archive.log import SYSTEM
from archive.models import Arrival, Export, LogCheckpoint, RecorderToken, Space, Transcription, User
from archive.storage import Store, keys, store, write
from archive.storage.multipart import Upload, abort_at, begin
from archive.storage.purge_prefix import purge_listing
from archive.transparency import sequence
from tests.support import speech_samples
from tests.support.arrivals import run_until_idle
from tests.support.factory import make_contents, make_row
from tests.support.inboxes import FolderInbox, Inbox, StoreInbox
from tests.support.late_writer import Sleeper, sleeping_after, sleeping_before
from tests.support.leases import end_pauses
from tests.support.uploads import store_upload

pytestmark = pytest.mark.usefixtures("db", "bucket")

ARCHIVE = Path(__file__).parents[1] / "archive"


@dataclass(frozen=True)
class Job:
    """`run` is one attempt of a worker, which writes to `place` in the store."""

    run: Callable[[], object]
    place: str
    is_done: Callable[[], bool]


def examine(alice: User, tone: Path) -> Job:
    space = make_row(alice, state="processing")
    store_upload(space, tone)
    return Job(lambda: publish.finish(space.pk), keys.prefix(space.pk), lambda: is_in(space, "available"))


def import_transcript(alice: User, tone: Path) -> Job:
    space = make_row(alice)
    make_contents(space)
    path = tone.with_name("late.vtt")
    path.write_text("WEBVTT\n\n00:00.000 --> 00:01.000\nRunner beans.\n")
    upload = store_upload(space, path, "transcript", language="en")

    def is_done() -> bool:
        upload.refresh_from_db()
        return upload.state == "accepted" and space.transcripts.count() == 2

    return Job(lambda: import_upload.read(upload.pk), keys.prefix(space.pk), is_done)


def transcribe_speech(alice: User, tone: Path) -> Job:
    space = make_row(alice)
    make_contents(space)
    space.transcripts.all().delete()
    cues = [{"start_ms": 0, "end_ms": 900, "speaker": "", "text": "Runner beans."}]
    work = Transcription.objects.create(space=space, state="running", language="en", cues=cues, done_ms=9, total_ms=9)
    space.recordings.update(duration_ms=9)
    return Job(lambda: transcribe.transcribe(work.pk), keys.prefix(space.pk), lambda: space.transcripts.count() == 1)


def build_bundle(alice: User, tone: Path) -> Job:
    space = make_row(alice)
    make_contents(space)
    space.bundles.all().delete()
    bundle = bundles.request(space.pk, SYSTEM)

    def is_done() -> bool:
        bundle.refresh_from_db()
        return bundle.state == "ready"

    return Job(lambda: bundles.build(bundle.pk), keys.prefix(space.pk), is_done)


def build_export_part(alice: User, tone: Path) -> Job:
    make_contents(make_row(alice))
    part = exports.request(alice, Export.Size.SMALL).parts.get()

    def is_done() -> bool:
        part.refresh_from_db()
        return part.state == "ready"

    return Job(lambda: exports.build(part.pk), keys.export_part(part.pk), is_done)


def sign_checkpoint(alice: User, tone: Path) -> Job:
    make_row(alice)
    return Job(sequence.run, keys.log_object("checkpoint"), LogCheckpoint.objects.exists)


RESUMED = [build_bundle, build_export_part]  # the successor completes the very upload, and a store may say so twice
JOBS = [examine, import_transcript, transcribe_speech, build_bundle, build_export_part, sign_checkpoint]


def is_in(space: Space, state: str) -> bool:
    space.refresh_from_db()
    return space.state == state


def stored(place: str) -> list[tuple[str, str, str]]:
    """Return (key, ETag, time of the write) of each object."""
    found = store().client.list_objects_v2(Bucket=store().bucket, Prefix=place)
    return [(one["Key"], one["ETag"], one["LastModified"].isoformat()) for one in found.get("Contents", [])]


@pytest.fixture
def no_checkpoint(bucket: object) -> Iterator[None]:
    """Remove checkpoints of other tests' logs before, and of this test's log afterwards: an unknown checkpoint looks
    like a restored database."""
    purge_listing(store(), store().listing(keys.LOG))
    yield
    purge_listing(store(), store().listing(keys.LOG))


@pytest.mark.usefixtures("no_checkpoint")
@pytest.mark.parametrize("step", ["begin", "complete"])
@pytest.mark.parametrize("make", JOBS, ids=lambda make: make.__name__)
def test_a_late_write_changes_nothing(make: Any, step: str, alice: User, tone: Path, settings: Any) -> None:
    settings.TRANSCRIPTION_MODEL = speech_samples.MODEL
    job = make(alice, tone)
    written: list[tuple[str, str, str]] = []

    def succeed() -> None:
        job.run()
        assert job.is_done()
        written[:] = stored(job.place)
        assert written

    # Sleep right before the request: the worker's own checks have passed, so the store must refuse it.
    owner, name = (store().client, "create_multipart_upload") if step == "begin" else (Upload, "complete")
    with sleeping_before(owner, name, succeed) as sleeper:
        job.run()

    assert sleeper.slept
    if step == "complete" and make not in RESUMED:
        assert isinstance(sleeper.error, UploadGone)
    assert stored(job.place) == written
    assert not store().uploads(job.place)
    assert job.is_done()


@pytest.fixture
def token(alice: User, admin: User) -> RecorderToken:
    return recorders.create_token("studio", 30, admin, [alice])[0]


@pytest.fixture(params=["folder", "store"])
def inbox(request: pytest.FixtureRequest, token: RecorderToken, settings: Any, tmp_path: Path) -> Inbox:
    if request.param == "folder":
        settings.INBOX_FOLDER = str(tmp_path / "inbox")
        return FolderInbox(tmp_path / "inbox" / token.prefix)
    settings.INBOX_IN_STORE = True
    purge_listing(store(), store().listing(keys.INBOX))
    return StoreInbox(token.prefix)


def take(inbox: Inbox, recording: bytes | Path, **facts: Any) -> None:
    inbox.drop("talk.m4a", recording, **facts)
    scan()
    run_until_idle()


def scan() -> None:
    for _ in range(2):
        tasks.scan_inboxes()
        end_pauses()


OUTCOME_STEPS: dict[str, list[tuple[Any, str]]] = {
    "folder": [(os, "replace"), (os, "fsync"), (sources, "fresh_name")],
    "store": [(Upload, "complete"), (Upload, "put"), (StoreSource, "write_outcome")],
}


@pytest.mark.parametrize("number", [0, 2, pytest.param(1, marks=pytest.mark.long)])
def test_a_late_outcome_replaces_none_of_a_later_recording(inbox: Inbox, tone: Path, number: int) -> None:
    """A worker sleeps before it writes `refused`; meanwhile the recording is corrected and accepted."""

    def correct() -> None:
        run_until_idle()
        assert inbox.outcome("talk.m4a")["outcome"] == "refused"
        take(inbox, tone, title="Corrected")
        assert inbox.outcome("talk.m4a")["outcome"] == "accepted"

    kind = "folder" if isinstance(inbox, FolderInbox) else "store"
    with sleeping_before(*OUTCOME_STEPS[kind][number], correct) as sleeper:
        take(inbox, tone, host="nobody-here")

    assert sleeper.slept
    assert inbox.outcome("talk.m4a")["outcome"] == "accepted"


def test_a_late_removal_leaves_a_later_recording_alone(inbox: Inbox, tone: Path) -> None:
    """A worker checks the recording and sleeps before it removes it. Meanwhile the recorder reuses the name."""
    if isinstance(inbox, FolderInbox):
        remove_late(inbox, tone, lambda succeed: sleeping_after(os, "stat", succeed))
    else:
        remove_late(inbox, tone, lambda succeed: sleeping_before(sources, "_same", succeed))


def test_a_request_to_remove_that_is_late_names_the_recording(token: RecorderToken, tone: Path, settings: Any) -> None:
    """The worker has checked the recording and its lease, and sleeps then: the store decides."""
    settings.INBOX_IN_STORE = True
    purge_listing(store(), store().listing(keys.INBOX))

    remove_late(StoreInbox(token.prefix), tone, lambda succeed: sleeping_before(Store, "delete_same", succeed))


def remove_late(
    inbox: Inbox, tone: Path, sleeping: Callable[[Callable[[], None]], AbstractContextManager[Sleeper]]
) -> None:
    def drop_another() -> None:
        run_until_idle()
        assert inbox.names() == ["talk.m4a.outcome.json"]
        inbox.drop("talk.m4a", b"another recording")

    inbox.drop("talk.m4a", tone)
    scan()
    arrival = Arrival.objects.get()
    while arrival.state != "accepted":
        tasks.take_arrival(str(arrival.pk))
        tasks.publish_space(str(Space.objects.get().pk))
        arrival.refresh_from_db()
    with sleeping(drop_another) as sleeper:
        tasks.settle_arrival(str(arrival.pk))

    assert sleeper.slept
    assert inbox.names() == ["talk.m4a", "talk.m4a.json", "talk.m4a.outcome.json"]
    assert inbox.get("talk.m4a") == b"another recording"


def test_a_refused_arrival_gets_no_upload_from_a_late_worker(token: RecorderToken, tone: Path, settings: Any) -> None:
    settings.INBOX_IN_STORE = True
    purge_listing(store(), store().listing(keys.INBOX))
    inbox = StoreInbox(token.prefix)
    inbox.drop("talk.m4a", tone)
    scan()
    arrival = Arrival.objects.get()

    def refuse() -> None:
        settings.MAX_UPLOAD_BYTES = 1
        tasks.take_arrival(str(arrival.pk))
        arrival.refresh_from_db()
        assert (arrival.state, arrival.problem_code) == ("refused", "upload.too_large")

    with sleeping_before(sessions, "begin", refuse) as sleeper:
        tasks.take_arrival(str(arrival.pk))

    space = Space.objects.get()
    assert sleeper.slept
    assert (space.state, space.uploads.count()) == ("receiving", 0)
    assert not store().listing(keys.prefix(space.pk))


def test_a_write_ends_the_uploads_of_its_key_and_no_others() -> None:
    place = f"tests/{os.urandom(8).hex()}/"
    for key in ("1.wav", "1.wav.part", "2.wav"):
        begin(store(), place + key, "audio/wav")

    abort_at(store(), f"{place}1.wav")

    assert {key for key, _ in store().uploads(place)} == {f"{place}1.wav.part", f"{place}2.wav"}
    purge_listing(store(), store().listing(place))


@pytest.mark.parametrize(("is_mine", "error"), [(True, StoreUnavailable), (False, LeaseLost)])
def test_an_upload_that_somebody_aborted_is_no_missing_object(is_mine: bool, error: type[Exception]) -> None:
    """ObjectMissing would be a permanent error. Whether to retry depends on who aborted the upload."""
    key, aborted = f"tests/{os.urandom(8).hex()}", False

    def check() -> None:
        if aborted and not is_mine:
            raise LeaseLost("work.lease_lost", model="Space", id=1, state="expiring")

    def abort(count: int) -> None:
        nonlocal aborted
        abort_at(store(), key)
        aborted = True

    with pytest.raises(error) as raised:
        write(store(), key, BytesIO(b"x"), "text/plain", check=check, step=abort)

    assert not isinstance(raised.value, ObjectMissing)
    assert not store().listing(key)


# `storage.write` requires a check. These modules use `put` instead, for objects of the log that never change.
PUTS = {"transparency/tile_store.py", "transparency/timestamps.py"}
BEGINS = {"bundles/compose.py", "intake/uploads/sessions.py", "storage/multipart.py"}


def calls(name: str) -> list[tuple[str, ast.Call]]:
    """Return (place, call) of each call of a function with this name in the archive, except in the trials of a
    store."""
    found: list[tuple[str, ast.Call]] = []
    for path in sorted(path for path in ARCHIVE.rglob("*.py") if f"{name}(" in path.read_text()):
        place = path.relative_to(ARCHIVE).as_posix()
        nodes = ast.walk(ast.parse(path.read_text())) if not place.startswith("storage/trials/") else ()
        found += [(place, node) for node in nodes if isinstance(node, ast.Call) and _called(node) == name]
    return found


def _called(call: ast.Call) -> str:
    return str(getattr(call.func, "id", getattr(call.func, "attr", "")))


def test_every_writer_is_known_and_asks_whether_it_may() -> None:
    """A new writer needs a line in the decision, and an entry here."""
    checks = [(place, one.value) for place, call in calls("write") for one in call.keywords if one.arg == "check"]
    assert len(checks) >= 5
    assert [place for place, check in checks if isinstance(check, ast.Lambda)] == []
    begun = {place for place, call in calls("begin") if len(call.args) >= 3}
    assert begun == BEGINS
    assert {place for place, call in calls("put") if len(call.args) == 3 and place not in BEGINS} == PUTS
