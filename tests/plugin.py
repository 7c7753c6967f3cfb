"""Starts the real engines before Django reads its settings, and stops them however the run ends. Loaded by `-p
tests.plugin`.

Each process that runs tests has its own engines. With xdist these are its workers; the controller runs no test, and
starts no engine. No process outlives the run: an interrupt (SIGINT, SIGTERM) tears it down in order, and descendants
that are left at the end are killed (embedded/reaper.py). Workers get SIGTERM when the controller ends, even by SIGKILL.
"""

import contextlib
import gc
import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest

from embedded.engines import Engines
from embedded.launcher import die_with_parent
from embedded.reaper import no_process_left
from tests.support import pgbouncer, zip_readers
from tests.support.engine_settings import UNREACHABLE_ENGINES

# The data folder of running engines that the caller lends to a measure (tests.bench); their addresses are in the
# environment.
LENT = os.environ.get("TEST_ENGINES", "")
# Whether tests reach PostgreSQL through pgbouncer, which keeps connections to the database open (`make pgbouncer`).
POOLED = bool(os.environ.get("THROUGH_PGBOUNCER"))

# xdist's controller sets these for its workers: its pid, and the folder for theirs. A pytest run inside of a test
# inherits them, but has another parent.
CONTROLLER, FOLDER = "TESTS_CONTROLLER", "TESTS_FOLDER"
IS_WORKER = os.environ.get(CONTROLLER) == str(os.getppid())


def _folder() -> Path:
    if LENT:
        return Path(LENT)
    if IS_WORKER:
        return Path(os.environ[FOLDER], os.environ["PYTEST_XDIST_WORKER"])
    return Path(tempfile.mkdtemp(prefix="spacekeep-tests-"))


DATA = _folder()
engines = Engines(DATA, fast=True)

# The lease is as long as in production: tests do not wait for its end (tests/support/leases.py), and no work takes so
# long, even on a slow machine, where workers must not count as dead either. Beat is quick.
LEASE_SECONDS, DEAD_WORKER_SECONDS, DISPATCH_SECONDS = 600, 600, 1

# The longest files run first: if they ran last, one process would run them while the other one waits.
LONGEST = (
    "test_make_run",
    "test_interrupted_run",
    "test_outages",
    "test_everything_killed",
    "test_store_profiles",
    "test_browser_live",
    "test_browser_upload_transcript",
    "test_content_routes",
    "test_translated_pages",
    "test_access",
    "test_bundle_streamed",
    "test_second_bucket",
    "test_setup_store",
    "test_webhooks_killed",
    "test_api_schema",
    "test_concurrency",
    "test_browser_sign_in",
    "test_second_factor",
    "test_access_matrix",
    "test_transcripts_limits",
    "test_transcription",
    "test_inbox_killed",
    "test_purge_faults",
    "test_browser_upload",
    "test_browser_bundle",
    "test_bundle_killed",
    "test_browser_player_address",
    "test_transcription_killed",
    "test_bundle_resumes",
    "test_settings_checks",
    "test_engines",
    "test_browser_transcription",
    "test_deadline_by_itself",
    "test_conflicts",
    "test_browser_log_verifier",
    "test_constraints",
    "test_browser_accounts",
    "test_browser_moderation",
    "test_browser_upload_archive",
    "test_browser_player",
    "test_browser_auditor",
    "test_browser_host",
    "test_browser_upload_sorted",
    "test_decoder_hostile",
    "test_browser_review",
    "test_checkpoint_mail",
    "test_decoder_failed",
    "test_browser_player_find",
    "test_browser_rules",
    "test_edit_page",
    "test_export_page",
    "test_exports",
)

