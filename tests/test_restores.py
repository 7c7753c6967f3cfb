"""A database that was restored from a backup deletes nothing until the lost log entries are back and an operator has
confirmed the restore. Then everything is as before."""

import hashlib
import json
import sys
import threading
import time
from base64 import b64encode
from collections import Counter
from datetime import timedelta
from io import StringIO
from typing import Any
from unittest import mock

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from pytest_django import Settings

from archive import log, restores, tasks
from archive.errors import ObjectMissing, Refused
from archive.intake.uploads.complete import complete
from archive.intake.uploads.sessions import Uploader
from archive.log import SYSTEM, events
from archive.models import (
    Arrival,
    Bundle,
    DatabaseRestore,
    DeletionCertificate,
    ExportPart,
    Hold,
    LogCheckpoint,
    LogEntry,
    LogLeaf,
    LogPublisher,
    LogQueue,
    LogSequencer,
    Space,
    UploadSession,
    User,
    Violation,
)
from archive.moderation import holds, violations
from archive.retention.purge import begin, purge, sweep_all
from archive.retention.reconcile import reconcile
from archive.retention.replay import replay
from archive.storage import Store, StoredVersion, keys, locked, store
from archive.storage import begin as begin_upload
from archive.transparency import publishing, reapply, restore_check, sequence
from archive.transparency.keys import sign_checkpoint, signature_line
from archive.transparency.tile_store import stored_tree
from archive.transparency.verify import verify
from archive.transparency.verify_log import Checkpoint, Key, proves_consistency
from tests.faults.proxy import Fault, Proxy
from tests.support import backups
from tests.support.deadlines import make_due
from tests.support.factory import make_contents, make_row, make_user
from tests.support.object_stores import override_store
from tests.support.restored import (
    decide,
    facts,
    leaves,
    make_registered,
    make_spaces,
    number_by_force,
    write_entry,
)
from tests.support.rows import reload_space
from tests.support.second_bucket import use_second_bucket
from tests.support.threads import at_once

pytestmark = pytest.mark.usefixtures("committed", "empty_bucket")


@pytest.fixture(autouse=True)
def checkpoints_at_once(settings: Settings) -> None:
    settings.LOG_CHECKPOINT_SECONDS = 0


@pytest.fixture
def spaces(alice: User, admin: User, second_admin: User) -> dict[str, Space]:
    return make_spaces(alice, admin)


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("restore_check", *arguments, stdout=out)
    return out.getvalue()


def assert_nothing_is_deleted(space: Space) -> None:
    make_due(space)
    before, stored = facts(space), in_store()
    assert purge(space.pk) is False
    assert list(sweep_all()) == []
    with pytest.raises(CommandError, match="restore_check"):
        call_command("sweep", stdout=StringIO())
    with pytest.raises(Refused, match="older database was restored"):
        reconcile(apply=True)
    for work in tasks.WORK:  # as the dispatcher publishes it, and as workers run it
        if work.model in (Space, UploadSession, Bundle, ExportPart, Arrival):
            for pk in work.pending_ids(Q()):
                work.task(str(pk))
    tasks.clean_inboxes()
    tasks.recheck_deletions()
    assert facts(space) == before
    assert stored <= in_store()


def in_store() -> set[str]:
    """Return the keys of all objects except the log's."""
    return {one.key for one in store().versions("") if not keys.is_of_log(one.key)}


