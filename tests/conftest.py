"""Fixtures. `db` is pytest-django's: a transaction that is rolled back. Tests with other processes use `committed`."""

import fcntl
import gc
import logging
import os
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client
from django.test.utils import override_settings, setup_databases, teardown_databases
from playwright.sync_api import Browser, Page, expect

from archive import dbtime, repeated_lines, restores
from archive.database_roles import as_owner
from archive.intake.request import Request
from archive.models import Space, User
from archive.storage import capabilities, rehearsal, store
from archive.storage.bucket import prepare_bucket
from archive.storage.purge_prefix import purge_listing
from embedded.chromium import browser
from tests import plugin
from tests.support import factory, http_clients, processes
from tests.support.audio_files import make_tone
from tests.support.database import (
    add_known_keys,
    close_cleaner,
    empty_database,
    end_sessions,
    remove_rolled_back_checkpoint,
)
from tests.support.factory import make_space as take_in
from tests.support.mail_server import Mailbox, mail_server, use_mail_server
from tests.support.upload_page import ORIGIN

# Slow examples must not fail a test, because other load may slow the machine down.
PATIENT = hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.register_profile("patient", PATIENT)
hypothesis.settings.load_profile("patient")
hypothesis.settings.register_profile("fixed", PATIENT, derandomize=True, database=None)  # `make test`: always the same

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright runs an event loop in the tests' thread

BROWSER_SECONDS = 90  # how long a page may take to show something, on a machine with other load

DEMO = Path(__file__).parent.parent / "archive" / "demo"


@pytest.fixture(scope="session", autouse=True)
def static_files() -> None:
    """Collect static files as in production, once for all xdist workers; the tests' web processes serve them."""
    root = Path(settings.STATIC_ROOT)
    root.parent.mkdir(parents=True, exist_ok=True)
    with root.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not root.exists():
            call_command("collectstatic", interactive=False, verbosity=0)


@pytest.fixture(autouse=True)
def no_lines_left_out() -> None:
    """Do not suppress log lines that earlier tests have already logged."""
    repeated_lines.forget()


@pytest.fixture(scope="session", autouse=True)
def fast_hashes() -> Iterator[None]:
    """In production each hash of a password takes 0.25 s of CPU, on purpose."""
    with override_settings(PASSWORD_HASHERS=["tests.support.fast_hasher.FastHasher"]):
        yield


@pytest.fixture(scope="session", autouse=True)
def bucket() -> rehearsal.Report:
    """Test the store's capabilities once. Tests without a database know them, too, while they run."""
    prepare_bucket(store(), ORIGIN)
    report = rehearsal.try_all(store())
    assert not report.faults
    capabilities.CACHE_SECONDS = 10**9
    capabilities.remember(report.place, report.capabilities)
    return report


@pytest.fixture
def empty_bucket(bucket: rehearsal.Report) -> None:
    """For tests that compare the whole bucket with the rows: other tests leave objects in it."""
    purge_listing(store(), store().listing(""))


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: Any, bucket: rehearsal.Report) -> Iterator[None]:
    """pytest-django creates the database only for tests with its own mark; ours use `committed`.

    The owner creates it. Tests connect with the portal's role.
    """
    with django_db_blocker.unblock(), as_owner():
        made = setup_databases(
            verbosity=0,
            interactive=False,
            keepdb=plugin.POOLED,
            aliases={"default"},  # type: ignore[arg-type]  # its stub wants a mapping
            serialized_aliases=(),
        )
        add_known_keys()
        rehearsal.save(bucket)  # so that no process of a test runs a rehearsal
    yield
    processes.kill_reused_processes()  # these processes hold connections
    close_cleaner()
    gc.collect()  # closes those of threads that have ended
    connections.close_all()
    end_sessions()
    with django_db_blocker.unblock(), as_owner():
        teardown_databases(made, verbosity=0, keepdb=plugin.POOLED)


