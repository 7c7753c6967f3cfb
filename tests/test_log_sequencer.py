"""The sequencer gives each committed entry an index and a place in the tree, and signs the tree."""

import json
from itertools import chain, repeat

import psycopg
import pytest
from django.db import connection, transaction
from pytest_django import Settings

from archive import log, restores
from archive.leases import Budget
from archive.log import SYSTEM, events
from archive.log.leaf import leaf_data
from archive.models import LogCheckpoint, LogEntry, LogLeaf, LogQueue, LogSequencer
from archive.storage import keys, store
from archive.storage.purge_prefix import purge_listing
from archive.transparency import checkpoints, sequence, tile_store
from archive.transparency.keys import public_keys
from archive.transparency.tile_store import stored_tree
from archive.transparency.verify import verify
from archive.transparency.verify_log import Checkpoint, Frontier, leaf_hash, proves_inclusion
from tests import plugin
from tests.support.database import as_superuser
from tests.support.restored import number_by_force

pytestmark = pytest.mark.usefixtures("committed", "no_log_objects")

INSERT = "INSERT INTO archive_logentry (event, premis, actor_kind, detail) VALUES ('digest.empty', '', 'system', '{}')"


@pytest.fixture
def no_log_objects(bucket: object) -> None:
    """Remove checkpoints of earlier tests' logs."""
    purge_listing(store(), store().listing(keys.LOG))


def write(count: int) -> None:
    with transaction.atomic():
        log.record_all(events.DIGEST_EMPTY, [(None, {"number": i}) for i in range(count)], actor=SYSTEM)


def test_each_entry_gets_the_next_index_and_the_hash_of_its_canonical_json() -> None:
    write(3)
    assert LogQueue.objects.count() == 3

    assert sequence.run()

    entries = list(LogEntry.objects.order_by("id"))
    leaves = list(LogLeaf.objects.order_by("index"))
    assert [leaf.index for leaf in leaves] == [0, 1, 2]
    assert [leaf.entry_id for leaf in leaves] == [entry.pk for entry in entries]
    assert [bytes(leaf.hash) for leaf in leaves] == [leaf_hash(leaf_data(entry)) for entry in entries]
    assert not LogQueue.objects.exists()
    written = json.loads(leaf_data(entries[1]))
    assert written == {
        "actor": {"id": None, "kind": "system"},
        "at": entries[1].at.isoformat().replace("+00:00", "Z"),
        "detail": {"number": 1},
        "event": "digest.empty",
        "id": entries[1].pk,
        "premis": "",
        "space": None,
    }


def test_a_checkpoint_is_signed_and_published_with_its_tiles() -> None:
    write(300)
    sequence.run()

    checkpoint = Checkpoint.parse(store().get(keys.log_object("checkpoint")).decode())
    assert (checkpoint.size, checkpoint.origin) == (300, "127.0.0.1:8000/log")
    assert checkpoint.require_signature(public_keys()) == public_keys()
    tree = Frontier()
    tree.extend([bytes(known) for known in LogLeaf.objects.order_by("index").values_list("hash", flat=True)])
    assert checkpoint.root == tree.root()
    stored = {version.key: version.size for version in store().versions(keys.LOG)}
    assert {key: size for key, size in stored.items() if "entries" not in key and key != "log/checkpoint"} == {
        "log/tile/0/000": 256 * 32,
        "log/tile/0/001.p/44": 44 * 32,
        "log/tile/1/000.p/1": 32,
    }
    assert set(stored) >= {"log/tile/entries/000", "log/tile/entries/001.p/44"}
    leaf = LogLeaf.objects.get(index=299)
    assert proves_inclusion(bytes(leaf.hash), 299, 300, stored_tree(300).inclusion_path(299), checkpoint.root)


def test_an_entry_that_is_not_committed_waits_and_nobody_waits_for_it() -> None:
    write(1)
    with psycopg.connect(plugin.engines.postgres.superuser_url(str(connection.settings_dict["NAME"]))) as other:
        other.execute(INSERT)
        write(1)

        sequence.run()
        assert LogLeaf.objects.count() == 2

        other.commit()
        sequence.run()
    leaves = dict(LogLeaf.objects.order_by("index").values_list("index", "entry_id"))
    ids = list(LogEntry.objects.order_by("id").values_list("id", flat=True))
    assert leaves == {0: ids[0], 1: ids[2], 2: ids[1]}


