"""Failed work is retried after a pause, oldest first."""

from datetime import timedelta

import pytest

from archive import dbtime, leases
from archive.errors import make_problem
from archive.models import Space, User
from tests.support.deadlines import seconds_from_now
from tests.support.factory import make_row
from tests.support.leases import claim_space, try_claim_space
from tests.support.rows import reload_space, update_space


@pytest.fixture
def space(db: None, alice: User) -> Space:
    return make_row(alice, state="processing")


@pytest.mark.parametrize(("attempt", "pause"), [(1, 5), (2, 10), (3, 20), (7, 320), (8, 600), (50, 600)])
def test_the_pause_doubles_up_to_ten_minutes(space: Space, attempt: int, pause: int) -> None:
    update_space(space, attempts=attempt - 1)

    claim_space(space).release_for_retry(make_problem("work.gave_up"))

    assert pause - 60 < seconds_from_now(reload_space(space).retry_at) <= pause
    assert reload_space(space).problem == make_problem("work.gave_up")
    assert -60 < seconds_from_now(reload_space(space).lease_until) <= 0  # the time of the last progress
    assert try_claim_space(space) is None


def test_a_row_is_claimable_after_its_pause(space: Space) -> None:
    claim_space(space).release_for_retry(make_problem("work.gave_up"))
    update_space(space, retry_at=dbtime.now())

    second = claim_space(space)

    assert second.attempt == 2
    assert reload_space(space).retry_at is None


def test_a_row_can_be_released_without_a_pause(space: Space) -> None:
    claim_space(space).release_for_retry(make_problem("work.gave_up"), at_once=True)

    assert claim_space(space).attempt == 2


def test_claimable_rows_are_sorted_by_lease(db: None, alice: User) -> None:
    now = dbtime.now()
    hour = timedelta(hours=1)
    make_row(alice, state="processing", lease_until=now + hour)
    make_row(alice, state="processing", retry_at=now + hour)
    make_row(alice, state="available")
    late = make_row(alice, state="processing", lease_until=now - hour)
    later = make_row(alice, state="expiring", lease_until=now - 2 * hour)
    new = make_row(alice, state="processing", retry_at=now - hour)

    assert leases.claimable_ids(Space, ["processing", "expiring"]) == [new.pk, later.pk, late.pk]
    assert leases.claimable_ids(Space, ["processing", "expiring"], limit=2) == [new.pk, later.pk]
    assert leases.claimable_ids(Space, ["processing"]) == [new.pk, late.pk]
