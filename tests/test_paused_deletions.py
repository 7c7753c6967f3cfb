"""Everything that deletes from the store waits until a restored database is confirmed, or is listed with the reason why
it need not.

The test searches the source for calls that delete objects or abort uploads. Each function with such a call is in one of
the two lists below. The functions of one list are run during the pause and after it.
"""

import ast
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from archive import leases, recorders, restores, tasks
from archive.bundles import maintain
from archive.errors import DeletionPaused, Refused, make_problem
from archive.intake import ingest, publish
from archive.intake.arrivals import inbox_clean_up, settle, take
from archive.intake.transcription import transcribe
from archive.intake.uploads import clean_up
from archive.intake.uploads.sessions import FileSpec, Uploader, open_session
from archive.models import Arrival, Bundle, DatabaseRestore, Space, Transcription, UploadSession, User
from archive.retention import recheck
from archive.retention import reconcile as reconcile_module
from archive.retention.purge import purge
from archive.retention.reconcile import reconcile
from archive.storage import begin, keys, store
from tests.support.deadlines import make_due
from tests.support.factory import make_contents, make_row
from tests.support.leases import expire_leases

pytestmark = pytest.mark.usefixtures("db", "empty_bucket")

SOURCES = Path(restores.__file__).parent
PRIMITIVES = ("storage/s3.py", "storage/purge_prefix.py")
DELETING = {
    *("abort", "delete_objects", "purge_listing", "remove_file", "unlink", "rmtree"),
    *("delete_object", "delete_same", "abort_multipart_upload"),
}
NEED_NOT_WAIT = {
    "bundles/compose.py:_begin": "parts of a package that nobody completed; the recordings that they copy stay",
    "editing/versions.py:_remove": "the object that this call has written, under a random key",
    "intake/uploads/sessions.py:open_session": "the upload that this call has begun",
    "storage/multipart.py:uploading": "the upload that this call has begun",
    "storage/multipart.py:abort_at": "unfinished uploads of workers whose work the caller has taken over; no object",
    **dict.fromkeys(
        (f"storage/locked.py:{name}" for name in ("_keeps", "_bypasses", "_delete_old_rehearsals")), "a test object"
    ),
    "storage/rehearsal.py:try_all": "test objects",
    **dict.fromkeys(
        (
            "storage/trials/attempts.py:open_upload",
            "storage/trials/objects.py:_deletes_many",
            "storage/trials/objects.py:_deletes",
            "storage/trials/uploads.py:_refuses_late_parts",
        ),
        "a test object",
    ),
    "intake/arrivals/sources.py:write_outcome": "the file that this call writes",
    "management/commands/bundle.py:_download": "a file of this command",
    "management/commands/export_log.py:run": "a file of this command",
    "intake/importers/zip_tree.py:_remove_leftovers": "a folder of a process of this machine",
}
Act = Callable[[], object]


