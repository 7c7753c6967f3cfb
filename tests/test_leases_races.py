"""When many workers claim the same work, one gets it and the others do not wait."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from archive.leases import Claim
from archive.models import Space, User
from tests.support.factory import make_row
from tests.support.leases import claim_space, try_claim_space
from tests.support.rows import reload_space
from tests.support.waiting import PATIENCE


@pytest.fixture
def space(db: None, alice: User) -> Space:
    return make_row(alice, state="processing")


@pytest.mark.usefixtures("committed")
def test_one_of_many_concurrent_claims_wins(alice: User) -> None:
    space, together = make_row(alice, state="processing"), threading.Barrier(6)

    def run(_: int) -> Claim[Space] | None:
        try:
            connection.ensure_connection()
            together.wait(timeout=PATIENCE)
            return try_claim_space(space)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        claims = list(pool.map(run, range(6)))

    assert sum(claim is not None for claim in claims) == 1
    assert (reload_space(space).fence, reload_space(space).attempts) == (1, 1)


@pytest.mark.usefixtures("committed")
def test_a_claim_does_not_wait_for_a_locked_row(alice: User) -> None:
    space = make_row(alice, state="processing")

    def run() -> Claim[Space] | None:
        try:
            return try_claim_space(space)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        Space.objects.select_for_update().get(pk=space.pk)
        meanwhile = pool.submit(run).result(timeout=PATIENCE)

    assert meanwhile is None
    assert claim_space(space).attempt == 1
