"""A claim expires with its lease, and a worker that lost it writes nothing."""

from datetime import timedelta
from typing import Any

import pytest

from archive import dbtime, leases
from archive.errors import LeaseLost, make_problem
from archive.models import Space, User
from tests.support.deadlines import seconds_from_now
from tests.support.errors import raises_error
from tests.support.factory import make_row
from tests.support.leases import claim_space, try_claim_space
from tests.support.rows import reload_space, update_space


@pytest.fixture
def space(db: None, alice: User) -> Space:
    return make_row(alice, state="processing")


def test_a_claim_holds_for_a_lease(space: Space) -> None:
    first = claim_space(space)

    assert (first.fence, first.attempt) == (1, 1)
    assert 500 < seconds_from_now(reload_space(space).lease_until) <= 600  # LEASE_SECONDS in the tests
    assert try_claim_space(space) is None


def test_a_claim_after_an_expired_lease_has_a_higher_fence(space: Space) -> None:
    claim_space(space)
    update_space(space, lease_until=dbtime.now())

    second = claim_space(space)

    assert (second.fence, second.attempt) == (2, 2)
    assert (reload_space(space).fence, reload_space(space).attempts) == (2, 2)


def test_a_claim_can_change_fields(space: Space) -> None:
    leases.claim(Space, space.pk, ["processing"], listeners_peak=7)

    assert reload_space(space).listeners_peak == 7


def test_a_row_in_another_state_cannot_be_claimed(space: Space) -> None:
    assert leases.claim(Space, space.pk, ["expiring"]) is None
    assert reload_space(space).attempts == 0


def test_a_renewal_extends_the_lease_and_writes_progress(space: Space) -> None:
    mine = claim_space(space)
    update_space(space, lease_until=dbtime.now() + timedelta(seconds=1))

    mine.renew(listeners_peak=9)

    assert 500 < seconds_from_now(reload_space(space).lease_until) <= 600
    assert reload_space(space).listeners_peak == 9


@pytest.mark.parametrize("meanwhile", [{"fence": 2}, {"state": "available"}], ids=["claimed again", "moved on"])
def test_a_worker_that_lost_its_lease_writes_nothing(space: Space, meanwhile: dict[str, Any]) -> None:
    mine = claim_space(space)
    update_space(space, **meanwhile)

    with raises_error(LeaseLost, "work.lease_lost"):
        mine.renew(listeners_peak=9)
    mine.release_for_retry(make_problem("work.gave_up"))

    assert (reload_space(space).listeners_peak, reload_space(space).problem) == (None, {})
