"""In the second bucket, nobody with access to the archive can change a checkpoint: copies are locked, never
overwritten, and compared."""

from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from itertools import chain, repeat
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from pytest_django import Settings

from archive import dbtime, log
from archive.errors import ObjectChanged
from archive.leases import Budget
from archive.log import SYSTEM, events
from archive.models import CheckpointCopy, LogCheckpoint, LogEntry, LogPublisher, StoreReport, User
from archive.retention.purge import purge
from archive.storage import Store, StoredVersion, keys, locked, rehearsal, store
from archive.storage.checks import bucket_is_erasable
from archive.storage.purge_prefix import purge_listing
from archive.transparency import copies, publishing, second_bucket
from archive.transparency.keys import sign_checkpoint
from archive.transparency.verify_log import Checkpoint
from tests.support.database import as_superuser
from tests.support.factory import make_space
from tests.support.http_clients import make_client
from tests.support.log_rounds import run_round
from tests.support.object_stores import UNREACHABLE, override_store
from tests.support.rows import update_space
from tests.support.second_bucket import contents, override_second_bucket, retention, use_second_bucket

TABLES = (
    *("checkpointcopy", "logpublisher", "logcosignature", "logleaf", "lognode", "logcheckpoint"),
    *("logsequencer", "logqueue", "logentry"),
)


@pytest.fixture(autouse=True)
def always_due(committed: None, bucket: None, settings: Settings) -> None:
    purge_listing(store(), store().listing(keys.LOG))
    settings.LOG_CHECKPOINT_SECONDS = 0


@pytest.fixture
def second(always_due: None) -> Iterator[Store]:
    with use_second_bucket() as made:
        yield made


def write(count: int) -> None:
    with transaction.atomic():
        log.record_all(events.DIGEST_EMPTY, [(None, {"number": i}) for i in range(count)], actor=SYSTEM)


def sign(count: int = 1) -> LogCheckpoint:
    write(count)
    run_round()
    return LogCheckpoint.objects.latest("id")


def lose_the_database() -> None:
    """Delete our own store, too, so that only the second bucket has the checkpoints."""
    as_superuser(*(f"DELETE FROM archive_{table}" for table in TABLES))
    purge_listing(store(), store().listing(keys.LOG))


def test_each_checkpoint_is_written_once_and_locked(second: Store, settings: Settings) -> None:
    signed = [sign(3), sign(300)]
    run_round()

    assert contents(second) == [(keys.checkpoint_copy(row.size, row.signed_at), row.note) for row in signed]
    copies = list(CheckpointCopy.objects.order_by("id"))
    assert [copy.key for copy in copies] == [key for key, _ in contents(second)]
    for copy in copies:
        mode, until = retention(second, copy.key)
        assert (mode, until) == ("COMPLIANCE", copy.locked_until)
        assert abs(until - dbtime.now() - timedelta(days=settings.LOG_LOCK_DAYS)) < timedelta(minutes=5)


def test_nobody_deletes_or_replaces_a_locked_checkpoint(second: Store) -> None:
    row = sign()
    (version,) = second.versions("checkpoints/")

    assert second.delete((version,)) == {version.key: "AccessDenied"}
    with pytest.raises(ObjectChanged):
        locked.put_once(second, version.key, b"another", None)
    second.client.put_object(Bucket=second.bucket, Key=version.key, Body=b"another")

    assert row.note in [text for _, text in contents(second)]


def test_a_bucket_without_a_lock_is_used_as_well() -> None:
    with use_second_bucket(lock=False) as plain:
        row = sign()

        assert [text for _, text in contents(plain)] == [row.note]
        assert CheckpointCopy.objects.get().locked_until is None


@pytest.mark.parametrize("entries", [2, 3, 9], ids=["shorter", "as long", "longer"])
def test_another_log_is_noticed_before_anything_is_signed(
    second: Store, entries: int, caplog: pytest.LogCaptureFixture
) -> None:
    row = sign(3)
    lose_the_database()
    write(entries)

    run_round()

    assert "log_does_not_extend_checkpoint" in caplog.text
    assert not LogCheckpoint.objects.exists()
    assert [text for _, text in contents(second)] == [row.note]


def test_a_replaced_checkpoint_hides_nothing(second: Store, caplog: pytest.LogCaptureFixture) -> None:
    """Somebody with our key overwrites a checkpoint with one of another log. The locked first version is compared,
    too."""
    row = sign(3)
    (key,) = (key for key, _ in contents(second))
    lose_the_database()
    write(3)
    with use_second_bucket():
        run_round()
    forged = LogCheckpoint.objects.get()
    second.client.put_object(Bucket=second.bucket, Key=key, Body=forged.note.encode())
    second.client.put_object(
        Bucket=second.bucket, Key=keys.checkpoint_copy(10**9, row.signed_at), Body=b"no checkpoint"
    )
    second.client.delete_object(Bucket=second.bucket, Key=key)  # a delete marker above all versions
    write(1)

    run_round()

    assert "log_does_not_extend_checkpoint" in caplog.text
    assert "log_checkpoint_unreadable" in caplog.text
    assert LogCheckpoint.objects.get() == forged


