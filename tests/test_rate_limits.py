"""Limits per person or recorder are counted in PostgreSQL, refuse with 429, and are not reached in normal use."""

import threading
from typing import Any

import pytest
from django.conf import settings as configured
from django.db import connection, transaction

from archive import rate_limits
from archive.errors import Conflict, TooManyRequests
from archive.intake.uploads import sessions
from archive.intake.uploads.sessions import FileSpec, Uploader
from archive.models import RateLimit, Space, UploadSession, User
from archive.rate_limits import Caller
from tests.support.api_client import ApiClient
from tests.support.errors import raises_error
from tests.support.factory import make_row, make_user
from tests.support.http_clients import make_client

ALICE, BOB = Caller("user", "1"), Caller("user", "2")


def accepted(limit: str, caller: Caller, tries: int) -> int:
    count = 0
    for _ in range(tries):
        try:
            rate_limits.count(limit, caller)
        except TooManyRequests:
            return count
        count += 1
    return count


@pytest.mark.usefixtures("db")
def test_so_many_at_once_and_then_one_each_time(settings: Any) -> None:
    settings.RATE_LIMITS = {"search": (3, 3600), "flag": (5, 3600)}
    assert accepted("search", ALICE, 10) == 3
    assert accepted("search", BOB, 10) == 3
    assert accepted("flag", ALICE, 10) == 5

    with pytest.raises(TooManyRequests) as refused:
        rate_limits.count("search", ALICE)
    assert refused.value.code == "limit.reached"
    assert 1190 <= refused.value.retry_after <= 1200
    move_back(1200)
    assert accepted("search", ALICE, 10) == 1
    move_back(24 * 3600)
    assert accepted("search", ALICE, 10) == 3


def move_back(seconds: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE archive_ratelimit SET used_up_at = used_up_at - %s * interval '1 second'", [seconds])


@pytest.mark.usefixtures("db")
def test_what_failed_is_not_counted(settings: Any) -> None:
    settings.RATE_LIMITS = {"space": (1, 3600)}
    with transaction.atomic():
        rate_limits.count("space", ALICE)
        transaction.set_rollback(True)

    assert accepted("space", ALICE, 5) == 1


@pytest.mark.usefixtures("db")
def test_counts_that_are_used_up_are_deleted(settings: Any) -> None:
    settings.RATE_LIMITS = {"space": (1, 3600)}
    rate_limits.count("space", ALICE)
    rate_limits.delete_old()
    assert RateLimit.objects.count() == 1

    move_back(3601)
    rate_limits.delete_old()
    assert RateLimit.objects.count() == 0


@pytest.mark.usefixtures("committed")
def test_many_at_once_never_share_the_last_place(settings: Any) -> None:
    settings.RATE_LIMITS = {"space": (10, 3600)}
    counts: list[int] = []

    def take() -> None:
        try:
            counts.append(accepted("space", ALICE, 5))
        finally:
            connection.close()

    threads = [threading.Thread(target=take) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(counts) == 10


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(
    ("limit", "path", "fields"),
    [
        ("export", "/export/", {}),
        ("inspect", "/upload/inspect", {}),
        ("inspect", "/upload/sort", {"files": "[]"}),
        ("bundle", "/spaces/{space}/bundle", {}),
    ],
)
def test_pages_answer_429(alice: User, settings: Any, limit: str, path: str, fields: dict[str, str]) -> None:
    settings.RATE_LIMITS = {**configured.RATE_LIMITS, limit: (1, 60)}
    path = path.format(space=make_row(alice, state="processing").pk)
    client = make_client(alice)

    assert client.post(path, fields).status_code != 429
    refused = client.post(path, fields)

    assert refused.status_code == 429
    assert 50 <= int(refused["Retry-After"]) <= 60


@pytest.mark.usefixtures("db")
def test_searches_are_limited_for_each_person(alice: User, bob: User, settings: Any) -> None:
    settings.RATE_LIMITS = {**configured.RATE_LIMITS, "search": (1, 60)}
    client = make_client(alice)

    assert client.post("/search/", {"q": "beans"}, follow=True).status_code == 200
    refused = client.post("/search/", {"q": "beans"}, follow=True)

    assert (refused.status_code, refused["Retry-After"]) == (429, "60")
    assert make_client(bob).post("/search/", {"q": "beans"}, follow=True).status_code == 200


@pytest.mark.usefixtures("db")
def test_flags_of_an_afternoon_are_no_flood(admin: User, alice: User) -> None:
    """One admin may flag two hundred Spaces within an hour."""
    caller = Caller("user", str(admin.pk))
    assert accepted("flag", caller, 200) == 200


@pytest.mark.usefixtures("db")
def test_the_api_answers_429_with_a_problem(alice: User, settings: Any) -> None:
    settings.RATE_LIMITS = {**configured.RATE_LIMITS, "api": (2, 60)}
    client = make_client(alice)
    answers = [client.get("/api/v1/uploads") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2]["Content-Type"] == "application/problem+json"
    assert 20 <= int(answers[2]["Retry-After"]) <= 30
    assert answers[2].json()["code"] == "limit.reached"


@pytest.mark.usefixtures("db")
def test_spaces_of_a_day_are_limited_for_each_person(alice: User, settings: Any) -> None:
    settings.RATE_LIMITS = {**configured.RATE_LIMITS, "space": (2, 86400)}

    answers = [ApiClient(user=alice).announce() for _ in range(3)]

    assert [answer.status for answer in answers] == [201, 201, 429]
    assert answers[2].code == "limit.reached"
    assert Space.objects.count() == 2
    assert ApiClient(user=make_user("carl")).announce().status == 201


@pytest.mark.usefixtures("db")
def test_the_bytes_of_a_host_are_limited_before_any_flows(alice: User, bob: User, settings: Any) -> None:
    settings.MAX_HOST_BYTES = 100
    spaces = [make_row(alice, state="receiving") for _ in range(3)]
    by = Uploader(user=alice)
    sessions.open_session(spaces[0].pk, FileSpec("recording", "a.m4a", 60), by)

    with raises_error(Conflict, "upload.host_full", total=60, size=41, limit=100):
        sessions.open_session(spaces[1].pk, FileSpec("recording", "b.m4a", 41), by)

    sessions.open_session(spaces[2].pk, FileSpec("recording", "c.m4a", 40), by)
    assert UploadSession.objects.count() == 2
    other = make_row(bob, state="receiving")
    sessions.open_session(other.pk, FileSpec("recording", "d.m4a", 100), Uploader(user=bob))
