"""Health checks: whether a process answers, whether the portal can work, and HEAD, which monitoring asks with."""

import http.client
import json
from contextlib import closing
from typing import Any

import pytest
from celery import current_app
from django.db.migrations.recorder import MigrationRecorder

from archive import schema
from portal import health, readiness
from tests.support.processes import Services


@pytest.fixture(autouse=True)
def fresh() -> None:
    """Each test asks the engines itself."""
    readiness.DATABASE.forget()
    readiness.BROKER.forget()


def ask(path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """What the health process answers: status, headers, body."""
    begun: list[tuple[str, list[tuple[str, str]]]] = []
    environ = {"PATH_INFO": path, "REQUEST_METHOD": method}
    environ |= {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    body = b"".join(health.application(environ, lambda status, headers: begun.append((status, headers))))
    ((status, answered),) = begun
    return int(status.split()[0]), dict(answered), body


def test_a_process_that_answers_is_alive_whatever_is_down() -> None:
    """Without the fixture `db`, any query raises."""
    assert ask("/livez")[0] == 200


@pytest.mark.usefixtures("db")
def test_it_is_ready_with_all_engines() -> None:
    status, headers, body = ask("/readyz")

    assert (status, json.loads(body)) == (200, {"ready": True, "missing": []})
    assert headers["Cache-Control"] == "no-store"
    assert ask("/healthz")[0] == 200


@pytest.mark.usefixtures("owner", "db")
def test_it_is_not_ready_before_migrations() -> None:
    MigrationRecorder.Migration.objects.filter(app="archive", name__startswith="0002").delete()

    status, _, body = ask("/readyz")

    assert (status, json.loads(body)) == (503, {"ready": False, "missing": ["migrations"]})


@pytest.mark.usefixtures("db")
def test_pages_work_without_a_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current_app.conf, "broker_read_url", "redis://:very-secret@127.0.0.1:1/0")

    status, _, body = ask("/readyz")

    assert (status, json.loads(body)) == (200, {"ready": True, "missing": ["broker"]})


@pytest.mark.usefixtures("db")
def test_however_many_ask_the_engines_are_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "FRESH", 600.0)
    ask("/readyz")
    monkeypatch.setattr(current_app.conf, "broker_read_url", "redis://127.0.0.1:1/0")

    assert json.loads(ask("/readyz")[2])["missing"] == []


@pytest.mark.usefixtures("db")
def test_an_engine_that_does_not_answer_holds_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others say what was found last, for as long as that is an answer."""
    with readiness.DATABASE._asking, readiness.BROKER._asking:
        assert json.loads(ask("/readyz")[2]) == {"ready": False, "missing": ["database", "broker"]}
        assert (ask("/healthz")[0], ask("/livez")[0]) == (503, 200)
    assert json.loads(ask("/readyz")[2]) == {"ready": True, "missing": []}
    monkeypatch.setattr(readiness, "FRESH", 0.0)

    with readiness.DATABASE._asking, readiness.BROKER._asking:
        assert json.loads(ask("/readyz")[2]) == {"ready": True, "missing": []}
        assert ask("/healthz")[0] == 200
        monkeypatch.setattr(readiness, "TOO_OLD", 0.0)
        assert json.loads(ask("/readyz")[2]) == {"ready": False, "missing": ["database", "broker"]}


@pytest.mark.usefixtures("db")
def test_the_files_of_migrations_are_read_once(
    monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr(readiness, "FRESH", 0.0)
    ask("/readyz")
    monkeypatch.setattr(schema, "MigrationLoader", None)

    with django_assert_max_num_queries(2):
        assert ask("/readyz")[0] == 200


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("path", ["/livez", "/readyz", "/healthz", "/metrics", "/elsewhere"])
def test_head_has_the_headers_of_get_and_no_body(path: str) -> None:
    status, headers, body = ask(path)

    assert body
    assert ask(path, "HEAD") == (status, headers, b"")
    assert headers["Content-Length"] == str(len(body))


HEADS = ("/livez", "/readyz", "/healthz", "/accounts/login/", "/help/", "/nowhere", "/translations.js", "/log/keys.txt")


def test_no_page_answers_head_with_a_body(services: Services) -> None:
    """gunicorn would drop it, and log a warning for each process that monitors the portal."""
    web = services.web()
    before = len(web.log.read_text())

    for path in HEADS:
        with closing(http.client.HTTPConnection("127.0.0.1", services.port)) as connection:
            connection.request("HEAD", path)
            answer = connection.getresponse()
            assert answer.read() == b""
            connection.request("GET", path)
            length = len(connection.getresponse().read())
        assert answer.headers["Content-Length"] in (str(length), None), path

    assert "no-body" not in web.log.read_text()[before:]
