"""A living process renews its leases; those of a dead one soon expire."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError
from django.db.models.functions import Now
from structlog.testing import capture_logs

from archive import dbtime, lease_renewal, leases, work_log, workers
from archive.accounts import account_mail
from archive.errors import Refused, make_problem
from archive.models import AccountMail, Bundle, Heartbeat, Space, User
from archive.tasks import dispatch
from tests.support.clocks import MonotonicClock
from tests.support.deadlines import seconds_from_now
from tests.support.factory import make_row
from tests.support.leases import claim_space, try_claim_space
from tests.support.mail_server import FROM
from tests.support.processes import Services
from tests.support.rows import reload_space, update_space
from tests.support.waiting import wait_until


@pytest.fixture
def kept_alive(settings: Any) -> Iterator[None]:
    """Run the renewal in this process; tests call `renew_held` themselves."""
    settings.DEAD_WORKER_SECONDS = 45
    lease_renewal.start()
    yield
    lease_renewal.stop()
    lease_renewal._held._until.clear()


@pytest.fixture
def space(db: None, alice: User, kept_alive: None) -> Space:
    return make_row(alice, state="processing")


def nearly_expire(space: Space) -> None:
    update_space(space, lease_until=dbtime.now() + timedelta(seconds=5))


def lease_seconds(space: Space) -> float:
    return seconds_from_now(reload_space(space).lease_until)


def test_a_lease_is_short_and_renewed(space: Space) -> None:
    claim_space(space)
    assert 30 < lease_seconds(space) <= 45
    nearly_expire(space)

    assert lease_renewal.renew_held() == 1

    assert 30 < lease_seconds(space) <= 45
    assert try_claim_space(space) is None


def test_leases_of_many_are_renewed(space: Space, alice: User) -> None:
    spaces = [space, make_row(alice, state="processing"), make_row(alice, state="processing")]
    claims = leases.claim_all(Space, [one.pk for one in spaces], ["processing"])
    assert len(leases.renew_all(claims)) == 3
    for one in spaces:
        nearly_expire(one)

    assert lease_renewal.renew_held() == 3

    assert all(30 < lease_seconds(one) <= 45 for one in spaces)


@pytest.mark.parametrize("how", ["expired", "released", "claimed again", "moved on"])
def test_a_lost_lease_is_not_renewed(space: Space, how: str) -> None:
    mine = claim_space(space)
    if how == "expired":
        update_space(space, lease_until=Now())
    elif how == "released":
        mine.release_for_retry({})
    else:
        nearly_expire(space)
        update_space(space, **({"fence": 2} if how == "claimed again" else {"state": "available"}))

    assert lease_renewal.renew_held() == 0


def test_an_attempt_that_ended_is_not_renewed(space: Space) -> None:
    leases.attempt(claim_space(space), lambda claim: True)
    nearly_expire(space)

    assert lease_renewal.renew_held() == 0


def refuse(claim: leases.Claim[Space]) -> bool:
    raise Refused("audio.empty")


def fail_and_renew(claim: leases.Claim[Space], error: Exception) -> None:
    claim.renew()


def fail_to_fail(claim: leases.Claim[Space], error: Exception) -> None:
    raise RuntimeError("the database fails")


@pytest.mark.parametrize(
    ("run", "fail", "most"), [(refuse, fail_and_renew, 9), (refuse, fail_to_fail, 9), (refuse, fail_to_fail, 0)]
)
def test_however_an_attempt_ends_its_lease_is_not_renewed_after_that(
    space: Space, run: Any, fail: Any, most: int
) -> None:
    with suppress(RuntimeError):
        leases.attempt(claim_space(space), run, permanent=(Refused,), fail=fail, max_attempts=most)
    nearly_expire(space)

    assert lease_renewal.renew_held() == 0


def test_a_released_claim_is_not_renewed_also_if_the_database_fails(
    space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = claim_space(space)
    monkeypatch.setattr(work_log, "news_of", raising(OperationalError()))

    with suppress(OperationalError):
        claim.release_for_retry(make_problem("storage.unreachable"))

    nearly_expire(space)
    assert lease_renewal.renew_held() == 0


def test_an_unexpected_error_is_logged_and_the_others_are_renewed(
    space: Space, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = Bundle.objects.create(space=space)
    leases.claim(Bundle, bundle.pk, [bundle.state])
    claim_space(space)
    nearly_expire(space)
    renew = lease_renewal._renew

    def fail_for_bundles(model: Any, *args: Any) -> int:
        return raising(KeyError("Nora"))() if model is Bundle else renew(model, *args)

    monkeypatch.setattr(lease_renewal, "_renew", fail_for_bundles)
    with capture_logs() as lines:
        assert lease_renewal.renew_held() == 1

    (line,) = lines
    assert (line["event"], line["kind"], line["error"]) == ("lease_not_renewed", "Bundle", "KeyError")
    assert (line["row_id"], line["space_id"]) == (str(bundle.pk), str(space.pk))
    assert line["place"].startswith("archive/lease_renewal.py:")
    assert "Nora" not in str(lines)


def test_a_worker_whose_task_hangs_is_not_seen_any_more(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "EVERY", 0.0)
    monkeypatch.setattr(workers, "_noted", {})
    workers.note("celery@here", "celery")
    long_ago = dbtime.now() - timedelta(hours=1)
    Heartbeat.objects.update(seen_at=long_ago)

    lease_renewal.renew_held()  # the thread still runs
    workers.note_progress()
    assert Heartbeat.objects.get().seen_at == long_ago

    claim_space(space).renew()
    workers.note_progress()
    assert Heartbeat.objects.get().seen_at > long_ago


def raising(error: Exception) -> Any:
    def raise_it(*args: object) -> Any:
        raise error

    return raise_it


def test_a_process_without_progress_loses_its_claim(
    space: Space, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = MonotonicClock()
    monkeypatch.setattr("archive.lease_renewal.time", clock)
    claim_space(space)
    clock.now += settings.LEASE_SECONDS - 1
    assert lease_renewal.renew_held() == 1
    clock.now += 1

    assert lease_renewal.renew_held() == 0


@pytest.mark.usefixtures("committed")
def test_the_work_of_a_killed_worker_is_soon_free(services: Services) -> None:
    """The worker talks to a mail server that sends its greeting forever, so only the worker's thread can renew the
    lease.

    The test first prolongs the lease by a day, so that it cannot expire on a slow machine. The renewal sets it back to
    seconds.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        account_mail.enqueue("ines@example.org", "Hello", "Hello.")
        address = f"smtp://127.0.0.1:{server.getsockname()[1]}"
        worker = services.worker(1, EMAIL_URL=address, MAIL_FROM=FROM, DEAD_WORKER_SECONDS="4")
        dispatch()
        with server.accept()[0] as connection:
            in_a_day = dbtime.now() + timedelta(days=1)
            AccountMail.objects.update(lease_until=in_a_day)

            def is_renewed() -> bool:
                connection.sendall(b"220-patience\r\n")
                return AccountMail.objects.get().lease_until != in_a_day

            wait_until(is_renewed, "the lease is renewed")
            worker.kill()
            assert seconds_from_now(AccountMail.objects.get().lease_until) <= 4
            wait_until(lambda: len(claimable_mails()) == 1, "another worker may claim the mail")


def claimable_mails() -> list[UUID]:
    return leases.claimable_ids(AccountMail, [AccountMail.State.PENDING])
