"""Deletion has its own queue: workers that are busy with bundles, or stopped, do not delay it."""

from datetime import timedelta

import pytest

from archive.models import Space, User
from tests.support.factory import make_row
from tests.support.processes import Services
from tests.support.waiting import wait_until


@pytest.mark.usefixtures("committed")
def test_a_worker_of_the_deletion_queue_deletes(services: Services, alice: User) -> None:
    due = make_row(alice, ended_ago=timedelta(days=31))

    services.start("deleter", "-m", "celery", "-A", "portal.celery", "worker", "--queues=deletion", "--concurrency=1")
    services.beat()

    wait_until(lambda: Space.objects.get(pk=due.pk).state == "deleted", "it is deleted")