@pytest.mark.parametrize("numbered", [False, True], ids=["waiting", "numbered"])
def test_what_was_decided_and_deleted_since_the_backup_comes_back(
    spaces: dict[str, Space], alice: User, admin: User, second_admin: User, numbered: bool
) -> None:
    backup = backups.back_up()
    decide(spaces, alice, admin, second_admin)
    now = {name: facts(space) for name, space in spaces.items()}
    certificate = DeletionCertificate.objects.get(pk=spaces["deleted"].pk).document
    signed, log_before = Checkpoint.parse(LogCheckpoint.objects.latest("id").note), leaves()

    backups.restore(backup)
    write_entry()  # by a process that did not know yet; its entry has the number of a lost one
    if numbered:
        number_by_force()
    assert_nothing_is_deleted(spaces["held"])
    with pytest.raises(CommandError, match="older database was restored"):
        run("--quick")
    assert not sequence.run(), "the lost entries' places in the tree are not given away"

    told = restore_check.check()
    assert (told.paused, told.copied, told.is_restored) == (True, signed.size, False)
    assert told.last_common == LogLeaf.objects.get(index=told.common - 1).entry_id
    of_one = (
        "violation.flagged",
        "violation.upheld",
        "appeal.denied",
        "appeal.granted",
        "hold.placed",
        "hold.released",
    )
    assert Counter((step.event, step.outcome) for step in told.steps) == {
        **{(event, "restorable"): 1 for event in (*of_one, "space.deleted")},
        **{(event, "restorable"): 2 for event in ("violation.lifted", "violation.appealed")},
    }
    assert reload_space(spaces["deleted"]).title == "deleted", "a check changes nothing"
    with pytest.raises(Refused, match="--apply first"):
        restore_check.confirm("The disk died.", admin)

    done = restore_check.apply()

    assert (done.is_restored, done.missing, done.open_steps) == (True, 0, [])
    assert leaves()[: signed.size] == log_before
    assert {name: facts(space) for name, space in spaces.items()} == now
    assert DeletionCertificate.objects.get(pk=spaces["deleted"].pk).document == certificate
    flagged = LogEntry.objects.get(event="violation.flagged", space_id=spaces["flagged"].pk)
    assert Violation.objects.get(space=spaces["flagged"]).flagged_at == flagged.at
    assert violations.flag(spaces["lifted"].pk, "spam", "It sold more.", admin).pk > int(flagged.detail["violation"])
    assert_nothing_is_deleted(spaces["untouched"])

    restore_check.confirm("The disk died.", admin)

    assert sequence.run()
    newest = Checkpoint.parse(LogCheckpoint.objects.latest("id").note)
    path = stored_tree(newest.size).consistency_path(signed.size)
    assert newest.size > signed.size
    assert proves_consistency(signed.size, signed.root, newest.size, newest.root, path), "what a witness asks for"
    assert verify(known=[signed])["count"] == newest.size == LogEntry.objects.count()
    assert not LogQueue.objects.exists()
    assert LogEntry.objects.filter(event="digest.empty").exists(), "what was written since the restore is kept"
    moved_by_this_test = {spaces[name].pk for name in ("deleted", "untouched")}
    assert {pk for pk, findings in replay() if findings} <= moved_by_this_test
    assert purge(spaces["untouched"].pk)
    assert reload_space(spaces["held"]).state == "available"
    assert DeletionCertificate.objects.count() == 2


def test_a_store_that_does_not_answer_starts_no_deletion(spaces: dict[str, Space]) -> None:
    space = spaces["untouched"]
    make_due(space)
    fault = Fault(r"^GET /\S*log/checkpoint", status=503, code="SlowDown")
    with Proxy(settings_of_store(), fault) as proxy, override_store(endpoint_url=proxy.url):
        assert not purge(space.pk)
        with pytest.raises(CommandError, match="the store did not answer"):
            call_command("sweep", stdout=StringIO())

    assert reload_space(space).state == "available"
    assert not DatabaseRestore.objects.exists()
    assert purge(space.pk)


def settings_of_store() -> str:
    return str(settings.S3_ENDPOINT_URL)


def test_the_second_bucket_tells_of_a_restore_when_the_store_was_restored_too(
    spaces: dict[str, Space], alice: User, admin: User, second_admin: User
) -> None:
    with use_second_bucket() as second:
        backup, checkpoint = backups.back_up(), store().get(keys.log_object("checkpoint"))
        write_entry()
        sequence.run()
        publishing.run()
        assert not restores.find_pause()  # also in a running process that compared earlier
        tiles = {one.key: store().get(one.key) for one in store().versions(keys.log_object("tile/"))}
        backups.restore(backup)
        store().put(keys.log_object("checkpoint"), checkpoint, "text/plain")
        add_unsigned_copy(second)

        assert_nothing_is_deleted(spaces["untouched"])

        found = restores.current()
        assert found is not None
        assert (found.place, found.size) == (restores.second_bucket_place(), size() + 1)
        newest = [key for key in tiles if key.endswith(f"/{found.size % 256}")]
        assert not store().delete(tuple(one for one in store().versions(keys.LOG) if one.key in newest))
        report = restore_check.check()
        assert (report.copied, report.missing, report.open_steps) == (size(), 0, []), "of a smaller copy, it has all"
        assert (report.has_found, report.is_restored) == (False, False)
        with pytest.raises(Refused, match="--accept-losses"):
            restore_check.confirm("The host died.", admin)
        for key in newest:
            store().put(key, tiles[key], "application/octet-stream")
        assert restore_check.apply().is_restored, "the store has the tiles all the same"
        restore_check.confirm("The host died.", admin)
        assert purge(spaces["untouched"].pk)
        assert sequence.run()