class World:
    def __init__(self, host: User, admin: User, settings: Settings) -> None:
        self.host, self.settings = host, settings
        self.token = recorders.create_token("studio", 30, admin, [host])[0]

    def due_space(self) -> Act:
        space = make_row(self.host)
        make_contents(space)
        make_due(space)
        return lambda: purge(space.pk)

    def returned_copy(self) -> Act:
        space = self._deleted()
        put(keys.recording(space.pk, 1, "m4a"))
        return recheck.run_round

    def orphan(self) -> Act:
        put(f"{keys.prefix(make_row(self.host).pk)}recording/9.m4a")
        reconcile(apply=True)
        return lambda: reconcile(apply=True, age=timedelta(0))

    def unknown_upload(self) -> Act:
        begin(store(), f"{keys.prefix(make_row(self.host).pk)}recording/9.m4a", "audio/mp4")
        return lambda: reconcile(apply=True, age=timedelta(0))

    def failed_bundle(self) -> Act:
        bundle = make_contents(make_row(self.host))
        Bundle.objects.filter(pk=bundle.pk).update(
            state="failed", problem=make_problem("bundle.damaged"), ready_at=None, key="", size=None, etag=""
        )
        return lambda: maintain.clear_storage(Bundle, bundle.pk)

    def rejected_recording(self) -> Act:
        problem = make_problem("audio.empty")
        space = make_row(self.host, state="processing", processing_step="rejecting", problem=problem)
        put(keys.recording(space.pk, 1, "m4a"))
        return lambda: publish.finish(space.pk)

    def aborted_upload(self) -> Act:
        session = self._session(state="aborted")
        return lambda: clean_up.clear(session.pk)

    def idle_upload(self) -> Act:
        """The backup is older than the completion of its file."""
        session = self._session(last_activity_at=timezone.now() - timedelta(days=2))
        return lambda: tasks.abandon_upload(str(session.pk))

    def canceled_upload(self) -> Act:
        session = self._session()
        return lambda: clean_up.abort(session, Uploader(user=self.host))

    def refused_arrival(self) -> Act:
        session = self._session(recorder=self.token)
        arrival = self._arrival(state="copying", space=session.space)
        put(f"{arrival.path}.json")

        def refuse() -> None:
            claim = leases.claim(Arrival, arrival.pk, Arrival.AT_WORK)
            assert claim is not None
            take.refuse(claim, Refused("arrival.empty"))
            tasks.abandon_upload(str(session.pk))

        return refuse

    def killed_ingest(self) -> Act:
        space = make_row(self.host, state="receiving", fingerprint="f" * 64)
        begin(store(), keys.recording(space.pk, 1, "m4a"), "audio/mp4")
        return lambda: ingest._abort_earlier_uploads(space)

    def needless_transcript(self) -> Act:
        space = make_row(self.host)
        make_contents(space)  # in the meantime a transcript was uploaded
        cues = [{"start_ms": 0, "end_ms": 900, "speaker": "", "text": "Beans."}]
        row = Transcription.objects.create(space=space, state="running", language="en", cues=cues, total_ms=900)
        put(keys.transcript(space.pk, str(row.pk), "en"))

        def finish() -> None:
            claim = leases.claim(Transcription, row.pk, ["running"])
            assert claim is not None
            transcribe._store(claim)

        return finish

    def accepted_arrival(self) -> Act:
        arrival = self._arrival(state="accepted", space=self._deleted())
        return lambda: settle.settle(arrival.pk)

    def refused_recording(self) -> Act:
        self.settings.INBOX_IN_STORE = True
        self.settings.RETENTION_DAYS = 0
        put(f"{keys.inbox(self.token.prefix)}talk.m4a")
        return inbox_clean_up.clean_up

    def upload_to_an_inbox(self) -> Act:
        self.settings.RETENTION_DAYS = 0
        begin(store(), f"{keys.inbox(self.token.prefix)}talk.m4a", "audio/mp4")
        return inbox_clean_up.clean_up

    def _deleted(self) -> Space:
        space = make_row(self.host)
        make_due(space)
        assert purge(space.pk)
        space.refresh_from_db()
        return space

    def _session(self, **fields: Any) -> UploadSession:
        space = make_row(self.host, state="receiving")
        upload = begin(store(), keys.recording(space.pk, 1, "m4a"), "audio/mp4")
        put(upload.key)
        facts = {"kind": "recording", "name": "talk.m4a", "size": 4, "part_size": 9, "key": upload.key}
        return UploadSession.objects.create(space=space, created_by=self.host, upload_id=upload.id, **facts, **fields)

    def _arrival(self, **fields: Any) -> Arrival:
        key = f"{keys.inbox(self.token.prefix)}talk.m4a"
        put(key)
        etag = store().head(key).etag
        return Arrival.objects.create(
            recorder=self.token, source="inbox", source_id=key, path=key, size=4, etag=etag, **fields
        )


