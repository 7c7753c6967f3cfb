"""Metrics of the state: who may read them, that they match the database, and that they contain no personal data."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from archive import dbtime, tasks
from archive.errors import make_problem
from archive.models import Bundle, Space, TaskRun, User
from archive.status import Status
from portal import health, status_metrics
from tests.support.factory import make_row
from tests.support.processes import empty_queues

TOKEN = "0123456789abcdef0123456789abcdef"
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def ask(authorization: str = f"Bearer {TOKEN}") -> tuple[int, dict[str, str], str]:
    begun: list[tuple[str, list[tuple[str, str]]]] = []
    environ = {"PATH_INFO": "/metrics", "REQUEST_METHOD": "GET", "HTTP_AUTHORIZATION": authorization}
    body = b"".join(health.application(environ, lambda status, headers: begun.append((status, headers))))
    ((status, headers),) = begun
    return int(status.split()[0]), dict(headers), body.decode()


def parse(text: str) -> Samples:
    return {
        (sample.name.removeprefix("spacekeep_"), frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def read(db: None, settings: Any) -> Callable[[], Samples]:
    settings.METRICS_TOKEN = TOKEN

    def read() -> Samples:
        status, headers, text = ask()
        assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
        return parse(text)

    return read


def test_without_a_token_there_are_none(settings: Any) -> None:
    settings.METRICS_TOKEN = ""

    assert [ask(given)[0] for given in ("", "Bearer ", f"Bearer {TOKEN}")] == [404, 404, 404]


def test_only_the_token_reads_them(settings: Any) -> None:
    """Without the fixture `db`, any query raises: without the token nothing is read."""
    settings.METRICS_TOKEN = TOKEN

    for given in ("", "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", TOKEN, "Bearer \xe9"):
        status, headers, text = ask(given)
        assert (status, headers["WWW-Authenticate"]) == (401, 'Bearer realm="metrics"'), given
        assert "spacekeep" not in text


def test_they_say_what_the_database_says(read: Callable[[], Samples], alice: User) -> None:
    now = dbtime.now()
    space = make_row(alice, title="Very private talk")
    make_row(alice, ended_ago=timedelta(days=30, minutes=20))
    problem = make_problem("storage.unreachable", what=f"spaces/{space.pk}", error="ConnectTimeoutError")
    pause = now + timedelta(minutes=9)
    Bundle.objects.create(space=space, content_digest="a", retry_at=pause, attempts=2, problem=problem)
    Bundle.objects.update(requested_at=now - timedelta(hours=2))
    TaskRun.objects.create(task="dispatch", finished_at=now)
    empty_queues()
    tasks.purge_space.delay(str(space.pk))

    found = read()

    empty_queues()
    assert found["spaces_overdue", frozenset()] == 1
    assert 1200 <= found["deletion_oldest_pending_seconds", frozenset()] < 1800
    bundles = ("task", "build_bundle")
    assert found["work_rows", frozenset({bundles, ("phase", "paused")})] == 1
    assert found["work_rows", frozenset({bundles, ("phase", "ready")})] == 0
    assert found["work_problem_rows", frozenset({bundles, ("code", "storage.unreachable")})] == 1
    assert found["work_retried_rows", frozenset({bundles})] == 1
    assert 7200 <= found["work_oldest_seconds", frozenset({bundles})] < 7800
    assert found["task_last_run_timestamp_seconds", frozenset({("task", "dispatch")})] == pytest.approx(now.timestamp())
    assert found["queue_messages", frozenset({("queue", "deletion")})] == 1
    assert all(found["status_readable", frozenset({("part", part)})] == 1 for part in status_metrics.PARTS)
    assert ("log_checkpoint_timestamp_seconds", frozenset()) not in found  # no checkpoint was signed


def test_labels_name_nobody(read: Callable[[], Samples], alice: User) -> None:
    """Labels contain neither ids nor text of users, only names of ours, whose number does not grow with the archive."""
    space = make_row(alice, title="Very private talk", state=Space.State.PROCESSING)
    problem = make_problem("storage.unreachable", what=f"spaces/{space.pk}", error="Very private")
    Space.objects.filter(pk=space.pk).update(problem=problem, attempts=1)
    labels = {"task", "phase", "code", "part", "event", "state", "check", "kind", "queue"}

    found = read()

    assert {name for _, pairs in found for name, _ in pairs} <= labels
    text = str(found).lower()
    assert not [word for word in ("private", str(space.pk), "alice") if word in text]


def test_of_what_is_down_they_say_so() -> None:
    status = Status(None, None, None, None, None, None, None, None, {"celery": 3}, ("at", "work", "log"))

    (readable,) = status_metrics.StatusCollector(status).collect()

    values = {sample.labels["part"]: sample.value for sample in readable.samples}
    assert (values["work"], values["log"], values["queues"]) == (0, 0, 1)


def test_a_scrape_during_another_one_gets_the_last_text(
    read: Callable[[], Samples], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second one would take a connection, and a thread that health checks need. A text that is too old is not
    returned."""
    text = ask()[2]

    with status_metrics._reading:
        assert ask()[2] == text
        monkeypatch.setattr(status_metrics, "TOO_OLD", 0.0)
        assert ask()[0] == 503