TIERS = {
    "fast": "nothing but Python and the database",
    "store": "keeps files in the object store, or decodes sound",
    "system": "starts web, worker, beat or commands, or stops engines, or commits what other processes see",
    "browser": "looks at pages in a real browser",
    "chaos": "kills processes",
}
BROWSER_FIXTURES = {"running_chromium"}
SYSTEM_FIXTURES = {"committed", "services", "running_chromium"}
CHAOS_FIXTURES = {"zygote"}
# Imports of test files that start processes of their own.
SYSTEM_NAMES = {"subprocess", "Process", "Engines", "Checkout", "MANAGE", "find_catching_tests"}
# Imports of test files that make recordings, or access the store.
STORE_NAMES = {
    *("store", "write", "backend", "measure", "build_bundle", "store_upload", "speech_samples"),
    *("listening_sockets", "Proxy", "make_space", "make_noise", "make_contents", "make_long_space"),
    *("make_tone", "make_silence", "make_archived", "decode_recording"),
}
STORE_FIXTURES = {"tone", "demo_recording", "make_space", "empty_bucket"}


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    # By default the garbage collector runs whenever 700 objects were created, which takes a seventh of the CPU of a
    # page.
    gc.set_threshold(50_000, 20, 20)
    if IS_WORKER:
        die_with_parent(os.getppid(), signal.SIGTERM)
    run = contextlib.ExitStack()
    early_config.add_cleanup(run.close)
    run.enter_context(no_process_left(stop))
    if is_controller(early_config):
        # The controller collects no tests and connects to nothing.
        os.environ.update(UNREACHABLE_ENGINES | {CONTROLLER: str(os.getpid()), FOLDER: str(DATA)} | settings())
    else:
        start()


def is_controller(config: pytest.Config) -> bool:
    """Return whether other processes will run the tests of this one."""
    return not IS_WORKER and bool(getattr(config.known_args_namespace, "numprocesses", None))


def start() -> None:
    """Start the engines, and set the settings for them in this process's environment."""
    if not LENT:
        engines.start()
        os.environ.update(engines.env)
    if POOLED:
        os.environ["DATABASE_URL"] = pgbouncer.start(DATA, engines.postgres)
    os.environ.update(settings())


def stop() -> None:
    """Stop the engines, and remove their data."""
    if not LENT:
        engines.destroy()
        shutil.rmtree(DATA, ignore_errors=True)


def settings() -> dict[str, str]:
    """Return the settings that do not depend on the engines."""
    return {
        "SECRET_KEY": "only-for-tests-" + "x" * 50,
        "CERTIFICATE_KEY": "b25seSBmb3IgdGVzdHM6IDMyIGJ5dGVzIG9mIHNlZWQ=",
        "LOG_KEY": "c2lnbnMgdGhlIGxvZyBpbiB0ZXN0cyBvbmx5ICAgICA=",
        "LOG_ORIGIN": "127.0.0.1:8000/log",
        "SITE_URL": "http://127.0.0.1:8000",
        "ALLOWED_HOSTS": "127.0.0.1,testserver",
        "DEBUG": "0",
        "REQUIRE_SECOND_FACTOR": "0",  # tests of it switch it on
        "STATIC_ROOT": str((DATA.parent if IS_WORKER else DATA) / "static"),
        "LEASE_SECONDS": str(LEASE_SECONDS),
        "DEAD_WORKER_SECONDS": str(DEAD_WORKER_SECONDS),
        "DISPATCH_SECONDS": str(DISPATCH_SECONDS),
    }


def pytest_configure(config: pytest.Config) -> None:
    for name, meaning in TIERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning} (set by tests/plugin.py)")
    config.addinivalue_line("markers", "long: a slow variant of another test, only in `make test-long`")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Runs before `-m` selects among the tests."""
    for item in items:
        for tier in tiers(item):
            item.add_marker(tier)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Runs after pytest-randomly, whose wrapper shuffles last of all, and before xdist reports the order."""
    gc.freeze()  # imported objects stay, so the garbage collector need not check them again and again
    session.items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))


def tiers(item: pytest.Item) -> set[str]:
    """Find the tiers of a test by its fixtures and its file's imports, so that no test needs a mark."""
    fixtures = set(getattr(item, "fixturenames", ()))
    imported = set(vars(getattr(item, "module", item)))
    names = set()
    if fixtures & STORE_FIXTURES or imported & STORE_NAMES:
        names.add("store")
    if fixtures & BROWSER_FIXTURES:
        names.add("browser")
    if fixtures & SYSTEM_FIXTURES or imported & SYSTEM_NAMES:
        names.add("system")
    if fixtures & CHAOS_FIXTURES or item.path.stem.endswith("_killed"):
        names.add("chaos")
    return names or {"fast"}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not zip_readers.has_unzip():
        terminalreporter.write_sep("!", zip_readers.NO_UNZIP)
