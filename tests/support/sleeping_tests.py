"""Tests that tests/test_interrupted_run.py runs in another pytest and interrupts. pytest does not collect them by
itself.

The first starts a web process, a worker and a browser; the second is for another worker of xdist, which has only its
engines. Each writes a file when everything runs, and sleeps.
"""

import os
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.support.processes import Services
from tests.support.waiting import wait_until


@pytest.mark.usefixtures("committed")
def test_sleeps_with_everything(services: Services, chromium: Browser) -> None:
    services.preload = False  # a fork has the command line of the process that forked it
    services.web()
    worker = services.worker()
    page = chromium.new_page()
    page.goto(f"{services.url}/accounts/login/")
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible(timeout=60_000)
    wait_until(lambda: "ready" in worker.log.read_text(), "the worker is ready")
    sleep("everything")


def test_sleeps_with_engines() -> None:
    sleep("engines")


def sleep(name: str) -> None:
    Path(os.environ["SLEEPERS"], name).touch()
    time.sleep(600)
