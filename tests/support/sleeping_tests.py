"""Tests that tests/test_interrupted_run.py runs in another pytest and interrupts. Not collected by themselves.

Each starts a web process, a worker and a browser, writes a file when all of them run, and sleeps.
"""

import os
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.support.processes import Services, wait_until


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.usefixtures("committed")
def test_sleeps(services: Services, chromium: Browser, number: int) -> None:
    services.web()
    worker = services.worker()
    page = chromium.new_page()
    page.goto(f"{services.url}/accounts/login/")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible(timeout=60_000)
    wait_until(lambda: "ready" in worker.log.read_text(), "the worker is ready")
    Path(os.environ["SLEEPERS"], str(number)).touch()
    time.sleep(600)
