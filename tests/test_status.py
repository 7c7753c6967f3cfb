"""The status for operators counts the same work as workers find, reads only indexes, and omits only the parts that are
down."""

import re
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.conf import settings as django_settings
from django.db import OperationalError, connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext
from structlog.testing import capture_logs

from archive import dbtime, log, restores, status, tasks
from archive.errors import make_problem
from archive.intake.uploads import clean_up
from archive.lifecycle import TRANSITIONS
from archive.log import SYSTEM, events, rfc3339
from archive.models import Bundle, LogEntry, Notice, Space, TaskRun, Transcription, User
from archive.status import broker, facts, read_status, work
from archive.status.alerts import KINDS
from archive.status.counts import format_count, format_counted
from archive.status.deletions import read_deletions
from archive.status.events import FAILURES
from archive.status.find_alerts import find_alerts
from archive.status.labels import PARTS
from archive.status.reading import Reader
from tests.support.factory import make_held, make_row
from tests.support.processes import empty_queues
from tests.support.webhook_receiver import announce, subscribe

pytestmark = pytest.mark.usefixtures("db")


def work_of(task: str) -> work.WorkStatus:
    return next(found for found in work.read_work() if found.task == task)


def make_bundle(space: Space, digest: str, **fields: Any) -> Bundle:
    return Bundle.objects.create(space=space, content_digest=digest, **fields)


def test_every_kind_of_work_is_counted(settings: Any) -> None:
    settings.TRANSCRIPTION_MODEL = "/model"

    kinds = {kind.task for kind in work.kinds()}

    assert kinds == {kind.task.name.removeprefix("archive.tasks.") for kind in tasks.WORK}


def test_what_workers_find_is_counted_as_ready(settings: Any, alice: User, admin: User) -> None:
    """One row of each kind of work, compared with what the dispatcher would publish."""
    settings.TRANSCRIPTION_MODEL = "/model"
    space = make_row(alice)
    make_row(alice, state=Space.State.PROCESSING)
    make_row(alice, state=Space.State.EXPIRING, ended_ago=timedelta(days=31))
    make_row(alice, ended_ago=timedelta(days=31))
    make_bundle(space, "a")
    make_bundle(space, "b", state="failed", problem=make_problem("work.gave_up"))
    Notice.objects.create(kind=Notice.Kind.FLAGGED, user=alice, space=space)
    Transcription.objects.create(space=space)
    subscribe("https://receiver.example.org/", admin)
    announce(space)

    expected: dict[str, int] = {}
    for kind in tasks.WORK:
        task = kind.task.name.removeprefix("archive.tasks.")
        expected[task] = expected.get(task, 0) + len(list(kind.pending_ids(Q())))
    counted = {found.task: found.ready for found in work.read_work()}

    assert counted == expected
    found = {task for task, count in counted.items() if count}
    assert {"purge_space", "publish_space", "build_bundle", "clear_bundle_storage", "send_notice"} <= found
    assert {"transcribe", "deliver_webhook"} <= found
    assert counted["purge_space"] == 2


def test_rows_have_a_phase_an_age_and_a_reason(alice: User) -> None:
    space, now = make_row(alice), dbtime.now()
    down = make_problem("storage.unreachable", what="x", error="ConnectTimeoutError")
    make_bundle(space, "ready")
    make_bundle(space, "running", lease_until=now + timedelta(minutes=9), attempts=1)
    make_bundle(space, "paused", retry_at=now + timedelta(minutes=9), attempts=3, problem=down)
    make_bundle(space, "due again", retry_at=now - timedelta(minutes=9), attempts=2, problem=down)
    make_bundle(space, "parked", retry_at=now + timedelta(days=1), attempts=11, unforeseen=11)
    Bundle.objects.filter(content_digest="paused").update(requested_at=now - timedelta(hours=2))

    found = work_of("build_bundle")

    assert (found.ready, found.running, found.paused, found.parked, found.total) == (2, 1, 1, 1, 5)
    assert found.retried == 3
    assert found.oldest_at == now - timedelta(hours=2)
    assert found.problems == {"storage.unreachable": 2}
    assert work_of("verify_bundle") == work.WorkStatus("verify_bundle", problems={})