def test_an_entry_that_was_rolled_back_leaves_no_gap() -> None:
    with transaction.atomic():
        log.record(events.DIGEST_EMPTY, space_id=None, actor=SYSTEM)
        transaction.set_rollback(True)
    write(2)

    sequence.run()

    assert list(LogLeaf.objects.order_by("index").values_list("index", flat=True)) == [0, 1]


def test_checkpoints_are_signed_when_they_are_due(settings: Settings) -> None:
    write(1)
    sequence.run()
    write(1)
    sequence.run()
    assert sizes() == [1]  # ten minutes have not passed
    with transaction.atomic():
        log.record(events.HOLD_PLACED, space_id=None, actor=SYSTEM, hold=1)
    sequence.run()
    assert sizes() == [1, 3], "a database that is restored now must have it"
    write(1)

    settings.LOG_CHECKPOINT_SECONDS = 0
    sequence.run()
    assert sizes() == [1, 3, 4]
    sequence.run()
    assert sizes() == [1, 3, 4]  # nothing is new, and the last one is less than a day old


def test_one_checkpoint_a_day_also_without_news(settings: Settings) -> None:
    write(1)
    sequence.run()
    as_superuser("UPDATE archive_logcheckpoint SET signed_at = signed_at - interval '1 day 1 second'")

    sequence.run()

    assert sizes() == [1, 1]


def sizes() -> list[int]:
    return list(LogCheckpoint.objects.order_by("id").values_list("size", flat=True))


@pytest.mark.parametrize("count", [3, 7], ids=["smaller", "larger"])
def test_a_tree_that_does_not_extend_the_published_one_is_not_signed(
    settings: Settings, caplog: pytest.LogCaptureFixture, count: int
) -> None:
    settings.LOG_CHECKPOINT_SECONDS = 0
    write(5)
    sequence.run()
    published = store().get(keys.log_object("checkpoint"))
    tables = ("logleaf", "lognode", "logcheckpoint", "logsequencer", "logqueue", "logentry")
    as_superuser(*(f"DELETE FROM archive_{table}" for table in tables))  # as after restoring an older database
    write(count)
    number_by_force()
    assert not checkpoints.extends(LogSequencer.objects.get(), store()), "though nothing else had noticed it"
    restored = restores.current()
    assert (restored and restored.place) == (None if count > 5 else restores.STORE)
    as_superuser("DELETE FROM archive_databaserestore", *(f"DELETE FROM archive_{table}" for table in tables))
    write(count)

    sequence.run()

    assert LogSequencer.objects.get().size == 0, "no place in the tree is given away (test_restores.py)"
    assert LogQueue.objects.count() == count
    assert sizes() == []
    assert store().get(keys.log_object("checkpoint")) == published
    assert "log_does_not_extend_checkpoint" in caplog.text


