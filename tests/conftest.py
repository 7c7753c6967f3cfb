"""Fixtures. `db` is pytest-django's: a transaction that is rolled back. Tests with other processes use `committed`."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import setup_databases, teardown_databases
from playwright.sync_api import Browser

from archive.models import Space, User
from archive.storage import store
from archive.storage.setup import prepare
from embedded.chromium import browser
from tests import factory, plugin, processes

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright keeps a loop in the thread of the tests

DEMO = Path(__file__).parent.parent / "archive" / "demo"
KEPT_TABLES = {"django_migrations", "django_content_type", "auth_permission", "auth_group", "archive_rule"}


@pytest.fixture(scope="session", autouse=True)
def static_files() -> None:
    """Collected as in production, once; web processes of the tests serve the same."""
    call_command("collectstatic", interactive=False, verbosity=0)


@pytest.fixture(scope="session", autouse=True)
def bucket() -> None:
    prepare(store(), "http://127.0.0.1:8000")


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: Any) -> Iterator[None]:
    """pytest-django makes the database only for tests that carry its own mark; ours have `committed`."""
    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False, aliases={"default"})  # type: ignore[arg-type]  # its stub wants a mapping
    yield
    with django_db_blocker.unblock():
        teardown_databases(made, verbosity=0)


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A database whose changes other processes see. Emptied afterwards; the log's trigger is told to look away."""
    with django_db_blocker.unblock():
        yield
        tables = set(connection.introspection.table_names()) - KEPT_TABLES
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE archive_logentry DISABLE TRIGGER archive_log_no_truncate")
            cursor.execute(f"TRUNCATE {', '.join(sorted(tables))} RESTART IDENTITY CASCADE")
            cursor.execute("ALTER TABLE archive_logentry ENABLE TRIGGER archive_log_no_truncate")
        connection.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Real headless Chromium; one for all tests, each with pages of its own."""
    with browser() as running:
        yield running


@pytest.fixture
def alice() -> User:
    return factory.make_user("alice")


@pytest.fixture
def bob() -> User:
    return factory.make_user("bob")


@pytest.fixture
def admin() -> User:
    return factory.make_user("ada", role="admins")


@pytest.fixture
def auditor() -> User:
    return factory.make_user("otto", role="auditors")


@pytest.fixture
def demo_recording() -> Path:
    return DEMO / "recording.m4a"


@pytest.fixture
def demo_transcript() -> Path:
    return DEMO / "transcript.vtt"


@pytest.fixture
def make_space(alice: User) -> Callable[..., Space]:
    def make(**options: Any) -> Space:
        return factory.make_space(options.pop("host", alice), **options)

    return make


@pytest.fixture
def services(committed: None, tmp_path: Path) -> Iterator[processes.Services]:
    """Real web, worker and beat processes on the test database."""
    running = processes.Services(tmp_path, plugin.engines)
    yield running
    running.stop()