@pytest.fixture
def owner(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A connection as the owner of the tables, for tests that change the schema or bypass the triggers. Put it before
    `db` in usefixtures."""
    with django_db_blocker.unblock(), as_owner():
        yield


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A database whose changes other processes see. It is emptied afterwards, as are the queues with messages about its
    rows."""
    with django_db_blocker.unblock():
        yield
        empty_database()
        connection.close()
    if "portal.celery" in sys.modules:  # without the site, nothing is published
        processes.empty_queues()


@pytest.fixture(autouse=True)
def nothing_left(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Remove what a test leaves outside of the database, where the next test would find it: the checkpoint that it
    signed (which would look like a restored database), cached comparisons, the id of a request whose response was not
    closed, a handler that logs to captured output, and settings in the environment."""
    environment = processes.own_environment()
    yield
    monkeypatch.undo()  # it exists before this fixture, because pytest-django has requested it
    restores._compared.clear()
    restores._failed.clear()
    if request_ids := sys.modules.get("portal.request_ids"):
        request_ids.forget()
    for handler in logging.root.handlers:  # a command that ran in this process has configured the logs again
        if isinstance(handler, logging.StreamHandler) and handler.stream.closed:
            handler.stream = sys.stderr  # `setStream` would flush the closed one
    if "db" in request.fixturenames or request.node.get_closest_marker("django_db"):
        remove_rolled_back_checkpoint()
    assert processes.own_environment() == environment


@pytest.fixture
def client() -> Client:
    """Like pytest-django's, but all clients share one middleware chain."""
    return http_clients.make_client()


@pytest.fixture(scope="session")
def running_chromium() -> Iterator[Browser]:
    expect.set_options(timeout=BROWSER_SECONDS * 1000)
    with browser() as running:
        yield running


@pytest.fixture
def chromium(running_chromium: Browser) -> Iterator[Browser]:
    """Real headless Chromium, shared by all tests. A test's pages are closed after it, so that they stop polling the
    web process."""
    yield running_chromium
    close_pages(running_chromium)


def close_pages(chromium: Browser) -> None:
    for context in chromium.contexts:
        context.close()


@pytest.fixture
def page(chromium: Browser) -> Page:
    """An empty page in a new browser window."""
    page = chromium.new_page()
    page.set_default_timeout(BROWSER_SECONDS * 1000)
    return page


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
def second_admin() -> User:
    """For decisions that need one. Request it before what is decided exists, because the role must be older."""
    return factory.make_user("sven", role="admins")


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
def services(request: pytest.FixtureRequest, committed: None, tmp_path: Path) -> Iterator[processes.Services]:
    """Real web, worker and beat processes on the test database."""
    uses_chromium = "running_chromium" in request.fixturenames
    chromium: Browser | None = request.getfixturevalue("running_chromium") if uses_chromium else None
    running = processes.Services(tmp_path, plugin.engines, preload=True)
    yield running
    if chromium is not None:  # whichever fixture the test requested first: a page may poll once more, and write a row
        close_pages(chromium)
    running.stop()


@pytest.fixture
def mailbox(settings: Any) -> Iterator[Mailbox]:
    """A real mail server that gets this process's mail."""
    with mail_server() as box:
        use_mail_server(settings, box.port)
        yield box


@pytest.fixture(scope="session")
def tone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tone(tmp_path_factory.mktemp("sounds") / "talk.m4a", "m4a", seconds=1)


@pytest.fixture
def talk(db: None, alice: User, tone: Path) -> Callable[..., Request]:
    """A valid request, except for the given options."""
    ended_at = dbtime.now() - timedelta(days=1)

    def make(**options: Any) -> Request:
        fine: dict[str, Any] = {"recording": tone, "host": alice, "ended_at": ended_at, "title": "Beans"}
        return Request(**fine | options)

    return make


@pytest.fixture
def seeds(db: None, alice: User, tone: Path, tmp_path: Path) -> Space:
    """A Space to bundle."""
    words = tmp_path / "words.vtt"
    words.write_text("WEBVTT\n\n00:00.000 --> 00:01.000\n<v Nora>Beans & peas.\n")
    return take_in(alice, recording=tone, transcript=words, title="Seeds: a talk", cohosts=("Felix",))


@pytest.fixture
def zebrafish(db: None, alice: User, tone: Path, tmp_path: Path) -> Space:
    """A Space with content of every kind; each kind of text contains a word of its own."""
    words = tmp_path / "words.vtt"
    words.write_text("WEBVTT\n\n00:00.000 --> 00:01.000\n<v Okapi>Quagga.\n")
    return take_in(alice, recording=tone, transcript=words, title="Zebrafish", cohosts=("Narwhal",))
