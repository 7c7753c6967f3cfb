"""A database that was restored from a backup deletes nothing, until what its log had lost is back and an operator has
confirmed it. Then everything is as it was."""

import json
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import transaction
from pytest_django import Settings

from archive import log, restores
from archive.errors import Refused
from archive.log import SYSTEM, events
from archive.models import (
    DatabaseRestore,
    DeletionCertificate,
    Hold,
    LogCheckpoint,
    LogEntry,
    LogLeaf,
    LogQueue,
    Space,
    User,
    Violation,
)
from archive.moderation import holds, violations
from archive.retention.purge import purge, sweep_all
from archive.retention.reconcile import reconcile
from archive.retention.replay import replay
from archive.storage import keys, store
from archive.transparency import publishing, restore_check, sequence
from archive.transparency.tile_store import stored_tree
from archive.transparency.verify import verify
from archive.transparency.verify_log import Checkpoint, proves_consistency
from tests.faults.proxy import Fault, Proxy
from tests.support import backups
from tests.support.deadlines import make_due
from tests.support.factory import make_contents, make_user
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
    before = facts(space)
    assert not purge(space.pk)
    assert list(sweep_all()) == []
    with pytest.raises(CommandError, match="restore_check"):
        call_command("sweep", stdout=StringIO())
    with pytest.raises(Refused, match="older database was restored"):
        reconcile(apply=True)
    assert facts(space) == before


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
    write_entry()  # by a process that knew nothing yet; a lost entry has its number
    if numbered:
        number_by_force()
    assert_nothing_is_deleted(spaces["held"])
    with pytest.raises(CommandError, match="older database was restored"):
        run("--quick")
    assert not sequence.run(), "the lost entries' places in the tree are not given away"

    told = restore_check.check()
    assert (told.paused, told.copied, told.is_restored) == (True, signed.size, False)
    assert told.last_common == LogLeaf.objects.get(index=told.common - 1).entry_id
    assert {step.event for step in told.steps} == {
        *("violation.flagged", "violation.lifted", "violation.appealed", "violation.upheld", "appeal.denied"),
        *("appeal.granted", "hold.placed", "hold.released", "space.deleted"),
    }
    assert {step.outcome for step in told.steps} - {"restored", "by-hand"} == set()
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
    with use_second_bucket():
        backup, checkpoint = backups.back_up(), store().get(keys.log_object("checkpoint"))
        write_entry()
        sequence.run()
        publishing.run()
        assert not restores.find_pause()  # also of a process that looked before, and lives on
        backups.restore(backup)
        store().put(keys.log_object("checkpoint"), checkpoint, "text/plain")

        assert_nothing_is_deleted(spaces["untouched"])

        assert restores.current().place == restores.second_bucket_place()  # type: ignore[union-attr]
        assert restore_check.apply().is_restored, "the store has the tiles all the same"
        restore_check.confirm("The host died.", admin)
        assert purge(spaces["untouched"].pk)
        assert sequence.run()


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
    assert_nothing_is_deleted(spaces["held"])
    restore_check.confirm("It can't be repaired; the court's holds were placed again.", admin, accept_losses=True)
    assert purge(spaces["untouched"].pk) is False, "it is not due"
    assert not restores.find_pause()


def size() -> int:
    return Checkpoint.parse(store().get(keys.log_object("checkpoint")).decode()).size


def test_what_only_a_person_can_restore_is_listed_and_keeps_the_pause(
    spaces: dict[str, Space], alice: User, admin: User
) -> None:
    backup = backups.back_up()
    newcomer = make_user("nils", role="admins")
    holds.place(spaces["held"].pk, "A court asks.", newcomer)
    new = make_registered(alice, "new")
    make_contents(new)
    with transaction.atomic():
        log.record(events.TOKEN_REVOKED, space_id=None, actor=SYSTEM, recorder=7)
        log.record(events.NOTICE_REQUEUED, space_id=new.pk, actor=SYSTEM, notice=7, kind="bundle-ready")
    sequence.run()
    backups.restore(backup)

    with pytest.raises(CommandError, match="--apply"):
        run("--apply", "--json")
    told = restore_check.check()

    (step,) = told.open_steps
    assert (step.event, step.outcome) == ("hold.placed", "by-hand")
    assert f"account {newcomer.pk}" in step.why
    assert told.unknown == {str(new.pk): 3}
    assert [one.why for one in told.withdrawn] == ["recorder 7"]
    assert told.lost == {"notice.requeued": 1}
    with pytest.raises(CommandError, match="--accept-losses"):
        run("--confirm", "--by", "ada", "--reason", "The disk died.")
    holds.place(spaces["held"].pk, "A court asks.", admin)
    out = run("--confirm", "--by", "ada", "--reason", "The disk died; held again.", "--accept-losses", "--json")
    row = DatabaseRestore.objects.get(pk=json.loads(out)["confirmed"])
    assert (row.state, row.confirmed_by, row.reason) == ("confirmed", admin.pk, "The disk died; held again.")
    entry = LogEntry.objects.get(event="log.restore_confirmed")
    assert (entry.actor_id, entry.detail["size"]) == (admin.pk, row.size)
    with pytest.raises(CommandError, match="No restore"):
        run("--confirm", "--by", "ada", "--reason", "Again.")


def test_without_a_restore_there_is_nothing_to_do(spaces: dict[str, Space]) -> None:
    assert "in both" in run()
    assert "No restore" in run("--quick")
    with pytest.raises(CommandError, match="No restore"):
        run("--apply")
