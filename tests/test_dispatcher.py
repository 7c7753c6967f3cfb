"""Beat and the dispatcher: a clock that was wrong stops neither, and a dispatcher that is silent is reported."""

import shelve
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from celery import beat

from archive import dispatch_rounds
from archive.models import TaskRun
from archive.tasks import dispatch
from portal import worker_thread
from portal.beat import Scheduler
from portal.celery import app
from tests.faults.worker import published
from tests.support.processes import empty_queues

EACH_ROUND = {"dispatch", "sequence_log", "publish_checkpoints", "announce_overdue", "build_bundles_ahead"}
EACH_TEN_ROUNDS = {
    *("create_reminders", "create_digests", "create_checkpoint_mails", "clean_inboxes", "rehearse_store"),
}


@pytest.fixture(autouse=True)
def no_messages() -> Iterator[None]:
    empty_queues()
    yield
    empty_queues()


def tasks() -> list[str]:
    return [task for task, _ in published()]


def test_beat_sends_everything_at_its_start_and_again_in_its_interval(tmp_path: Path) -> None:
    alive = tmp_path / "beat"
    scheduler = Scheduler(app=app, schedule_filename=str(alive))

    assert 0 < scheduler.tick() <= 1  # DISPATCH_SECONDS of the tests
    assert alive.exists()
    assert set(tasks()) == EACH_ROUND | EACH_TEN_ROUNDS
    scheduler.tick()
    assert tasks() == []
    time.sleep(1.05)
    scheduler.tick()
    assert sorted(tasks()) == sorted(EACH_ROUND)
    scheduler.close()


def test_beat_ignores_last_runs_in_the_future(tmp_path: Path) -> None:
    """The file of Celery's own scheduler, as a minute with the clock a year ahead leaves it, silences that one only."""
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
    assert tasks() == []

    ours = Scheduler(app=app, schedule_filename=str(file))
    ours.tick()
    ours.close()

    assert "dispatch" in tasks()


@pytest.mark.usefixtures("db")
def test_a_silent_dispatcher_is_reported_and_its_tasks_are_published(caplog: pytest.LogCaptureFixture) -> None:
    dispatch()
    assert not worker_thread.watch_dispatcher(0)
    assert caplog.records == []
    assert not EACH_ROUND & set(tasks())
    TaskRun.objects.filter(pk="dispatch").update(finished_at=datetime.now(UTC) - timedelta(hours=1))

    assert worker_thread.watch_dispatcher(0)

    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert "dispatcher_silent" in record.getMessage()
    assert set(tasks()) >= EACH_ROUND
    dispatch()
    assert not worker_thread.watch_dispatcher(0)


@pytest.mark.usefixtures("db")
def test_before_the_first_round_the_silence_counts_from_the_start_of_the_worker() -> None:
    assert dispatch_rounds.seconds_overdue(299) is None
    assert dispatch_rounds.seconds_overdue(301) == 301
