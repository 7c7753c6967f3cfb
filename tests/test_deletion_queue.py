"""Deletion has its own queue: workers that are stopped, or busy with bundles, do not delay it."""

import json
import re
from datetime import timedelta

import pytest

from archive.models import Space, User
from archive.workers import read_workers
from tests.support.factory import make_row
from tests.support.processes import Services
from tests.support.waiting import wait_until


@pytest.mark.usefixtures("committed")
def test_a_worker_of_the_deletion_queue_deletes(services: Services, alice: User) -> None:
    due = make_row(alice, ended_ago=timedelta(days=31))

    celery = ("-m", "celery", "-A", "portal.celery", "--quiet", "worker")
    deleter = services.start("deleter", *celery, "--queues=deletion", "--concurrency=1")
    beat = services.beat()

    wait_until(lambda: Space.objects.get(pk=due.pk).state == "deleted", "the deletion finishes")
    assert [(worker.process.partition("@")[0], worker.queue) for worker in read_workers()] == [("celery", "deletion")]
    done = re.compile(rf"\[{due.pk}\.\w+\] succeeded")
    wait_until(lambda: bool(done.search(deleter.log.read_text())), "the log line is written")
    lines = [json.loads(line) for log in (deleter.log, beat.log) for line in log.read_text().splitlines()]
    named = {(line.get("kind"), line.get("space_id")) for line in lines if "succeeded" in line["event"]}
    assert ("Space", str(due.pk)) in named
