"""Two at once, in transactions of their own: exactly one wins, and the other one is told."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import pytest
from django.db import connection

from archive import clock
from archive.bundles import build
from archive.errors import TooLate
from archive.log import SYSTEM
from archive.models import Bundle, LogEntry, Space, User
from archive.retention import purge
from archive.retention.violations import flag
from tests.factory import make_contents, make_row

pytestmark = pytest.mark.usefixtures("committed")
T = TypeVar("T")
ROUNDS = 100


def at_once(*calls: Callable[[], T]) -> list[T]:
    """Run them in threads that start together, each with a connection of its own."""
    together = threading.Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        try:
            connection.ensure_connection()
            together.wait(10)
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def told(space: Space) -> list[str]:
    return list(LogEntry.objects.filter(space_id=space.id).order_by("id").values_list("event", flat=True))


def test_a_flag_against_the_deletion(alice: User, admin: User) -> None:
    """Flagged and kept, or too late and deleted: never both, never neither."""
    outcomes = set()
    for number in range(ROUNDS):
        # The flag has up to 30 ms until the deadline; the sweep looks again and again until that has passed.
        space = make_row(alice, ended_ago=timedelta(days=30) - timedelta(milliseconds=number % 30), title=str(number))
        deadline = space.ended_at + timedelta(days=30)

        def flagged(space: Space = space) -> bool:
            try:
                flag(space.id, "spam", "Watches.", admin)
            except TooLate:
                return False
            return True

        def began(space: Space = space, deadline: datetime = deadline) -> bool:
            last = False
            while not last:
                last = clock.now() > deadline + timedelta(milliseconds=20)
                if purge.begin(space.id):
                    return True
            return False

        was_flagged, had_begun = at_once(flagged, began)

        space.refresh_from_db()
        outcomes.add((was_flagged, had_begun))
        if was_flagged:
            assert (had_begun, space.state) == (False, "available")
            assert space.expires_at == space.ended_at + timedelta(days=120)
            assert told(space) == ["violation.flagged", "deadline.moved"]
        else:
            assert (had_begun, space.state) == (True, "expiring")
            assert told(space) == ["deletion.began"]
    assert outcomes == {(True, False), (False, True)}, "each of the two must have won at least once"


def test_two_purges(alice: User) -> None:
    for _ in range(10):
        space = make_row(alice, ended_ago=timedelta(days=31))
        make_contents(space)

        assert sorted(at_once(*[partial(purge.purge, space.id)] * 2)) == [False, True]

        assert told(space) == ["deletion.began", "deletion.listed", "space.deleted"]


def test_two_workers_and_one_bundle(make_space: Callable[..., Space]) -> None:
    space = make_space()
    bundle = build.request(space.id, SYSTEM)

    assert sorted(at_once(*[partial(build.build, bundle.id)] * 2)) == [False, True]

    assert told(space)[-3:] == ["bundle.requested", "bundle.started", "bundle.ready"]
    bundle.refresh_from_db()
    assert (bundle.state, bundle.fence) == ("ready", 1)


def test_two_requests_for_a_bundle(alice: User) -> None:
    for _ in range(20):
        space = make_row(alice)
        make_contents(space).delete()

        one, two = at_once(*[partial(build.request, space.id, SYSTEM)] * 2)

        assert one.pk == two.pk
        assert Bundle.objects.filter(space=space).count() == 1
        assert told(space) == ["bundle.requested"]
