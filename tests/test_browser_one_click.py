"""Download a Space from My Spaces with one click, and several with two ticks and one click."""

import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from archive.models import Bundle, ExportPart, User
from tests.support import browser_sessions
from tests.support.factory import make_noise
from tests.support.player import ConsoleErrors
from tests.support.processes import Services

WIDTHS = [360, pytest.param(1440, marks=pytest.mark.long)]


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("width", WIDTHS)
def test_one_click(services: Services, chromium: Browser, alice: User, tmp_path: Path, width: int) -> None:
    services.web()
    make_noise(alice, megabytes=6, title="Beans")
    page = chromium.new_context(viewport={"width": width, "height": 800}).new_page()
    errors = ConsoleErrors(page)
    browser_sessions.open_signed_in(page, services.url, "alice")
    row = page.get_by_role("listitem").filter(has_text="Beans")

    with page.expect_download(timeout=60_000) as download:
        row.get_by_role("button", name="Download Beans").click()
        expect(row.get_by_role("progressbar")).to_be_visible()
        expect(row.get_by_text("Waiting", exact=True)).to_be_visible()
        services.worker()

    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert file.name == Bundle.objects.get().name
    assert zipfile.ZipFile(file).testzip() is None
    assert page.url == f"{services.url}/"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.reload()
    expect(row.get_by_text("Downloaded on")).to_be_visible()
    assert errors.messages == []


@pytest.mark.long
@pytest.mark.usefixtures("committed")
def test_two_ticks_and_one_click(services: Services, chromium: Browser, alice: User, tmp_path: Path) -> None:
    services.web()
    services.worker()
    for title in ("Beans", "Seeds", "Soil"):
        make_noise(alice, megabytes=6, title=title)
    page = chromium.new_context(viewport={"width": 1440, "height": 800}).new_page()
    browser_sessions.open_signed_in(page, services.url, "alice")
    expect(page.get_by_role("button", name="Download the ticked Spaces")).to_be_hidden()

    page.get_by_label("Choose Beans").check()
    page.get_by_label("Choose Soil").check()
    with page.expect_download(timeout=60_000) as download:
        page.get_by_role("button", name="Download 2 Spaces").click()

    assert download.value.suggested_filename == ExportPart.objects.get().name
    file = tmp_path / "two.zip"
    download.value.save_as(file)
    folders = {name.split("/")[0].partition("-2")[0] for name in zipfile.ZipFile(file).namelist()}
    assert folders == {"index.html", "Beans", "Soil"}
