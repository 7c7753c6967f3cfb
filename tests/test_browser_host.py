"""A host in a real browser: sign in, play, read, bundle and download; after the deadline everything is 410."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path
from urllib.request import Request, urlopen

import bagit
import pytest
from playwright.sync_api import Page, expect

from archive import dbtime
from archive.models import LogEntry, Space, User
from archive.storage import keys, store
from tests.support import browser_sessions
from tests.support.deadlines import move_deadline
from tests.support.factory import DEMO, make_space
from tests.support.processes import Services
from tests.support.waiting import wait_until


@pytest.mark.usefixtures("committed")
def test_a_host_from_sign_in_to_the_deadline(services: Services, page: Page, alice: User, tmp_path: Path) -> None:
    services.web()
    services.worker()
    services.beat()
    space = make_space(alice)

    browser_sessions.sign_in_with_form(page, services.url, "alice")
    find_by_title(page)
    page.get_by_role("link", name="The seed library room", exact=True).click()
    expect(page.get_by_text("Good evening, everyone, and welcome to the seed library room.")).to_be_visible()

    listen(page)
    downloaded = bundle(page, tmp_path)
    assert bagit.Bag(str(unpacked(downloaded, tmp_path))).is_valid()
    resume(page.get_by_role("link", name="Download (").get_attribute("href") or "", downloaded)
    with page.expect_download() as single:
        page.get_by_role("link", name="Recording m4a").click()
    assert Path(single.value.path()).read_bytes() == (DEMO / "recording.m4a").read_bytes()
    with page.expect_download() as words:
        page.get_by_role("link", name="Transcript as SRT").click()
    assert words.value.suggested_filename == f"The seed library room-{space.ended_at:%Y-%m-%d}.en.srt"

    move_deadline(space, 58)
    page.reload()
    expect(page.get_by_text("less than a minute left")).to_be_visible()
    deadline = move_deadline(space, 1)
    wait_until(lambda: dbtime.now() >= deadline, "the deadline comes")
    answer = page.reload()
    assert answer is not None
    assert answer.status == 410
    expect(page.get_by_role("heading", name="Space")).to_be_visible()
    wait_until(lambda: Space.objects.get(pk=space.pk).state == "deleted", "it is deleted")
    page.reload()
    expect(page.get_by_role("heading", name="This Space was deleted")).to_be_visible()
    assert not store().listing(keys.prefix(space.pk))
    assert LogEntry.objects.filter(space_id=space.pk, event="space.deleted").count() == 1


def find_by_title(page: Page) -> None:
    """Find the Space from the search in the header, then in the list by a part of its title; skip to the first row by
    keyboard."""
    page.get_by_role("searchbox", name="Search Spaces").fill("seed libr")
    page.keyboard.press("Enter")
    found = page.get_by_role("region", name="Spaces", exact=True)
    expect(found.get_by_role("link", name="The seed library room", exact=True)).to_be_visible()
    page.get_by_role("link", name="My Spaces").click()
    box = page.get_by_role("searchbox", name="Filter by title, name or id")
    box.fill("peas")
    box.press("Enter")
    expect(page.get_by_role("heading", name="No matches")).to_be_visible()
    box.fill("seed libr")
    box.press("Enter")
    page.wait_for_url("**/?*")
    page.get_by_role("link", name="Skip to the list").press("Enter")
    row = page.get_by_role("listitem").filter(has_text="The seed library room")
    expect(row).to_contain_text(re.compile(r"Size: [0-9.]+ [kM]B"))
    for _ in range(4):  # choose, title, date
        page.keyboard.press("Tab")
    expect(row.get_by_role("button", name="Download")).to_be_focused()


def listen(page: Page) -> None:
    """Play, then click a line of the transcript to seek to it."""
    page.get_by_role("button", name="Play", exact=True).click()
    wait_until(lambda: place(page) > 0.3, "playback starts")
    page.get_by_role("link", name="Play from 0:33").click()
    wait_until(lambda: abs(place(page) - 33) < 2, "playback continues at the line")
    assert page.evaluate("document.querySelector('audio').error") is None


def place(page: Page) -> float:
    """Return the player's position in seconds."""
    return float(page.evaluate("document.querySelector('audio').currentTime"))


def bundle(page: Page, folder: Path) -> Path:
    """Request the bundle with one click: the page updates and the download starts by themselves."""
    page.evaluate("window.notReloaded = true")
    with page.expect_download(timeout=60_000) as download:
        page.get_by_role("button", name="Download", exact=True).click()
    expect(page.get_by_role("link", name="Download (")).to_be_visible()
    assert page.evaluate("window.notReloaded") is True
    file = folder / download.value.suggested_filename
    download.value.save_as(file)
    return file


def unpacked(file: Path, folder: Path) -> Path:
    with zipfile.ZipFile(file) as archive:
        archive.extractall(folder / "bag")
    done = subprocess.run([sys.executable, "-m", "zipfile", "-t", file], check=False, capture_output=True)
    assert done.returncode == 0
    return next((folder / "bag").iterdir())


def resume(address: str, whole: Path) -> None:
    """Resume from a byte on without a session at the URL that the page shows, as `curl -L -C -` does."""
    with urlopen(Request(address, headers={"Range": "bytes=100000-"})) as answer:
        assert answer.status == 206
        assert answer.read() == whole.read_bytes()[100000:]
