"""Idempotency keys: a repeated request creates one Space."""

from datetime import UTC, datetime, timedelta

import pytest

from archive import dbtime, recorders
from archive.models import IdempotencyKey, Space, User
from tests.support.api_client import ApiClient, make_recorder
from tests.support.deadlines import make_due
from tests.support.threads import at_once

ENDED = (datetime.now(UTC) - timedelta(hours=3)).isoformat()


@pytest.mark.django_db
@pytest.mark.parametrize("way", ["token", "session"])
class TestOneAfterTheOther:
    @pytest.fixture
    def caller(self, way: str, alice: User, admin: User) -> ApiClient:
        return ApiClient(user=alice) if way == "session" else make_recorder(admin)[0]

    def test_the_same_request_returns_the_same_space(self, caller: ApiClient) -> None:
        first = caller.announce(host="alice", key="k-1", ended_at=ENDED)

        again = caller.announce(host="alice", key="k-1", ended_at=ENDED)

        assert (first.status, again.status) == (201, 200)
        assert again.json == first.json
        assert Space.objects.count() == 1

    def test_another_key_is_another_space(self, caller: ApiClient) -> None:
        caller.announce(host="alice", key="k-1", ended_at=ENDED)
        caller.announce(host="alice", key="k-2", ended_at=ENDED)

        assert Space.objects.count() == 2

    def test_the_same_key_for_another_request_is_refused(self, caller: ApiClient) -> None:
        caller.announce(host="alice", key="k-1", ended_at=ENDED)

        refused = caller.announce(host="alice", key="k-1", ended_at=ENDED, title="Peas")

        assert (refused.status, "used for another request" in refused.words) == (422, True)
        assert Space.objects.get().title == "Beans"

    def test_after_its_deadline_a_repeated_request_is_410(self, caller: ApiClient) -> None:
        caller.announce(host="alice", key="k-1", ended_at=ENDED)
        make_due(Space.objects.get())

        assert caller.announce(host="alice", key="k-1", ended_at=ENDED).status == 410

    @pytest.mark.parametrize("key", ["", " ", "\u00e4", "x" * 129])
    def test_an_invalid_key_is_refused(self, key: str, caller: ApiClient) -> None:
        refused = caller.post("/spaces", {"host": "alice", "ended_at": ENDED}, Idempotency_Key=key)

        assert (refused.status, "1 to 128 visible" in refused.words) == (400, True)


@pytest.mark.django_db
def test_a_recorder_needs_a_key(alice: User, admin: User) -> None:
    caller = make_recorder(admin)[0]

    refused = caller.post("/spaces", {"host": "alice", "ended_at": ENDED})

    assert (refused.status, "Send an Idempotency-Key" in refused.words) == (400, True)


@pytest.mark.django_db
def test_a_page_needs_none(alice: User) -> None:
    assert ApiClient(user=alice).post("/spaces", {"ended_at": ENDED}).status == 201


@pytest.mark.django_db
def test_keys_of_other_users_do_not_collide(alice: User, bob: User, admin: User) -> None:
    callers = [ApiClient(user=alice), ApiClient(user=bob), make_recorder(admin)[0], make_recorder(admin)[0]]
    hosts = [None, None, "alice", "alice"]

    responses = [
        caller.announce(host=host, key="k-1", ended_at=ENDED) for caller, host in zip(callers, hosts, strict=True)
    ]

    assert [answer.status for answer in responses] == [201, 201, 201, 201]
    assert Space.objects.count() == 4


@pytest.mark.usefixtures("committed")
def test_concurrent_identical_requests_create_one_space(alice: User, admin: User) -> None:
    text = recorders.create_token("studio", 30, admin, for_anybody=True)[1]
    for number in range(5):
        calls = [lambda n=number: ApiClient(token=text).announce(host="alice", key=f"k-{n}", ended_at=ENDED)] * 3

        responses = at_once(*calls)

        assert sorted(answer.status for answer in responses) == [200, 200, 201]
        assert len({answer.json["id"] for answer in responses}) == 1
    assert Space.objects.count() == 5


@pytest.mark.django_db
def test_keys_expire_after_a_day(alice: User) -> None:
    caller = ApiClient(user=alice)
    caller.announce(key="old")
    IdempotencyKey.objects.update(created_at=dbtime.now() - timedelta(hours=25))
    caller.announce(key="new")

    assert recorders.delete_old_keys() == 1
    assert list(IdempotencyKey.objects.values_list("key", flat=True)) == ["new"]