def test_no_more_than_the_limit_is_read(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "MAX_COUNTED", 2)
    space = make_row(alice)
    for number in range(3):
        make_bundle(space, str(number))

    found = work_of("build_bundle")
    assert (found.ready, found.is_cut) == (2, True)
    assert not work_of("send_notice").is_cut


PARTIAL = "SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE indpred IS NOT NULL"


def test_each_kind_reads_an_index_that_has_little_else(settings: Any) -> None:
    """Whatever sizes PostgreSQL assumes, it must read no table that grows with the archive."""
    settings.TRANSCRIPTION_MODEL = "/model"
    with connection.cursor() as cursor:
        cursor.execute(PARTIAL)
        allowed = {name for (name,) in cursor.fetchall()} | {"account_mail_to_send"}  # a table with nothing else
        cursor.execute("SET LOCAL enable_seqscan = off")
        for kind in work.kinds():
            statement, params = work.counting_statement(kind)
            cursor.execute(f"EXPLAIN {statement}", params)
            plan = "\n".join(line for (line,) in cursor.fetchall())
            table = kind.model._meta.db_table
            scanned = re.findall(rf"(?:using|on) (\w+) on {table}\b|Bitmap Index Scan on (\w+)", plan)
            used = {name for pair in scanned for name in pair if name}
            assert f"Seq Scan on {table}" not in plan, (kind.task, plan)
            assert used, (kind.task, plan)
            assert used <= allowed, (kind.task, plan)


def test_uploads_to_clean_up_are_found_by_indexes() -> None:
    """The dispatcher looks for them each minute, and most uploads were accepted long ago."""
    with CaptureQueriesContext(connection) as queries:
        clean_up.abandoned()
    _, query = queries  # the first query asks whether a restore is unconfirmed

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {query['sql']}")
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert set(re.findall(r"Index Scan on (\w+)", plan)) == {"upload_open", "upload_uncleared", "upload_imported"}


def test_deletions_are_late_or_on_time(alice: User) -> None:
    now = dbtime.now()
    make_row(alice, ended_at=now - timedelta(days=30, minutes=5))  # due, but not late yet
    make_row(alice, ended_at=now - timedelta(days=30, minutes=20))
    make_row(alice, ended_at=now - timedelta(days=30, minutes=30), state=Space.State.EXPIRING)
    make_held(alice)
    for minutes in (1, 2, 20):
        deadline = rfc3339(now - timedelta(minutes=minutes))
        log.record(events.SPACE_DELETED, space_id=None, actor=SYSTEM, deadline=deadline, removed=[])
    log.record(events.SPACE_DELETED, space_id=None, actor=SYSTEM, deadline=None, removed=[])  # an abandoned upload

    found = read_status().deletions

    assert found is not None
    assert (found.due, found.expiring, found.overdue, found.on_hold) == (2, 1, 2, 1)
    assert not found.is_paused
    assert found.oldest_pending == now - timedelta(minutes=30)
    assert (found.deleted, found.late) == (3, 1)
    deleted = LogEntry.objects.filter(event=events.SPACE_DELETED).order_by("pk")
    after = [entry.at - (now - timedelta(minutes=minutes)) for minutes, entry in zip((1, 2, 20), deleted, strict=False)]
    assert found.median == pytest.approx(after[1].total_seconds(), abs=1)
    assert found.worst == pytest.approx(after[2].total_seconds(), abs=1)
    restores.open_restore("the store", 7)
    assert read_deletions().is_paused


def test_the_log_waits_for_its_sequencer() -> None:
    log.record(events.NOTICE_FAILED, space_id=None, actor=SYSTEM, kind="flagged")

    found = read_status()

    assert found.log is not None
    assert found.log.waiting == 1
    assert found.log.oldest_waiting is not None
    assert (found.log.checkpoint_at, found.log.is_published) == (None, False)
    assert found.events is not None
    assert found.events["notice.failed"] == 1
    assert sum(found.events.values()) == 1


