"""A wrong clock stops neither beat nor the dispatcher, and a dispatcher that does not run is reported."""

import os
import shelve
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from celery import beat
from django.conf import settings as django_settings
from django.db import OperationalError
from pytest_django import Settings
from structlog.testing import capture_logs

from archive import dispatch_rounds, lease_renewal, tasks
from archive.models import LogEntry, RateLimit, Space, TaskRun, User
from archive.status.facts import read_facts
from archive.status.find_alerts import find_alerts
from archive.tasks import dispatch
from portal import worker_thread
from portal.beat import Scheduler
from portal.celery import app
from tests.faults.worker import published, work
from tests.support.clocks import MonotonicClock
from tests.support.factory import make_row
from tests.support.processes import Services, count_messages, empty_queues
from tests.support.waiting import wait_until

EACH_ROUND = {"dispatch", "sequence_log", "publish_checkpoints", "announce_overdue", "build_bundles_ahead"}
EACH_TEN_ROUNDS = {
    *("create_reminders", "create_digests", "create_checkpoint_mails", "clean_inboxes", "rehearse_store"),
}


@pytest.fixture(autouse=True)
def no_messages() -> Iterator[None]:
    empty_queues()
    yield
    empty_queues()


def published_tasks() -> list[str]:
    return [task for task, _ in published()]