def add_unsigned_copy(second: Store) -> None:
    """Write as somebody with access to the second bucket, but without the log's key."""
    other = Ed25519PrivateKey.generate()
    text = f"{settings.LOG_ORIGIN}\n900\n{b64encode(bytes(32)).decode()}\n"
    line = signature_line(Key(settings.LOG_ORIGIN, other.public_key().public_bytes_raw()), other.sign(text.encode()))
    locked.put_once(second, keys.checkpoint_copy(900, timezone.now()), f"{text}\n{line}".encode(), None)


def test_copies_that_nobody_of_the_log_signed_pause_nothing(spaces: dict[str, Space]) -> None:
    with use_second_bucket() as second:
        add_unsigned_copy(second)
        assert restores.find_pause() == {}


def test_a_copy_is_acknowledged_by_its_bytes(spaces: dict[str, Space]) -> None:
    """Other bytes at the same key are another copy."""
    with use_second_bucket() as second:
        key, note = keys.checkpoint_copy(900, timezone.now()), sign_checkpoint(900, bytes(32)).note.encode()
        locked.put_once(second, key, note, None)
        row = {"place": restores.second_bucket_place(), "key": key, "size": 900, "reason": "", "entry": 1}
        for sha256, paused in ((hashlib.sha256(note).hexdigest(), False), ("0" * 64, True)):
            LogPublisher.objects.update_or_create(pk=1, defaults={"acknowledged": [row | {"sha256": sha256}]})
            restores._compared.clear()
            assert bool(restores.find_pause()) == paused


def test_a_second_bucket_that_is_down_is_asked_once_in_a_while(
    spaces: dict[str, Space], monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        Proxy(settings_of_store(), Fault("", status=503, code="SlowDown")) as proxy,
        use_second_bucket(create=False, endpoint_url=proxy.url),
    ):
        for _ in range(3):
            assert restores.find_pause() == {}
        assert len(proxy.lines) == 1
        monkeypatch.setattr(restores, "PATIENCE", -1)
        restores.find_pause()
        assert len(proxy.lines) == 2


def test_a_checkpoint_that_the_store_lost_is_written_again(spaces: dict[str, Space]) -> None:
    """Only if the database is the one that wrote it."""
    note = store().get(keys.log_object("checkpoint"))
    make_due(spaces["untouched"])
    remove_checkpoint()

    assert restores.find_pause()["code"] == "restore.checkpoint_missing"
    assert purge(spaces["untouched"].pk) is False
    with pytest.raises(CommandError, match=r"log/checkpoint is missing from the store"):
        run()
    assert sequence.run()

    assert store().get(keys.log_object("checkpoint")) == note
    assert not DatabaseRestore.objects.exists()
    assert purge(spaces["untouched"].pk)


def test_a_first_checkpoint_that_is_written_meanwhile_is_not_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process signs it after this one has queried the store."""
    write_entry()
    get = Store.get

    def get_before_it_is_written(bucket: Store, key: str) -> bytes:
        monkeypatch.setattr(Store, "get", get)
        try:
            return get(bucket, key)
        finally:
            assert sequence.run()

    monkeypatch.setattr(Store, "get", get_before_it_is_written)

    assert restores.find_pause() == {}
    assert store().get(keys.log_object("checkpoint"))


def test_an_older_database_writes_no_missing_checkpoint(spaces: dict[str, Space], admin: User) -> None:
    backup = backups.back_up()
    write_entry()
    sequence.run()
    newest = store().get(keys.log_object("checkpoint"))
    backups.restore(backup)
    remove_checkpoint()
    make_due(spaces["untouched"])

    assert purge(spaces["untouched"].pk) is False
    assert not sequence.run()

    with pytest.raises(ObjectMissing):
        store().get(keys.log_object("checkpoint"))
    assert_nothing_is_deleted(spaces["untouched"])
    with pytest.raises(CommandError, match="Put the newest checkpoint there"):
        run("--apply")
    with pytest.raises(Refused, match="--accept-losses"):
        restore_check.confirm("The disk died.", admin)
    store().put(keys.log_object("checkpoint"), newest, "text/plain")
    assert restore_check.apply().is_restored
    restore_check.confirm("The disk died.", admin)
    assert purge(spaces["untouched"].pk)


def remove_checkpoint() -> None:
    assert not store().delete((StoredVersion(keys.log_object("checkpoint"), "", 0),))


def test_a_checkpoint_that_is_not_known_is_not_overwritten(
    spaces: dict[str, Space], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store was down when the run began, and the backup was made just before a checkpoint."""
    backup = backups.back_up()
    write_entry()
    sequence.run()
    newest = store().get(keys.log_object("checkpoint"))
    backups.restore(backup)
    LogSequencer.objects.update(published_id=None)
    monkeypatch.setattr(sequence, "_find_restore", lambda claim: None)

    sequence.run()

    assert store().get(keys.log_object("checkpoint")) == newest