def test_each_task_that_beat_starts_says_when_it_was_done() -> None:
    before = dbtime.now()
    scheduled = {str(entry["task"]) for entry in django_settings.CELERY_BEAT_SCHEDULE.values()}
    TaskRun.objects.create(task="create_digests", finished_at=before - timedelta(days=1))

    tasks.create_digests()
    tasks.announce_overdue()

    runs = read_status().task_runs
    assert runs is not None
    assert set(runs) == {"create_digests", "announce_overdue"}
    assert min(runs.values()) >= before
    for name in scheduled:
        task: Any = current_app.tasks[name]
        assert task.__wrapped__.__wrapped__, name  # each is `scheduled`


def test_a_task_that_fails_was_not_done(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError

    monkeypatch.setattr("archive.webhooks.announce_overdue", fail)

    with pytest.raises(RuntimeError):
        tasks.announce_overdue()

    assert read_status().task_runs == {}


def test_the_broker_is_asked_how_much_waits() -> None:
    empty_queues()
    tasks.purge_space.apply_async(args=("none",))

    assert read_status().queues == {"celery": 0, "deletion": 1, "transcription": 0}
    empty_queues()


def test_what_is_down_or_slow_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def sleep() -> status.RecentEvents:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(20)")
        return {}

    monkeypatch.setattr(status, "read_events", sleep)
    monkeypatch.setattr(status, "SECONDS", 0.1)
    monkeypatch.setattr(current_app.conf, "broker_read_url", "redis://:very-secret@127.0.0.1:1/0")

    with pytest.raises(broker.BrokerDown) as raised:
        broker.read_queues()
    found = read_status()

    assert "secret" not in str(raised.value)
    assert (found.events, found.queues, found.unreadable) == (None, None, ("events", "queues"))
    assert found.deletions is not None


def fail_to_read() -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nonsense")


def time_out() -> Any:
    raise OperationalError("canceling statement due to lock timeout")


@pytest.mark.parametrize(("fault", "event"), [(fail_to_read, "status_failed"), (time_out, "status_unreadable")])
def test_what_fails_hides_nothing_else(monkeypatch: pytest.MonkeyPatch, fault: Any, event: str) -> None:
    """An error that does not mean that the database is down is a bug, and is logged as one. The pause is still
    shown."""
    restores.open_restore("the store", 7)
    monkeypatch.setattr(facts, "read_workers", fault)
    monkeypatch.setattr(status, "read_events", fault)

    with capture_logs() as lines:
        found = facts.read_facts()

    assert found.unreadable == ("events", "workers")
    assert found.pause
    assert (found.workers, found.problems, found.contradictions) == (None, (), 0)
    assert {alert.code for alert in find_alerts(found)} >= {"restore_not_confirmed", "unreadable"}
    assert [(line["event"], line["part"]) for line in lines] == [(event, "events"), (event, "workers")]


def test_every_part_that_may_be_unreadable_has_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    parts: list[str] = []
    monkeypatch.setattr(Reader, "read", lambda reader, name, read: parts.append(name))

    facts.read_facts()

    assert set(parts) - {"at"} == set(PARTS) - {"queues"}


def test_a_count_at_its_limit_says_so() -> None:
    assert [format_counted(count) for count in (0, 9_999, 10_000)] == ["0", "9\u202f999", "10\u202f000 or more"]
    assert format_count(12, is_least=True) == "12 or more"


# Retried until they succeed.
NEVER_FAILS = {
    *("purge_space", "abandon_upload", "settle_arrival", "verify_log"),
    *("verify_bundle", "clear_bundle_storage", "verify_export_part", "clear_export_part_storage"),
}


def test_every_failure_of_the_log_has_a_kind_of_work_and_its_alert() -> None:
    kinds = {kind.task for kind in work.kinds()} | {"transcribe"}
    assert set(FAILURES) <= kinds
    assert kinds - set(FAILURES) == NEVER_FAILS | {"import_transcript"}  # its host sees that the upload was rejected
    assert {failure.alert for failure in FAILURES.values()} - {""} <= set(KINDS)
    ends = {event for (model, _, new), event in TRANSITIONS.items() if new.value in ("failed", "refused", "rejected")}
    assert ends - {failure.event for failure in FAILURES.values()} == {events.UPLOAD_REJECTED}


def test_the_time_limit_ends_with_the_status() -> None:
    read_status()

    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)
