"""The worker that several tests share carries nothing from one test to the next, and is not taken for idle when it logs
nothing."""

import subprocess
import sys
from typing import ClassVar

from kombu import Queue

from archive import tasks
from archive.models import Heartbeat
from portal.celery import app
from tests.faults.worker import published
from tests.support.database import empty_database
from tests.support.processes import ROOT, Services, count_messages, empty_queues, own_environment
from tests.support.reused_processes import Worker
from tests.support.waiting import wait_until


class Nobody(Worker):
    NAME: ClassVar[str] = "nobody@tests"


def test_a_worker_that_does_not_answer_is_not_idle() -> None:
    assert not Nobody._is_idle(seconds=0.2)


def test_each_test_finds_the_worker_that_took_its_tasks(services: Services) -> None:
    """A worker records at most every few seconds that it is alive. It must forget this when the database of a test is
    emptied."""
    for _ in range(3):
        services.worker()
        tasks.check_in.apply_async()
        wait_until(lambda: Heartbeat.objects.filter(process=Worker.NAME).exists(), "the worker is recorded as alive")
        services.stop()
        empty_database()


def test_a_paused_worker_takes_no_message(services: Services) -> None:
    """A paused worker must not return messages to the queue either, because tests look at it."""
    services.worker()
    services.stop()
    assert Worker.last is not None

    for _ in range(20):
        tasks.check_in.apply_async()
        assert published() == [("check_in", "")]
    assert "Requeuing" not in Worker.last.process.log.read_text()


def test_what_a_worker_had_taken_comes_to_no_later_test(services: Services) -> None:
    """Redis would deliver it to another worker an hour later, and counts it as a message until then."""
    tasks.check_in.apply_async()
    with app.connection_for_read() as broker:
        assert Queue("transcription")(broker.default_channel).get(accept=["json"])
        assert count_messages() == 1

        empty_queues()
        assert count_messages() == 0
    assert count_messages() == 0


def test_its_application_loads_before_django_is_set_up() -> None:
    """Celery loads it so in a process that is not forked from a test. A worker that cannot load it ends at once, and
    tests would wait for minutes."""
    command = [sys.executable, "-c", "import tests.support.reused_worker"]
    done = subprocess.run(command, cwd=ROOT, env=own_environment(), text=True, capture_output=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