def test_a_database_that_signed_another_log_is_not_repaired(spaces: dict[str, Space]) -> None:
    backup, before = backups.back_up(), store().get(keys.log_object("checkpoint"))
    write_entry()
    sequence.run()
    newest = store().get(keys.log_object("checkpoint"))
    backups.restore(backup)
    store().put(keys.log_object("checkpoint"), before, "text/plain")  # hidden from the process that signs
    write_entry()
    write_entry()
    sequence.run()
    store().put(keys.log_object("checkpoint"), newest, "text/plain")
    lost = leaves()

    with pytest.raises(CommandError, match="there are two logs"):
        run("--apply")

    assert leaves() == lost
    assert_nothing_is_deleted(spaces["untouched"])


@pytest.mark.parametrize("harm", ["changed", "removed"])
def test_a_copy_that_is_not_what_was_signed_changes_nothing(spaces: dict[str, Space], admin: User, harm: str) -> None:
    backup = backups.back_up()
    holds.place(spaces["held"].pk, "A court asks.", admin)
    sequence.run()
    backups.restore(backup)
    (bundle,) = [one for one in store().versions(keys.log_object("tile/entries")) if one.key.endswith(f"/{size()}")]
    data = store().get(bundle.key)
    if harm == "changed":
        store().put(bundle.key, data.replace(b"hold.placed", b"hold.braced"), "application/octet-stream")
    else:
        assert not store().delete((bundle,))
    lost = leaves()

    with pytest.raises(CommandError):
        run("--apply")

    assert (leaves(), Hold.objects.filter(space=spaces["held"]).count()) == (lost, 0)
    assert_nothing_is_deleted(spaces["untouched"])
    restore_check.confirm("It can't be repaired; the court's holds were placed again.", admin, accept_losses=True)
    assert not restores.find_pause()
    assert purge(spaces["untouched"].pk)


def size() -> int:
    return Checkpoint.parse(store().get(keys.log_object("checkpoint")).decode()).size