WAITING: dict[str, tuple[Callable[[World], Act], ...]] = {
    "retention/purge.py:_empty": (World.due_space,),
    "retention/recheck.py:_remove": (World.returned_copy,),
    "retention/reconcile.py:_handle_orphan": (World.orphan,),
    "retention/reconcile.py:_compare_uploads": (World.unknown_upload,),
    "bundles/maintain.py:_clear_storage": (World.failed_bundle,),
    "intake/examine.py:refuse": (World.rejected_recording,),
    "intake/uploads/clean_up.py:_clear": (
        *(World.aborted_upload, World.idle_upload, World.canceled_upload, World.refused_arrival),
    ),
    "intake/ingest.py:_abort_earlier_uploads": (World.killed_ingest,),
    "intake/transcription/transcribe.py:_store": (World.needless_transcript,),
    "intake/arrivals/sources.py:remove": (World.accepted_arrival,),
    "intake/arrivals/sources.py:_remove": (World.accepted_arrival,),
    "intake/arrivals/sources.py:remove_file": (World.accepted_arrival, World.refused_recording),  # the same of a folder
    "intake/arrivals/inbox_files.py:remove": (World.refused_recording,),
    "intake/arrivals/inbox_files.py:_remove_same": (World.refused_recording,),
    "intake/arrivals/inbox_clean_up.py:_abort_uploads": (World.upload_to_an_inbox,),
}
TRIALS = sorted({trial for trials in WAITING.values() for trial in trials}, key=lambda trial: trial.__name__)


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.__name__)
def test_nothing_is_deleted_until_the_restore_is_confirmed(
    trial: Callable[[World], Act], alice: User, admin: User, settings: Settings
) -> None:
    act = trial(World(alice, admin, settings))
    before, rows = in_store(), states()
    restores.open_restore("a bucket", 7)

    with suppress(DeletionPaused, Refused):
        act()

    assert (before - in_store(), states()) == (set(), rows)
    DatabaseRestore.objects.all().delete()
    expire_leases()
    with suppress(Refused):
        act()
    assert before - in_store(), "it deletes something"


def test_a_new_upload_does_not_replace_a_recording_that_the_database_lacks(alice: User) -> None:
    space = make_row(alice, state="receiving")
    put(keys.recording(space.pk, 1, "m4a"))
    restores.open_restore("a bucket", 7)

    session = open_session(space.pk, FileSpec(kind="recording", name="talk.m4a", size=4), Uploader(user=alice))

    assert session.key == keys.recording(space.pk, 2, "m4a")


def test_a_database_that_is_replaced_during_a_run(
    alice: User, admin: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    act, known = World(alice, admin, settings).orphan(), reconcile_module._is_unknown
    before = in_store()

    def replace_database(*about: Any) -> bool:
        restores.open_restore("a bucket", 7)
        return known(*about)

    monkeypatch.setattr(reconcile_module, "_is_unknown", replace_database)
    with pytest.raises(DeletionPaused):
        act()

    assert in_store() == before


def test_each_function_that_deletes_is_known() -> None:
    assert set(deleting_functions()) == {*WAITING, *NEED_NOT_WAIT}


def deleting_functions() -> Iterator[str]:
    for path in sorted(SOURCES.rglob("*.py")):
        name = path.relative_to(SOURCES).as_posix()
        if name not in PRIMITIVES:
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.FunctionDef) and any(map(deletes, ast.walk(node))):
                    yield f"{name}:{node.name}"


def deletes(node: ast.AST) -> bool:
    """Deleting rows takes no arguments, deleting objects does."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute | ast.Name):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
    return name in DELETING or (name == "delete" and bool(node.args))


def in_store() -> set[tuple[str, str]]:
    """Return objects and open uploads, except the log's."""
    listing = store().listing("")
    found = {*((one.key, one.version) for one in listing.versions), *listing.uploads}
    return {one for one in found if not keys.is_of_log(one[0])}


def states() -> list[tuple[object, str]]:
    return [
        row
        for model in (Space, UploadSession, Arrival, Bundle)
        for row in model._default_manager.values_list("pk", "state")
    ]


def put(key: str) -> None:
    store().client.put_object(Bucket=store().bucket, Key=key, Body=b"data")
