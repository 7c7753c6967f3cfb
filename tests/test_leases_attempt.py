"""`leases.attempt`: what each kind of error does, and the time limit of a run."""

from typing import Any

import pytest

from archive import leases
from archive.errors import (
    AttemptsExhausted,
    DecoderFailed,
    DiskFailed,
    LeaseLost,
    MailUnavailable,
    ObjectMissing,
    Refused,
    SpacekeepError,
    StoreUnavailable,
    make_problem,
)
from archive.leases import Budget, Claim
from archive.models import Space, User
from tests.support.factory import make_row
from tests.support.leases import claim_space
from tests.support.rows import reload_space, update_space

PROCESSING = [Space.State.PROCESSING]


@pytest.fixture
def space(db: None, alice: User) -> Space:
    return make_row(alice, state="processing")


def attempt(space: Space, result: bool | BaseException, **policy: Any) -> tuple[bool, list[SpacekeepError]]:
    """Make one attempt. Returns its result and the errors that ended the work."""
    failures: list[SpacekeepError] = []

    def run(claim: Claim[Space]) -> bool:
        if isinstance(result, BaseException):
            raise result
        return result

    claim = leases.claim(Space, space.pk, PROCESSING)
    answer = leases.attempt(claim, run, fail=lambda claim, error: failures.append(error), **policy)
    return answer, failures


@pytest.mark.parametrize("answer", [True, False])
def test_an_attempt_returns_the_result_of_the_work(space: Space, answer: bool) -> None:
    assert attempt(space, answer) == (answer, [])


def test_a_row_claimed_by_another_worker_is_not_run(space: Space) -> None:
    claim_space(space)

    assert attempt(space, AssertionError("it ran")) == (False, [])


@pytest.mark.parametrize(
    "error",
    [
        StoreUnavailable("storage.unreachable"),
        ObjectMissing("storage.answer"),
        DecoderFailed("audio.decoder_died"),
        DiskFailed("audio.disk_failed"),
        MailUnavailable("mail.not_taken"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_that_passes_releases_the_row_for_a_retry(space: Space, error: SpacekeepError) -> None:
    assert attempt(space, error) == (False, [])

    after = reload_space(space)
    assert (after.problem, after.attempts) == (error.problem, 1)
    assert after.retry_at is not None


def test_a_permanent_error_ends_the_work(space: Space) -> None:
    error = ObjectMissing("storage.answer")

    assert attempt(space, error, permanent=(Refused, ObjectMissing)) == (False, [error])

    assert reload_space(space).retry_at is None


def test_the_last_attempts_error_is_permanent(space: Space) -> None:
    error = StoreUnavailable("storage.unreachable")
    update_space(space, attempts=1)
    assert attempt(space, error, max_attempts=3) == (False, [])
    update_space(space, retry_at=None)

    assert attempt(space, error, max_attempts=3) == (False, [error])


@pytest.mark.parametrize(
    ("problem", "code"), [({}, "work.gave_up"), (make_problem("storage.unreachable"), "storage.unreachable")]
)
def test_a_row_is_not_run_after_too_many_crashes(space: Space, problem: dict[str, Any], code: str) -> None:
    update_space(space, attempts=3, problem=problem)

    answer, (error,) = attempt(space, AssertionError("it ran"), max_attempts=3)

    assert (answer, type(error), error.code) == (False, AttemptsExhausted, code)


def test_a_lost_lease_stops_it_and_writes_nothing(space: Space) -> None:
    assert attempt(space, LeaseLost("work.lease_lost")) == (False, [])

    assert (reload_space(space).problem, reload_space(space).retry_at) == ({}, None)


def test_an_unexpected_error_is_on_the_row_and_is_raised(space: Space) -> None:
    with pytest.raises(ZeroDivisionError):
        attempt(space, ZeroDivisionError("division by Alice"))

    assert reload_space(space).problem == make_problem("work.unexpected", error="ZeroDivisionError")
    assert reload_space(space).retry_at is not None


def test_a_run_is_shorter_than_its_lease(space: Space, settings: Any) -> None:
    settings.LEASE_SECONDS = 1000
    budget = claim_space(space).budget()

    assert not budget.is_used_up()
    assert not budget.is_used_up(650)
    assert budget.is_used_up(701)


def test_a_heartbeat_renews_at_most_once_a_tick(space: Space) -> None:
    claim = claim_space(space)
    budget = Budget(claim)

    budget.heartbeat(listeners_peak=1)
    assert reload_space(space).listeners_peak is None

    budget.heartbeat(at_once=True, listeners_peak=2)
    assert reload_space(space).listeners_peak == 2

    update_space(space, fence=9)
    with pytest.raises(LeaseLost):
        budget.heartbeat(at_once=True)
