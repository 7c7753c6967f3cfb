"""Each request has an id: in its response, on error pages, and in each log line about it or its work."""

import json
import logging
import re
from io import StringIO
from typing import Any

import pytest
import structlog
from celery.app.task import Context
from pytest_django import Settings
from structlog.stdlib import ProcessorFormatter

from archive.models import User
from archive.tasks import build_bundle, describe_message, dispatch, purge_space
from portal.celery import app, bind_message, release_message
from portal.log_lines import logging_config
from portal.request_ids import current_id
from tests.support.factory import make_row
from tests.support.http_clients import make_client
from tests.support.processes import empty_queues

pytestmark = pytest.mark.usefixtures("db")

MADE = re.compile(r"[0-9a-f]{32}")


def log_lines(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    """Return a stream that gets log lines from now on, formatted as a process does."""
    stream = StringIO()
    config = logging_config()["formatters"]["json"]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(ProcessorFormatter(**{name: value for name, value in config.items() if name != "()"}))
    monkeypatch.setattr(logging.getLogger(), "handlers", [handler])
    return stream


def read(stream: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize(("given", "level"), [("", "INFO"), (" debug", "DEBUG"), ("loud", "INFO")])
def test_every_process_reads_the_level_in_the_same_way(given: str, level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose sets it to an empty string if the operator set nothing. A check reports an invalid level."""
    monkeypatch.setenv("LOG_LEVEL", given)

    assert logging_config()["root"]["level"] == level


def test_every_answer_has_an_id_of_its_own(alice: User) -> None:
    client = make_client(alice)

    ids = {client.get(path)["X-Request-ID"] for path in ("/", "/nowhere/", "/api/v1/nowhere", "/static/none.css")}

    assert len(ids) == 4
    assert all(MADE.fullmatch(one) for one in ids)
    assert current_id() == ""  # the thread keeps nothing of a request


@pytest.mark.parametrize(
    ("sent", "behind_proxy", "is_taken"),
    [
        ("4bf92f3577b34da6a3ce929d0e0e4736", True, True),
        ("req_1.A-b", True, True),
        ("4bf92f3577b34da6a3ce929d0e0e4736", False, False),
        ("short", True, False),
        ("a" * 65, True, False),
        ('x"}\n{"event":"forged"', True, False),
        ("<script>alert(1)</script>", True, False),
    ],
)
def test_only_a_trusted_and_well_formed_id_is_taken(
    settings: Settings, sent: str, behind_proxy: bool, is_taken: bool
) -> None:
    settings.BEHIND_PROXY = behind_proxy

    answer = make_client().get("/help/", headers={"X-Request-ID": sent})

    assert (answer["X-Request-ID"] == sent) is is_taken
    assert is_taken or MADE.fullmatch(answer["X-Request-ID"])


def test_lines_and_the_error_page_have_the_id_and_the_user(
    alice: User, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.BEHIND_PROXY = True
    stream = log_lines(monkeypatch)
    client = make_client(alice, raise_request_exception=False)
    monkeypatch.setattr("portal.views.spaces.render", lambda *args, **options: 1 / 0)

    answer = client.get("/", headers={"X-Request-ID": "req-12345678"})

    assert answer.status_code == 500
    assert "Error id <code>req-12345678</code>" in answer.content.decode()
    lines = [line for line in read(stream) if line["level"] == "error"]
    assert [(line["request_id"], line["user_id"]) for line in lines] == [("req-12345678", alice.pk)]
    assert "ZeroDivisionError" in lines[0]["exception"]
    assert "alice" not in stream.getvalue()


def test_the_work_of_a_request_has_its_id(
    alice: User, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    """From the page that requests a bundle to the lines of the worker that builds it, including Celery's own."""
    empty_queues()
    space = make_row(alice)
    with django_capture_on_commit_callbacks(execute=True):
        request_id = make_client(alice).post(f"/spaces/{space.pk}/bundle")["X-Request-ID"]
    bundle = space.bundles.get()
    with app.connection_for_read() as connection:
        message = connection.SimpleQueue("celery").get(timeout=10)
    stream = log_lines(monkeypatch)

    build_bundle.request_stack.push(Context(message.headers))
    try:
        bind_message(task=build_bundle, args=[str(bundle.pk)])
        structlog.get_logger().info("at_work")
        logging.getLogger("celery.app.trace").info("Task %s[%s] succeeded", "build_bundle", message.headers["id"])
        release_message(task=build_bundle)
        logging.getLogger("celery.worker").info("idle")
    finally:
        build_bundle.request_stack.pop()
        empty_queues()

    ours, celerys, idle = read(stream)
    named = {"task": "build_bundle", "kind": "Bundle", "row_id": str(bundle.pk), "request_id": request_id}
    assert {name: ours.get(name) for name in named} == named
    assert {name: celerys.get(name) for name in named} == named
    assert f"[{bundle.pk}." in celerys["event"]
    assert not set(named) & set(idle)


def test_messages_name_their_rows() -> None:
    assert describe_message(purge_space.name, ["1"]) == {
        "task": "purge_space", "kind": "Space", "row_id": "1", "space_id": "1",
    }  # fmt: skip
    assert describe_message(dispatch.name, []) == {"task": "dispatch"}
