"""Every kind of work logs a failure that is retried once per cause, and each line names the row."""

import ast
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import structlog
from django.apps import apps
from django.db.models import F
from structlog.testing import capture_logs
from structlog.typing import EventDict

from archive import leases, repeated_lines, work_log
from archive.errors import MailDown, ObjectMissing, StoreUnavailable, make_problem
from archive.leases import Claim
from archive.models import Arrival, Leased, Space, User
from archive.work_log import ROOT
from tests.faults.tables import STUCK
from tests.support.factory import make_row
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
    """Claim the row and fail. Returns the logged lines."""
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
    assert set(STUCK) == {model._meta.db_table for model in CLAIMED}


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

    end_pauses()
    claim = leases.claim(Space, space.pk, [space.state])
    assert claim is not None
    claim.release_for_retry({})  # the time of a run was over, without any error
    assert [len(retries(attempt(space, DOWN))) for _ in range(2)] == [1, 0]


@pytest.mark.usefixtures("db")
def test_a_cause_of_many_rows_names_a_few_of_them_and_counts_the_others(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeated_lines, "WINDOW", 3600.0)
    lines = [line for _ in range(12) for line in attempt(make_row(alice, state="processing"), DOWN)]
    assert len(retries(lines)) == 5
    assert len(retries(attempt(make_row(alice, state="processing"), FULL))) == 1  # another cause

    later = time.monotonic() + 3600
    monkeypatch.setattr(time, "monotonic", lambda: later)
    with capture_logs() as counted:
        repeated_lines.flush()
        repeated_lines.flush()

    cause = "storage.unreachable ConnectTimeoutError"
    left_out = {"line": "work_retried", "kind": "Space", "cause": cause, "lines": 7}
    assert counted == [{"event": "lines_left_out", "log_level": "warning", **left_out}]
    assert len(retries(attempt(make_row(alice, state="processing"), DOWN))) == 1


NAME = "inbox/skr_0123456789ab/Nora Hill's talk.m4a"
DIGEST = "inbox/skr_0123456789ab/sha256:0f1bbd0c3b5dbf0c"


@pytest.mark.parametrize(
    ("param", "value", "logged"),
    [
        ("what", "spaces/1f0e/recording/1.m4a", "spaces/1f0e/recording/1.m4a"),
        ("prefix", "spaces/1f0e/", "spaces/1f0e/"),
        ("key", NAME, DIGEST),
        ("key", "Nora Hill.mp4", "sha256:"),  # of LiveKit's bucket
    ],
)
def test_a_line_has_no_names_of_files(rows: dict[type[Leased], Leased], param: str, value: str, logged: str) -> None:
    known = {"status": 404, "s3_code": "NoSuchKey", "reply": f"NoSuchKey: there is no {value}"}
    lines = attempt(rows[Arrival], ObjectMissing("storage.answer", **known, **{param: value}))

    (line,) = (line for line in lines if line["event"] == "work_retried")
    assert line[param].startswith(logged.partition("sha256:")[0])
    assert ("sha256:" in line[param]) == ("sha256:" in logged)
    assert "Nora" not in str(lines)


# (file, keyword) of values that no user chose: names of rehearsals, witnesses, parts of the status, and our own files.
NO_NAMES_OF_PEOPLE = {
    ("archive/storage/rehearsal.py", "trial"),
    ("archive/transparency/witnesses.py", "witness"),
    ("archive/status/reading.py", "part"),
    ("portal/process_metrics.py", "file"),  # counts of a process
    ("portal/trusted_proxy.py", "name"),  # a host name from the settings
    ("archive/intake/arrivals/inbox_scan.py", None),  # `_describe` hides the name
}
NAMES = {"name", "path", "title", "email", "username", "display_name", "source_id", "filename"}


def test_no_call_of_the_log_passes_a_name() -> None:
    """Lines contain the id of a file, a title or a person, or use `hide_name`."""
    found = set()
    for path in [*(ROOT / "archive").rglob("*.py"), *(ROOT / "portal").rglob("*.py")]:
        text = path.read_text()
        for call in ast.walk(ast.parse(text)) if "logger." in text else ():
            if isinstance(call, ast.Call) and "logger." in ast.unparse(call.func):
                for one in call.keywords:
                    used = {getattr(node, "attr", getattr(node, "id", "")) for node in ast.walk(one.value)}
                    if used & NAMES and "hide_name" not in used:
                        found.add((path.relative_to(ROOT).as_posix(), one.arg))

    assert found == NO_NAMES_OF_PEOPLE


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
    """Users read why an upload ended; the log says why its file could not be removed."""
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
