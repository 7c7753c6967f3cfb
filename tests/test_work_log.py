"""A failure that is retried is logged once for each cause, whatever kind of work it is; and each line names the row."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import structlog
from django.apps import apps
from django.db.models import F
from structlog.testing import capture_logs
from structlog.typing import EventDict

from archive import leases, work_log
from archive.errors import MailDown, StoreUnavailable, make_problem
from archive.leases import Claim
from archive.models import Leased, Space, User
from tests.support.leased_rows import make_leased_rows
from tests.support.leases import CLAIMED, end_pauses

KINDS = sorted((model for model in apps.get_models() if issubclass(model, Leased)), key=lambda model: model.__name__)
DOWN = StoreUnavailable("storage.unreachable", what="bucket", error="ConnectTimeoutError")
FULL = StoreUnavailable("storage.answer", what="PUT spaces/1/a", status=507, reply="disk is full")


@pytest.fixture
def rows(db: None, alice: User) -> dict[type[Leased], Leased]:
    return make_leased_rows(alice)


def fail_with(error: Exception) -> Callable[[Claim[Any]], bool]:
    def run(claim: Claim[Any]) -> bool:
        structlog.get_logger().info("at_work", **structlog.contextvars.get_contextvars())
        raise error

    return run


def attempt(row: Leased, error: Exception, **options: Any) -> list[EventDict]:
    """Claim the row and fail. The lines that were written."""
    end_pauses()
    claim = leases.claim(type(row), row.pk, [row.state])
    assert claim is not None, type(row)
    with capture_logs() as lines:
        leases.attempt(claim, fail_with(error), **options)
    return lines


def retries(lines: list[EventDict]) -> list[str]:
    return [line["cause"] for line in lines if line["event"] == "work_retried"]


def test_every_kind_of_work_is_claimed_here() -> None:
    assert set(CLAIMED) == set(KINDS)


def test_each_cause_of_each_kind_is_logged_once(rows: dict[type[Leased], Leased]) -> None:
    down, full = "storage.unreachable ConnectTimeoutError", "storage.answer 507 disk"

    logged = {
        model.__name__: [retries(attempt(row, error)) for error in (DOWN, DOWN, FULL, FULL, DOWN)]
        for model, row in rows.items()
    }

    assert logged == {model.__name__: [[down], [], [full], [], [down]] for model in KINDS}


def test_the_same_cause_is_logged_again_after_an_hour_and_after_success(rows: dict[type[Leased], Leased]) -> None:
    space = rows[Space]
    assert [len(retries(attempt(space, DOWN))) for _ in range(2)] == [1, 0]

    Space.objects.filter(pk=space.pk).update(reported_at=F("reported_at") - timedelta(hours=1))
    assert [len(retries(attempt(space, DOWN))) for _ in range(2)] == [1, 0]

    Space.objects.filter(pk=space.pk).update(**leases.RESET)
    assert [len(retries(attempt(space, DOWN))) for _ in range(2)] == [1, 0]


def test_the_last_attempt_is_logged_as_a_failure(rows: dict[type[Leased], Leased]) -> None:
    space, failed = rows[Space], []
    lines = [
        line
        for _ in range(3)
        for line in attempt(space, DOWN, max_attempts=3, fail=lambda claim, error: failed.append(error))
        if line["event"] != "at_work"
    ]

    assert [(line["event"], line["log_level"], line["attempt"]) for line in lines] == [
        ("work_retried", "warning", 1),
        ("work_failed", "error", 3),
    ]
    assert failed == [DOWN]


def test_an_error_that_nobody_expected_is_logged_once_too(rows: dict[type[Leased], Leased]) -> None:
    logged = []
    for _ in range(2):
        end_pauses()
        with capture_logs() as lines, pytest.raises(KeyError):
            leases.attempt(leases.claim(Space, rows[Space].pk, [rows[Space].state]), fail_with(KeyError("a title")))
        logged += retries(lines)
        assert "a title" not in str(lines)

    assert logged == ["work.unexpected KeyError"]


def test_each_line_names_the_row_its_kind_and_the_attempt(rows: dict[type[Leased], Leased]) -> None:
    for model, row in rows.items():
        lines = attempt(row, MailDown("mail.server_down", error="ConnectionRefusedError 111"))

        space_id = row.pk if model is Space else getattr(row, "space_id", None)
        named = {"kind": model.__name__, "row_id": str(row.pk), "attempt": 1}
        named |= {"space_id": str(space_id)} if space_id else {}
        assert [line["event"] for line in lines] == ["at_work", "work_retried"]
        for line in lines:
            assert {name: line.get(name) for name in named} == named, line
        assert not set(structlog.contextvars.get_contextvars()) & set(named)


def test_a_row_that_keeps_another_problem_is_logged_with_its_cause(rows: dict[type[Leased], Leased]) -> None:
    """People read why an upload ended; the log has why its file could not be removed."""
    space = rows[Space]
    claim = leases.claim(Space, space.pk, [space.state])
    assert claim is not None
    kept = make_problem("audio.empty")

    with capture_logs() as lines:
        claim.release_for_retry(kept, cause=DOWN.problem)

    assert retries(lines) == ["storage.unreachable ConnectTimeoutError"]
    assert Space.objects.get(pk=space.pk).problem == kept


def test_a_run_that_ends_without_a_problem_is_not_logged(rows: dict[type[Leased], Leased]) -> None:
    claim = leases.claim(Space, rows[Space].pk, [rows[Space].state])
    assert claim is not None

    with capture_logs() as lines:
        claim.release_for_retry({}, at_once=True)

    assert lines == []


@pytest.mark.parametrize(
    ("problem", "cause"),
    [
        (make_problem("storage.answer", what="a", status=503, s3_code="SlowDown", reply="Slow down, 1"),
         "storage.answer 503 SlowDown Slow"),
        (make_problem("webhook.timed_out", seconds=15), "webhook.timed_out"),
        (make_problem("upload.duplicate_of", file="my.m4a", title="My title"), "upload.duplicate_of"),
        (make_problem("work.parked", count=10, reason=make_problem("work.unexpected", error="KeyError")),
         "work.parked work.unexpected KeyError"),
        ({}, ""),
    ],
)  # fmt: skip
def test_a_cause_has_no_words_of_people_and_nothing_that_changes(problem: dict[str, Any], cause: str) -> None:
    assert work_log.name_cause(problem) == cause