def test_what_only_a_person_can_restore_is_listed_and_keeps_the_pause(
    spaces: dict[str, Space], alice: User, admin: User, second_admin: User
) -> None:
    """Holds that were placed since the restore have the numbers of lost ones. What the backup has is not listed,
    although it had no place in the tree yet."""
    with transaction.atomic():
        log.record(events.TOKEN_REVOKED, space_id=None, actor=SYSTEM, recorder=6)
        log.record(events.NOTICE_REQUEUED, space_id=spaces["untouched"].pk, actor=SYSTEM, notice=6, kind="bundle-ready")
    backup = backups.back_up()
    lost = holds.place(spaces["held"].pk, "A court asks.", admin)
    holds.release(holds.place(spaces["deleted"].pk, "A court asked.", admin).pk, "It asks no more.", second_admin)
    make_due(spaces["deleted"])
    assert purge(spaces["deleted"].pk)
    deleted = facts(spaces["deleted"])
    new = make_registered(alice, "new")
    make_contents(new)
    with transaction.atomic():
        log.record(events.TOKEN_REVOKED, space_id=None, actor=SYSTEM, recorder=7)
        log.record(events.NOTICE_REQUEUED, space_id=new.pk, actor=SYSTEM, notice=7, kind="bundle-ready")
    sequence.run()
    backups.restore(backup)
    assert holds.place(spaces["untouched"].pk, "Another court.", admin).pk == lost.pk
    holds.place(spaces["untouched"].pk, "A third one.", admin)
    assert restore_check.check().lost == {"bundle.removed": 1, "notice.requeued": 1}

    for _ in range(2):  # the second one finds a tombstone, and the hold placed by the first one
        with pytest.raises(CommandError, match="--apply"):
            run("--apply", "--json")
        assert facts(spaces["deleted"]) == deleted | {"holds": []}
        (instead,) = Hold.objects.filter(space=spaces["held"])
        assert reload_space(spaces["held"]).expires_at is None
    told = restore_check.check()

    (step,) = told.open_steps
    assert (step.event, step.outcome) == ("hold.placed", "by-hand")
    assert f"legal hold {lost.pk} of this database is another one" in step.why
    assert f"Legal hold {instead.pk} protects the Space instead" in step.why
    assert told.without_row == {str(new.pk): 3}
    assert [one.why for one in told.withdrawn] == ["recorder 7"]
    assert told.lost == {"bundle.removed": 1, "notice.requeued": 1}
    with pytest.raises(CommandError, match=f"hold.placed of Space {spaces['held'].pk}(.|\n)*--accept-losses"):
        run("--confirm", "--by", "ada", "--reason", "The disk died.")
    out = run("--confirm", "--by", "ada", "--reason", "The disk died; held again.", "--accept-losses", "--json")
    assert [one["space"] for one in json.loads(out)["not_restored"]] == [str(spaces["held"].pk)]
    row = DatabaseRestore.objects.get(pk=json.loads(out)["confirmed"])
    assert (row.state, row.confirmed_by, row.reason) == ("confirmed", admin.pk, "The disk died; held again.")
    entry = LogEntry.objects.get(event="log.restore_confirmed")
    assert (entry.actor_id, entry.detail["size"]) == (admin.pk, row.size)
    assert len(bytes.fromhex(row.salt)) == 16
    assert entry.detail["reason"] == log.commitment(row.salt, row.reason)
    with pytest.raises(CommandError, match="No restore"):
        run("--confirm", "--by", "ada", "--reason", "Again.")


def test_a_hold_of_an_account_that_is_lost_stands(
    spaces: dict[str, Space], alice: User, admin: User, second_admin: User
) -> None:
    backup = backups.back_up()
    nils, nora = make_user("nils", role="admins"), make_user("nora", role="admins")
    lost = holds.place(spaces["held"].pk, "A court asks.", nils)
    violations.flag(spaces["flagged"].pk, "spam", "It sold watches.", nora)
    now = [facts(spaces[name]) for name in ("held", "flagged")]
    sequence.run()
    backups.restore(backup)

    restored = restore_check.apply()

    assert restored.is_restored
    assert [facts(spaces[name]) for name in ("held", "flagged")] == now
    by = Hold.objects.get(pk=lost.pk).placed_by
    assert (by.pk, by.username, by.is_active, by.roles) == (nils.pk, f"closed #{nils.pk}", False, frozenset())
    assert make_user("nele").pk > nora.pk
    confirm_twice_at_once("The disk died.", admin)
    assert holds.release(lost.pk, "The case is closed.", second_admin).state == "released"


def confirm_twice_at_once(reason: str, admin: User) -> None:
    find_losses = restore_check._find_losses
    with mock.patch.object(restore_check, "_find_losses") as looks:

        def confirm_meanwhile(**about: Any) -> Any:
            looks.side_effect = find_losses
            restore_check.confirm(reason, admin)
            return find_losses(**about)

        looks.side_effect = confirm_meanwhile
        restore_check.confirm(reason, admin)
    assert LogEntry.objects.filter(event="log.restore_confirmed").count() == 1


def test_a_worker_that_locks_two_spaces_is_not_ended(spaces: dict[str, Space], admin: User, second_admin: User) -> None:
    """A worker changes a flag, and then needs the lock on the Space that is being restored. The restore needs the table
    of flags."""
    backup = backups.back_up()
    violations.flag(spaces["flagged"].pk, "spam", "It sold watches.", admin)
    sequence.run()
    backups.restore(backup)
    reapplies, has_lifted = threading.Event(), threading.Event()
    second_lock, restore_space = Space.objects.select_for_update().filter(pk=spaces["flagged"].pk), reapply.reapply

    def wait_until_it_waits() -> None:
        with connection.cursor() as cursor:
            for _ in range(3000):
                cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
                if cursor.fetchone() == (True,):
                    return
                time.sleep(0.01)
        raise AssertionError("the restore never waited for the table")

    def lift_and_lock() -> bool:
        assert reapplies.wait(60)
        with transaction.atomic():
            violations.lift(spaces["lifted"].pk, "In error.", second_admin)
            has_lifted.set()
            wait_until_it_waits()
            return second_lock.exists()

    def wait_and_restore(*about: Any, **options: Any) -> Any:
        reapplies.set()
        assert has_lifted.wait(60)
        return restore_space(*about, **options)

    def restore() -> bool:
        with mock.patch.object(reapply, "reapply", wait_and_restore):
            return restore_check.apply().is_restored

    assert at_once(lift_and_lock, restore) == [True, True]
    assert Violation.objects.filter(space=spaces["flagged"]).count() == 1


