"""Starts the real engines before Django reads its settings, and stops them at the end. Loaded by `-p tests.plugin`."""

import os
import tempfile
from pathlib import Path

import pytest

from embedded.engines import Engines
from tests import readers

DATA = Path(tempfile.mkdtemp(prefix="spacekeep-tests-"))
engines = Engines(DATA, fast=True)

# Short enough for a killed worker's work to be taken up within seconds.
LEASE_SECONDS, DISPATCH_SECONDS = 4, 1


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    start()


def start() -> None:
    """The engines, and the settings that lead to them, in this process's environment."""
    engines.start()
    os.environ.update(
        engines.env,
        SECRET_KEY="only-for-tests-" + "x" * 50,
        CERTIFICATE_KEY="b25seSBmb3IgdGVzdHM6IDMyIGJ5dGVzIG9mIHNlZWQ=",
        SITE_URL="http://127.0.0.1:8000",
        ALLOWED_HOSTS="127.0.0.1,testserver",
        DEBUG="0",
        STATIC_ROOT=str(DATA / "static"),
        LEASE_SECONDS=str(LEASE_SECONDS),
        DISPATCH_SECONDS=str(DISPATCH_SECONDS),
    )


def pytest_unconfigure() -> None:
    engines.destroy()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not readers.has_unzip():
        terminalreporter.write_sep("!", readers.NO_UNZIP)
