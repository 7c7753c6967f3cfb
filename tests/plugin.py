"""Starts the real engines before Django reads its settings, and stops them at the end. Loaded by `-p tests.plugin`."""

import os
import tempfile
from pathlib import Path

import pytest

from embedded.engines import Engines
from tests import readers

# The data folder of engines that whoever started us lends (tests.mutants); their addresses are in the environment.
LENT = os.environ.get("TEST_ENGINES", "")
DATA = Path(LENT or tempfile.mkdtemp(prefix="spacekeep-tests-"))
engines = Engines(DATA, fast=True)

# Short enough for a killed worker's work to be taken up within seconds.
LEASE_SECONDS, DISPATCH_SECONDS = 4, 1

# They come first: begun last, one worker would be at them while the others wait.
LONGEST = {"test_make_run", "test_bundle_killed", "test_everything_killed"}


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    start()


def start() -> None:
    """The engines, and the settings that lead to them, in this process's environment."""
    if not LENT:
        engines.start()
        os.environ.update(engines.env)
    os.environ.update(
        SECRET_KEY="only-for-tests-" + "x" * 50,
        CERTIFICATE_KEY="b25seSBmb3IgdGVzdHM6IDMyIGJ5dGVzIG9mIHNlZWQ=",
        SITE_URL="http://127.0.0.1:8000",
        ALLOWED_HOSTS="127.0.0.1,testserver",
        DEBUG="0",
        STATIC_ROOT=str(DATA / "static"),
        LEASE_SECONDS=str(LEASE_SECONDS),
        DISPATCH_SECONDS=str(DISPATCH_SECONDS),
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.stem not in LONGEST)


def pytest_unconfigure() -> None:
    if not LENT:
        engines.destroy()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not readers.has_unzip():
        terminalreporter.write_sep("!", readers.NO_UNZIP)
