"""After ten unexpected failures, work is retried only once a day, and its row says so."""

import contextlib
from datetime import timedelta
from typing import Any

import pytest

from archive import dbtime, error_messages, leases
from archive.errors import StoreUnavailable
from archive.leases import Claim
from archive.models import Space, User
from archive.retention import purge
from tests.support.deadlines import make_due
from tests.support.factory import make_row
from tests.support.rows import reload_space, update_space

PROCESSING = [Space.State.PROCESSING]


@pytest.fixture
def space(db: None, alice: User) -> Space:
    return make_row(alice, state="processing")


def crash(claim: Claim[Space]) -> bool:
    raise KeyError("somebody's words")


def store_is_down(claim: Claim[Space]) -> bool:
    raise StoreUnavailable("storage.unavailable", reason="it is down")


def attempt(space: Space, run: Any, **options: Any) -> None:
    """Make one attempt without waiting for the pause."""
    update_space(space, lease_until=None, retry_at=None)
    with contextlib.suppress(KeyError):
        leases.attempt(leases.claim(Space, space.pk, PROCESSING), run, **options)


def pause(space: Space) -> timedelta:
    retry_at = reload_space(space).retry_at
    assert retry_at is not None
    return retry_at - dbtime.now()


def test_after_ten_unexpected_errors_there_is_one_attempt_a_day(space: Space) -> None:
    for _ in range(10):
        attempt(space, crash)
    assert pause(space) <= timedelta(minutes=10)
    assert reload_space(space).problem_code == "work.unexpected"

    attempt(space, crash)

    assert timedelta(hours=23) < pause(space) <= timedelta(days=1)
    problem = reload_space(space).problem
    assert (problem["code"], problem["params"]["count"]) == ("work.parked", 10)
    assert problem["params"]["reason"] == {"code": "work.unexpected", "params": {"error": "KeyError"}}
    assert "KeyError" in error_messages.render(problem)


def test_workers_that_die_count_too(space: Space) -> None:
    """A killed worker writes nothing, so the claim itself counts it."""
    for _ in range(10):
        update_space(space, lease_until=None)
        assert leases.claim(Space, space.pk, PROCESSING)
    during: list[Space] = []

    def die(claim: Claim[Space]) -> bool:
        during.append(reload_space(space))
        raise SystemExit  # a killed worker leaves only what was written before

    update_space(space, lease_until=None)
    with pytest.raises(SystemExit):
        leases.attempt(leases.claim(Space, space.pk, PROCESSING), die)

    assert during[0].problem == {
        "code": "work.parked",
        "params": {"count": 10, "reason": {"code": "work.gave_up", "params": {}}},
    }
    assert during[0].retry_at is not None
    assert during[0].retry_at - dbtime.now() > timedelta(hours=23)
    update_space(space, lease_until=None)
    assert leases.claim(Space, space.pk, PROCESSING) is None


def test_known_errors_do_not_count(space: Space) -> None:
    for _ in range(12):
        attempt(space, store_is_down)

    assert pause(space) <= timedelta(minutes=10)
    assert (reload_space(space).unforeseen, reload_space(space).attempts) == (0, 12)


def test_what_is_parked_may_still_succeed(space: Space) -> None:
    for _ in range(11):
        attempt(space, crash)
    done: list[int] = []

    def succeed(claim: Claim[Space]) -> bool:
        done.append(claim.attempt)
        return True

    attempt(space, succeed)

    assert done == [12]


def test_deletions_are_never_parked(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise KeyError

    make_due(space)
    with monkeypatch.context() as patch:
        patch.setattr(purge, "_inventory", fail)
        for unforeseen in (0, 12):
            update_space(space, unforeseen=unforeseen, lease_until=None, retry_at=None)
            with pytest.raises(KeyError):
                purge.purge(space.pk)
    row = reload_space(space)
    assert (row.state, row.unforeseen, row.problem_code) == ("expiring", 12, "work.unexpected")
    assert pause(space) <= timedelta(minutes=10)

    update_space(space, retry_at=None)
    assert purge.purge(space.pk)


def test_a_parked_space_is_deleted_at_its_deadline(space: Space) -> None:
    update_space(space, unforeseen=12, retry_at=dbtime.now() + timedelta(days=1))
    make_due(space)

    assert purge.purge(space.pk)


def test_an_attempt_in_a_batch_forgets_no_earlier_crash(space: Space) -> None:
    """A crash of a batch is not counted, so the end of an attempt in a batch takes nothing off the count either."""
    update_space(space, unforeseen=3)
    (claim,) = leases.claim_all(Space, [space.pk], PROCESSING)

    claim.release_for_retry({"code": "storage.unavailable", "params": {"reason": "it is down"}})

    assert reload_space(space).unforeseen == 3
