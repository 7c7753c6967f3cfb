"""The leases of a living process are renewed, those of a dead one are soon free."""

import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db.models.functions import Now

from archive import dbtime, lease_renewal, leases
from archive.accounts import account_mail
from archive.models import AccountMail, Space, User
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
    """This process renews its leases, whenever a test calls `renew_held`."""
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
    """It listens to a mail server that never comes to the point, so nothing but its thread renews the lease.

    However slow the machine is, the lease is there to be renewed: it is made a day longer, which the renewal undoes.
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
            wait_until(lambda: len(claimable_mails()) == 1, "another worker may have it")


def claimable_mails() -> list[UUID]:
    return leases.claimable_ids(AccountMail, [AccountMail.State.PENDING])
