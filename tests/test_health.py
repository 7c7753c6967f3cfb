"""Health checks: whether a process answers and whether the portal can work. HEAD, which monitoring uses, works
everywhere."""

import http.client
import json
import os
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest
from celery import current_app
from django.db import OperationalError, connection
from django.db.backends.signals import connection_created
from django.db.migrations.recorder import MigrationRecorder
from django.test.utils import CaptureQueriesContext

from archive import schema
from archive.models import Space
from portal import database_checks, health, readiness
from tests.support.processes import Services


@pytest.fixture(autouse=True)
def fresh() -> None:
    """Remove cached results, so that each test asks the engines itself."""
    readiness.DATABASE.forget()
    readiness.BROKER.forget()


def ask(path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Return the health process's response: status, headers, body."""
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


@pytest.mark.usefixtures("owner", "db")
def test_a_database_that_refuses_to_be_read_is_not_down() -> None:
    with connection.cursor() as cursor:
        cursor.execute("REVOKE SELECT ON django_migrations FROM CURRENT_USER")

    status, _, body = ask("/readyz")

    assert (status, json.loads(body)) == (503, {"ready": False, "missing": ["tables"]})
    assert ask("/healthz")[0] == 200


@pytest.fixture
def address(committed: None) -> Iterator[dict[str, Any]]:
    """The settings by which this process connects to PostgreSQL."""
    before = dict(connection.settings_dict)
    connection.close()
    yield connection.settings_dict
    connection.close()
    connection.settings_dict.update(before)
    connection_created.disconnect(dispatch_uid=schema.__name__)


def test_a_process_that_starts_while_postgresql_is_down_checks_the_schema_later(address: dict[str, Any]) -> None:
    """Until it is there, pages and tasks get the error that they get while PostgreSQL is down."""
    migrated = {name: address[name] for name in ("NAME", "PORT")}
    address["PORT"] = "1"  # nothing listens there
    assert database_checks.schema_is_older() == []

    address |= {**migrated, "NAME": urlsplit(os.environ["DATABASE_URL"]).path[1:]}  # has no tables
    for _ in range(2):
        with pytest.raises(
            OperationalError, match=r"^The database lacks .* Run `manage\.py migrate` with this version\.$"
        ):
            Space.objects.exists()
    assert readiness.find_missing_of_database() == ["migrations"]

    address |= migrated
    assert not Space.objects.exists()
    connection.close()
    with CaptureQueriesContext(connection) as queries:
        assert not Space.objects.exists()
    assert len(queries) == 1  # it is not checked again


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
    """While one thread waits for the engine, the others answer with the last result, as long as that is recent
    enough."""
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
    """gunicorn would drop the body, and log a warning for each HEAD request."""
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