def forge(second: Store, size: int, name: str = "") -> str:
    """Write a checkpoint of another log, signed with our key, to the bucket. Returns its key there."""
    note = sign_checkpoint(size, bytes(32)).note
    key = keys.checkpoint_copy(size, dbtime.now()) + name
    second.client.put_object(Bucket=second.bucket, Key=key, Body=note.encode())
    return key


def start_next_look() -> None:
    """Let an hour pass, so that the next comparison is due."""
    row = LogPublisher.objects.get()
    assert row.compared["started"] is None
    row.compared["since"] = (dbtime.now() - timedelta(minutes=61)).isoformat()
    row.save()


@pytest.mark.parametrize("size", [2, 3, 4], ids=["smaller", "as large", "between"])
def test_a_forged_checkpoint_is_found_wherever_it_lies(
    second: Store, size: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody with our key and the bucket's adds it in a place where comparing the newest copy does not find it."""
    sign(3)
    signed = sign(5)
    assert "log_copy_contradicts" not in caplog.text
    key = forge(second, size)
    start_next_look()

    for _ in range(2):  # each run repeats the alert
        caplog.clear()
        publishing.run()
        assert "log_copy_contradicts" in caplog.text
        assert key in caplog.text

    sign(1)
    assert LogCheckpoint.objects.latest("id") == signed  # signing has stopped


@pytest.mark.parametrize("size", [2, 10**6], ids=["smaller", "larger than the log"])
def test_an_acknowledged_copy_stops_nothing_and_another_one_does(
    second: Store, size: int, admin: User, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    first = sign(5)
    key = forge(second, size)
    start_next_look()
    publishing.run()
    assert len(copies.contradictions()) == 1
    assert sign(1) == first
    page = make_client(admin).get("/log/proof/").content.decode()
    assert f'that does not fit this log: <code class="long">{key}</code>' in page
    more, by = ["--larger"] * (size > 5), ["--by", admin.username]
    if more:
        with pytest.raises(CommandError, match="If an older database was restored, entries are missing"):
            call_command("log_copies", "acknowledge", key, "--reason", "A test.", *by)
    with pytest.raises(CommandError, match="A reason is needed: auditors will read it"):
        call_command("log_copies", "acknowledge", key, *by)
    call_command("log_copies", "acknowledge", key, "--reason", "A test of ours.", *more, *by)
    call_command("log_copies")
    assert "No copy is known that the log does not extend." in capsys.readouterr().out

    entry = LogEntry.objects.get(event="log.copy_acknowledged")
    assert (entry.actor_id, entry.actor_kind) == (admin.pk, "command")
    assert entry.detail == {
        "key": key, "size": size, "sha256": sha256(sign_checkpoint(size, bytes(32)).note.encode()).hexdigest(),
        "reason": log.commitment(LogPublisher.objects.get().acknowledged[0]["salt"], "A test of ours."),
    }  # fmt: skip
    caplog.clear()
    signed = sign(1)
    assert signed != first
    assert "log_copy_contradicts" not in caplog.text
    page = make_client(admin).get("/log/proof/").content.decode()
    assert "that does not fit this log" not in page
    assert f"Entry {entry.pk} of the log says who acknowledged it." in page
    assert "A test of ours." in page

    note = sign_checkpoint(size, b"r" * 32).note
    second.client.put_object(Bucket=second.bucket, Key=key, Body=note.encode())  # different bytes at the same key
    start_next_look()
    publishing.run()
    assert f"'{key}'" in caplog.text
    assert "log_copy_contradicts" in caplog.text
    assert sign(1) == signed


def test_the_alert_names_one_larger_copy_at_a_time(second: Store, admin: User) -> None:
    """After a restore there may be thousands of larger copies. The alert names one at a time."""
    sign(3)
    larger = [forge(second, size) for size in (100, 101, 102)]
    start_next_look()
    publishing.run()

    for key in larger:
        assert [copy.key for copy in copies.contradictions()] == [key]
        copies.acknowledge(key, "A test of ours.", admin, larger=True)
        publishing.run()
    assert copies.contradictions() == []


def test_copies_are_compared_once_and_then_those_that_are_new(second: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locked.list_page, "__defaults__", (2,))
    reads: list[str] = []
    read = second_bucket.read

    def counted(store: Store, version: StoredVersion) -> Checkpoint | None:
        reads.append(version.key)
        return read(store, version)

    for _ in range(5):
        sign(1)
    LogPublisher.objects.update(compared={})
    monkeypatch.setattr(second_bucket, "read", counted)

    publishing.run()
    assert len(reads) == 5
    publishing.run()
    assert len(reads) == 5  # the next comparison is due in an hour

    monkeypatch.setattr(copies, "MARGIN", -timedelta(hours=2))  # as if all copies had been written long ago
    start_next_look()
    publishing.run()
    assert len(reads) == 5


def test_a_look_that_was_interrupted_goes_on(second: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locked.list_page, "__defaults__", (1,))
    for _ in range(3):
        sign(1)
    key = forge(second, 2, "-forged")
    LogPublisher.objects.update(compared={})
    used_up = chain([False, False], repeat(True))
    monkeypatch.setattr(Budget, "is_used_up", lambda self, next_step=0.0: next(used_up))
    publishing.run()
    state = LogPublisher.objects.get().compared
    assert (state["since"], bool(state["started"])) == (None, True)

    monkeypatch.setattr(Budget, "is_used_up", lambda self, next_step=0.0: False)
    publishing.run()

    assert [copy.key for copy in copies.contradictions()] == [key]


def test_the_newest_is_found_from_any_guess(second: Store) -> None:
    guesses = [0, 1, 3, 40, 303, 500, 10**6]
    assert [second_bucket.newest_checkpoints(about) for about in guesses] == [[]] * len(guesses)
    sign(3)
    newest = [Checkpoint.parse(sign(300).note)]

    assert [second_bucket.newest_checkpoints(about) for about in guesses] == [newest] * len(guesses)


def test_a_bucket_that_is_down_stops_nothing_and_gets_all_later(caplog: pytest.LogCaptureFixture) -> None:
    with use_second_bucket() as second:
        first = sign()
        with override_second_bucket(**UNREACHABLE):
            missed = [sign(), sign()]
            assert CheckpointCopy.objects.count() == 1
            assert "log_bucket_failed" in caplog.text
            assert not any(record.levelname == "ERROR" for record in caplog.records)

        last = sign()

        assert [text for _, text in contents(second)] == [row.note for row in (first, *missed, last)]


def test_a_bucket_that_is_down_for_a_day_raises_an_alert(caplog: pytest.LogCaptureFixture) -> None:
    with use_second_bucket(create=False, endpoint_url=UNREACHABLE["endpoint_url"]):
        sign()
        as_superuser("UPDATE archive_logcheckpoint SET signed_at = signed_at - interval '25 hours'")
        caplog.clear()

        run_round()

    assert ["log_bucket_failed" in record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [
        True
    ]


def test_what_a_killed_worker_wrote_is_taken_for_its_own(second: Store) -> None:
    row = sign()
    before = contents(second)
    as_superuser("DELETE FROM archive_checkpointcopy")  # the process died before it stored that

    run_round()

    assert contents(second) == before
    assert CheckpointCopy.objects.get().checkpoint == row


def test_the_purge_of_spaces_does_not_touch_it(second: Store, alice: User) -> None:
    space = make_space(alice, ended_ago=timedelta(days=29))
    row = sign()
    update_space(space, expires_at=dbtime.now())

    assert purge(space.pk)

    assert row.note in [text for _, text in contents(second)]


def test_a_locked_bucket_is_refused_for_spaces(second: Store) -> None:
    with override_store(bucket_name=second.bucket):
        assert {message.id for message in bucket_is_erasable(databases=["default"])} == {"spacekeep.E101"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"create": False}, "was created. Each checkpoint is locked for 400 days (COMPLIANCE)."),
        pytest.param({}, "is ready. Each checkpoint is locked for 400 days (COMPLIANCE).", marks=pytest.mark.long),
        ({"lock": False}, "WARNING: it has no object lock"),
        ({"mode": "GOVERNANCE"}, "WARNING: these credentials may bypass its lock"),
        pytest.param({"create": False, **UNREACHABLE}, "WARNING: the log's second bucket", marks=pytest.mark.long),
    ],
)
def test_setup_store_says_what_the_bucket_does(
    options: dict[str, Any],
    words: str,
    bucket: rehearsal.Report,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def skip_spaces() -> None:
        monkeypatch.setattr(rehearsal, "run", lambda store: bucket)  # their bucket was tested before

    is_first_time, before = options == {"create": False}, dbtime.now()
    with use_second_bucket(**options):
        if not is_first_time:
            skip_spaces()
        call_command("setup_store")
        skip_spaces()
        call_command("setup_store")  # objects of the first rehearsal are no problem

    assert StoreReport.objects.filter(place=store().place, tried_at__gt=before).exists() == is_first_time
    lines = capsys.readouterr().out.splitlines()
    ready = lines.index(f"The bucket {store().bucket} is ready.")
    assert {line[:11] for line in lines[:ready]} == {"  works    "}
    assert words in lines[ready + 1]
    assert "If-None-Match" not in lines[ready + 1]