def test_a_recording_that_came_since_is_not_deleted_as_abandoned(spaces: dict[str, Space], alice: User) -> None:
    waiting = make_row(alice, state="receiving")
    upload = begin_upload(store(), keys.recording(waiting.pk, 1, "m4a"), "audio/mp4")
    facts_of_file = {"kind": "recording", "name": "talk.m4a", "size": 4, "part_size": 9, "key": upload.key}
    UploadSession.objects.create(space=waiting, created_by=alice, upload_id=upload.id, **facts_of_file)
    backup = backups.back_up()
    upload.put(1, b"talk")
    session = complete(UploadSession.objects.get(), Uploader(user=alice))
    sequence.run()
    backups.restore(backup)
    UploadSession.objects.update(last_activity_at=timezone.now() - timedelta(days=2))
    assert [step.outcome for step in restore_check.check().steps] == ["restorable"]

    assert restore_check.apply().is_restored

    restored = UploadSession.objects.get()
    assert (restored.state, restored.etag) == ("uploaded", session.etag)
    assert reload_space(waiting).state == "processing"
    assert store().head(upload.key).size == 4


def test_a_space_whose_deletion_this_database_has_started_is_named(spaces: dict[str, Space], admin: User) -> None:
    """A process that did not know of the restore started it. A hold cannot be placed any more."""
    backup = backups.back_up()
    holds.place(spaces["held"].pk, "A court asks.", admin)
    sequence.run()
    backups.restore(backup)
    make_due(spaces["held"])
    assert begin(spaces["held"].pk)
    before = facts(spaces["held"])

    for _ in range(2):
        report = restore_check.apply()

    assert [(step.event, step.outcome) for step in report.open_steps] == [("hold.placed", "by-hand")]
    assert "nothing protects it" in report.open_steps[0].why
    assert facts(spaces["held"]) == before
    with pytest.raises(Refused, match=f"{spaces['held'].pk}: .*nothing protects it"):
        restore_check.confirm("The disk died.", admin)


@pytest.mark.parametrize(
    "options",
    [
        ["--apply", "--confirm", "--by", "ada", "--reason", "The disk died."],
        ["--quick", "--apply"],
        ["--apply", "--accept-losses"],
        ["--by", "ada"],
        ["--apply", "--reason", "The disk died."],
    ],
    ids=" ".join,
)
def test_options_that_contradict_are_refused(options: list[str], spaces: dict[str, Space], admin: User) -> None:
    restores.open_restore(restores.STORE, 7)
    with pytest.raises(CommandError, match=r"not allowed with|only with --confirm"):
        run(*options)
    assert DatabaseRestore.objects.get().applied_at is None
    assert restores.find_pause()


@pytest.mark.long
def test_ten_thousand_lost_entries(alice: User, admin: User) -> None:
    spaces = [make_row(alice, title=f"Room {number}") for number in range(300)]
    sequence.run()
    backup = backups.back_up()
    for space in spaces:
        holds.place(space.pk, "A court asks.", admin)
    with transaction.atomic():
        log.record_all(events.DIGEST_EMPTY, [(None, {"number": number}) for number in range(10_000)], actor=SYSTEM)
    sequence.run()
    entries = leaves()
    backups.restore(backup)
    started = time.monotonic()

    assert restore_check.apply().is_restored

    sys.stdout.write(f"\n{len(entries)} entries, {len(spaces)} Spaces: {time.monotonic() - started:.1f} s\n")
    assert len(entries) > 10_000
    assert leaves() == entries
    assert Hold.objects.filter(space__in=spaces, space__expires_at=None).count() == len(spaces)


def test_without_a_restore_there_is_nothing_to_do(spaces: dict[str, Space]) -> None:
    assert "in both" in run()
    assert "No restore" in run("--quick")
    with pytest.raises(CommandError, match="No restore"):
        run("--apply")