def test_another_name_is_another_log_and_is_not_signed(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.LOG_CHECKPOINT_SECONDS = 0
    write(1)
    sequence.run()
    settings.LOG_ORIGIN = "moved.example/log"
    write(1)

    sequence.run()

    assert sizes() == [1]
    assert "log_origin_changed" in caplog.text


@pytest.mark.parametrize(
    "tampering",
    [
        pytest.param(["DELETE FROM archive_logqueue"], id="taken from the queue"),
        pytest.param(
            ["ALTER TABLE archive_logentry DISABLE TRIGGER archive_log_receives_entry", INSERT,
             "ALTER TABLE archive_logentry ENABLE TRIGGER archive_log_receives_entry",
             "DELETE FROM archive_logqueue"],
            id="never queued",
        ),
    ],
)  # fmt: skip
def test_an_old_entry_that_is_not_queued_raises_an_alert(
    caplog: pytest.LogCaptureFixture, tampering: list[str]
) -> None:
    write(1)
    sequence.run()
    write(2)
    as_superuser(*tampering)
    write(1)
    lost = sorted(set(LogEntry.objects.values_list("pk", flat=True)) - set(known_entries()))
    sequence.run()
    assert "log_entries_without_index" not in caplog.text  # it is new: an older transaction may still be open

    as_superuser("UPDATE archive_logentry SET at = at - interval '16 minutes'")
    for _ in range(2):
        caplog.clear()
        sequence.run()
        assert "log_entries_without_index" in caplog.text  # in each round
        assert f"'entries': {lost}" in caplog.text or f'"entries": {lost}' in caplog.text

    as_superuser(*(f"INSERT INTO archive_logqueue VALUES ({pk})" for pk in lost))
    caplog.clear()
    sequence.run()
    assert "log_entries_without_index" not in caplog.text
    assert LogSequencer.objects.get().checked_id == max(LogEntry.objects.values_list("pk", flat=True))


def known_entries() -> list[int]:
    leaves = LogLeaf.objects.values_list("entry_id", flat=True)
    return [*leaves, *LogQueue.objects.values_list("entry_id", flat=True)]


def test_an_entry_that_was_deleted_raises_an_alert_and_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    write(3)
    first, second, third = LogEntry.objects.order_by("id").values_list("pk", flat=True)
    as_superuser(f"DELETE FROM archive_logentry WHERE id = {second}")

    sequence.run()

    assert "log_entries_deleted" in caplog.text
    assert dict(LogLeaf.objects.values_list("index", "entry_id")) == {0: first, 1: third}
    assert not LogQueue.objects.exists()


def test_an_entry_that_is_queued_twice_or_again_gets_one_index(caplog: pytest.LogCaptureFixture) -> None:
    """The portal's role may add to the queue, so an attacker could use it to try to stop the sequencer."""
    write(2)
    first, second = LogEntry.objects.order_by("id").values_list("pk", flat=True)
    LogQueue.objects.create(entry_id=second)
    sequence.run()
    assert "log_entries_queued_again" not in caplog.text

    LogQueue.objects.create(entry_id=first)
    write(1)
    sequence.run()

    assert list(LogLeaf.objects.order_by("index").values_list("index", "entry_id"))[:2] == [(0, first), (1, second)]
    assert LogLeaf.objects.count() == 3
    assert not LogQueue.objects.exists()
    assert "log_entries_queued_again" in caplog.text


def test_a_backlog_is_numbered_in_several_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequence.number_entries, "__defaults__", (7,))
    write(20)

    sequence.run()

    entries = list(LogEntry.objects.order_by("id").values_list("pk", flat=True))
    assert list(LogLeaf.objects.order_by("index").values_list("entry_id", flat=True)) == entries
    assert verify()["count"] == 20


def test_an_entry_that_is_gone_from_under_its_index_is_not_signed(settings: Settings) -> None:
    settings.LOG_CHECKPOINT_SECONDS = 600
    write(1)
    sequence.run()  # signs now, and not again for ten minutes
    write(300)
    sequence.run()
    as_superuser("DELETE FROM archive_logentry WHERE id = (SELECT entry_id FROM archive_logleaf WHERE index = 280)")
    settings.LOG_CHECKPOINT_SECONDS = 0

    with pytest.raises(LookupError):
        sequence.run()

    assert sizes() == [1]


def test_a_long_catch_up_goes_on_in_the_next_run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tile_store, "STEP", 256)
    write(1000)
    settings.LEASE_SECONDS = 0  # the time limit of a run is over at once

    assert sequence.run()
    assert (LogSequencer.objects.get().tiled, sizes()) == (0, [])

    used_up = chain([False, False], repeat(True))
    monkeypatch.setattr(Budget, "is_used_up", lambda self: next(used_up))
    assert sequence.run()
    assert (LogSequencer.objects.get().tiled, sizes()) == (512, [])

    monkeypatch.setattr(Budget, "is_used_up", lambda self: False)
    assert sequence.run()
    assert (LogSequencer.objects.get().tiled, sizes()) == (1000, [1000])
    assert verify()["count"] == 1000