def test_beat_sends_everything_at_its_start_and_again_in_its_interval(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = MonotonicClock()
    monkeypatch.setattr("portal.beat.time", clock)
    alive = tmp_path / "beat"
    scheduler = Scheduler(app=app, schedule_filename=str(alive))

    assert scheduler.tick() == 1  # DISPATCH_SECONDS in the tests
    assert alive.exists()
    assert set(published_tasks()) == EACH_ROUND | EACH_TEN_ROUNDS
    scheduler.tick()
    assert published_tasks() == []
    clock.now += 1
    scheduler.tick()
    assert sorted(published_tasks()) == sorted(EACH_ROUND)
    clock.now += 9
    scheduler.tick()
    assert sorted(published_tasks()) == sorted(EACH_ROUND | EACH_TEN_ROUNDS)
    scheduler.close()


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("broken", ["HOUSEKEEPING", "WORK"])
def test_a_step_that_fails_delays_no_deletion(broken: str, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    space = make_row(alice, ended_ago=timedelta(days=31))

    def fail(*args: object) -> list[object]:
        raise ZeroDivisionError

    if broken == "HOUSEKEEPING":
        monkeypatch.setattr(tasks, "HOUSEKEEPING", (fail, fail, *tasks.HOUSEKEEPING))
    else:
        monkeypatch.setattr(tasks, "WORK", [*[replace(tasks.WORK[0], pending_ids=fail)] * 2, *tasks.WORK])
    with pytest.raises(ZeroDivisionError), capture_logs() as lines:
        dispatch()

    assert ("purge_space", str(space.pk)) in published()
    assert [line["event"] for line in lines] == ["step_failed"]  # the first error is raised


def test_beat_shows_each_minute_that_it_lives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beat wakes up each minute even if it has nothing to send, because health checks look at the age of its file."""
    for entry in app.conf.beat_schedule.values():
        monkeypatch.setitem(entry, "schedule", timedelta(hours=1))
    file = tmp_path / "beat"
    scheduler = Scheduler(app=app, schedule_filename=str(file))

    assert scheduler.tick() == 60
    os.utime(file, (0, 0))
    assert scheduler.tick() == 60
    assert file.stat().st_mtime > 0
    scheduler.close()


def test_beat_ignores_last_runs_in_the_future(tmp_path: Path) -> None:
    """If the clock was a year ahead for a minute, the file of Celery's own scheduler silences that scheduler, but not
    ours."""
    in_a_year = datetime.now(UTC) + timedelta(days=365)
    file = tmp_path / "beat"
    celerys = beat.PersistentScheduler(app=app, schedule_filename=str(file))
    celerys.close()
    with shelve.open(str(file), writeback=True) as stored:  # noqa: S301  (our own file)
        for entry in stored["entries"].values():
            entry.last_run_at = in_a_year
    celerys = beat.PersistentScheduler(app=app, schedule_filename=str(file))
    celerys.tick()
    celerys.close()
    assert published_tasks() == []

    ours = Scheduler(app=app, schedule_filename=str(file))
    ours.tick()
    ours.close()

    assert "dispatch" in published_tasks()


@pytest.mark.usefixtures("db")
def test_a_silent_dispatcher_is_reported_and_overdue_tasks_are_published_once_a_minute(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    dispatch()
    assert not worker_thread.watch_dispatcher(0)
    assert caplog.records == []
    assert not EACH_ROUND & set(published_tasks())
    TaskRun.objects.filter(pk="dispatch").update(finished_at=datetime.now(UTC) - timedelta(hours=1))
    TaskRun.objects.create(task="announce_overdue", finished_at=datetime.now(UTC) + timedelta(minutes=1))

    assert worker_thread.watch_dispatcher(0)

    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert "dispatcher_silent" in record.getMessage()
    assert sorted(published_tasks()) == sorted((EACH_ROUND | EACH_TEN_ROUNDS) - {"announce_overdue"})
    assert worker_thread.watch_dispatcher(0)  # as the threads of the other processes do in the same minute
    assert (len(caplog.records), published_tasks()) == (1, [])
    RateLimit.objects.update(used_up_at=datetime.now(UTC))
    TaskRun.objects.filter(pk="announce_overdue").delete()
    monkeypatch.delitem(django_settings.CELERY_BEAT_SCHEDULE["announce-overdue"], "options")
    assert worker_thread.watch_dispatcher(0)
    assert "announce_overdue" in published_tasks()
    dispatch()
    assert not worker_thread.watch_dispatcher(0)


@pytest.mark.usefixtures("db")
def test_before_the_first_round_the_silence_counts_from_the_start_of_the_worker() -> None:
    assert dispatch_rounds.seconds_overdue(299) is None
    assert dispatch_rounds.seconds_overdue(301) == 301


def send_of_beat(file: Path) -> None:
    """Send what beat sends when it starts."""
    scheduler = Scheduler(app=app, schedule_filename=str(file))
    scheduler.tick()
    scheduler.close()


@pytest.mark.usefixtures("committed")
def test_a_beat_that_is_an_hour_behind_delays_deletions_by_minutes_and_is_an_alert(
    services: Services, alice: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its messages have expired when workers receive them, as if there were no beat. A worker publishes beat's tasks
    instead."""
    space = make_row(alice, ended_ago=timedelta(days=31))
    TaskRun.objects.create(pk="dispatch", finished_at=datetime.now(UTC) - timedelta(minutes=20))
    with monkeypatch.context() as patch:
        patch.setattr(app, "now", lambda: datetime.now(UTC) - timedelta(hours=1))
        send_of_beat(tmp_path / "beat")
    services.worker()
    wait_until(lambda: not count_messages(), "the worker drops the expired messages")
    assert Space.objects.get(pk=space.pk).state == "available"
    assert not TaskRun.objects.exclude(pk="dispatch").exists()
    codes = {alert.code for alert in find_alerts(read_facts())}
    assert {"deletions_overdue", "beat_missing"} <= codes

    assert worker_thread.watch_dispatcher(0)  # the worker's thread does this each minute

    wait_until(lambda: Space.objects.get(pk=space.pk).state == "deleted", "the Space is deleted")
    wait_until(lambda: "beat_missing" not in {alert.code for alert in find_alerts(read_facts())}, "the alert ends")


def test_workers_stand_in_for_beat_within_a_quarter_of_an_hour(settings: Settings) -> None:
    """The time is the silence for which workers wait, plus one round of their threads and one round of the dispatcher,
    with the settings of production."""
    settings.DISPATCH_SECONDS = 60
    watched = timedelta(seconds=worker_thread.WATCH_SECONDS + lease_renewal.interval())

    assert dispatch_rounds.patience() + watched < timedelta(minutes=10)


@pytest.mark.usefixtures("committed", "bucket")
def test_two_beats_delete_once(alice: User, tmp_path: Path) -> None:
    space = make_row(alice, ended_ago=timedelta(days=31))
    send_of_beat(tmp_path / "one")
    send_of_beat(tmp_path / "two")
    assert published_tasks().count("dispatch") == 2
    send_of_beat(tmp_path / "one")
    send_of_beat(tmp_path / "two")

    work()

    events = LogEntry.objects.filter(space_id=space.pk).order_by("id").values_list("event", flat=True)
    assert list(events) == ["deletion.started", "space.deleted"]


@pytest.mark.parametrize(
    ("error", "ran", "logged"),
    [(KeyError("Nora"), True, ["worker_thread_failed"]), (OperationalError("it is down"), False, [])],
)
def test_no_step_ends_the_thread(error: Exception, ran: bool, logged: list[str]) -> None:
    """An error in a step does not end the thread. The steps after it are skipped only if the database is down."""
    done: list[bool] = []

    def fail() -> None:
        raise error

    with capture_logs() as lines:
        worker_thread.run_steps([fail, lambda: done.append(True)])

    assert bool(done) == ran
    assert [line["event"] for line in lines] == logged
    assert "Nora" not in str(lines)
