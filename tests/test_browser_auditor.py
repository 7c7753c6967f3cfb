"""An auditor in a real browser: filters the log, saves a view, follows a deleted Space, downloads files, has the log
verified, checks a receipt elsewhere, and learns which entry was changed afterwards."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from archive import content_access
from archive.models import ContentAccess, LogEntry, LogLeaf, Space, User
from archive.retention.purge import purge
from archive.storage import keys, store
from archive.storage.purge_prefix import purge_listing
from archive.transparency import sequence, verify_log
from tests.conftest import BROWSER_SECONDS
from tests.support import browser_sessions
from tests.support.database import as_superuser
from tests.support.deadlines import make_due
from tests.support.factory import make_contents, make_row
from tests.support.http_clients import session_cookie
from tests.support.page_checks import Screen
from tests.support.processes import Services

PHONE, DESKTOP = Screen(360, 780), Screen(1440, 900)


@pytest.fixture(autouse=True)
def no_log_objects(committed: None, bucket: None) -> None:
    purge_listing(store(), store().listing(keys.LOG))


@pytest.fixture
def deleted(alice: User, admin: User) -> Space:
    """A Space that its host and an admin played, and that was deleted at its deadline."""
    space = make_row(alice)
    make_contents(space)
    for user in (alice, admin):
        content_access.record_access(ContentAccess.Kind.PLAYED, [space], user)
    make_due(space)
    assert purge(space.pk)
    return space


@pytest.mark.parametrize("screen", [DESKTOP, pytest.param(PHONE, marks=pytest.mark.long)], ids=["desktop", "phone"])
def test_an_auditor_from_sign_in_to_a_changed_entry(
    services: Services, chromium: Browser, deleted: Space, auditor: User, tmp_path: Path, screen: Screen
) -> None:
    services.web()
    page = screen.open_context(chromium).new_page()
    page.set_default_timeout(BROWSER_SECONDS * 1000)

    browser_sessions.sign_in_with_form(page, services.url, "otto")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Log").click()
    filter_and_save(page, deleted)
    by_admins = download(page, tmp_path, "CSV, for spreadsheets"), download(page, tmp_path, "JSON Lines, for programs")
    assert sequence.run()  # beat starts this each minute
    deletion = follow_to_the_deletion(page, deleted)
    certificate = download(page, tmp_path, "Signed file only (JSON)")
    page.go_back()
    receipt = download(page, tmp_path, f"receipt of entry {deletion.pk}")
    open_proof(page)
    package = download(page, tmp_path, "Download the whole log")

    played = LogEntry.objects.get(event="content.accessed_by_admin")
    with by_admins[0].open(newline="") as file:
        assert [(row["entry"], row["actor"]) for row in csv.DictReader(file)] == [(str(played.pk), "ada")]
    assert [json.loads(line)["entry"] for line in by_admins[1].read_text().splitlines()] == [played.pk]
    key = page.locator("#h-elsewhere ~ ul code").first.inner_text()
    verdict = check(receipt, key, "--certificate", str(certificate))
    assert f"Verified: entry {deletion.pk} of " in verdict
    assert f"It says: Space {deleted.pk}, kept until " in verdict
    assert "None was changed, removed, inserted or reordered" in check(package, key)

    assert "None was changed, removed, inserted or reordered" in verify(page, services)
    as_superuser(f"UPDATE archive_logentry SET actor_id = {auditor.pk} WHERE id = {played.pk}")
    with page.expect_request("**/log/verify"):
        page.get_by_role("button", name="Verify the log now").click()
    place = LogLeaf.objects.get(entry_id=played.pk).index
    words = f"Entry {played.pk} was changed (place {place} of the tree)."
    expect(page.locator("#verification .notice")).to_have_text(words)


def filter_and_save(page: Page, deleted: Space) -> None:
    """Filter by who played, save a view, and open it again."""
    fold = page.locator(".filter-fold > summary")
    if fold.is_visible():
        fold.click()
    page.get_by_text("What happened: Decisions: flags, appeals, holds, reviews; Deletions and").click()
    page.get_by_label("Everything").check()
    expect(page.get_by_label("Deletions and checks")).not_to_be_checked()
    page.get_by_label("Played, by anyone").check()
    expect(page.get_by_label("Everything")).not_to_be_checked()
    page.get_by_label("Space id").fill(str(deleted.pk)[:8])
    page.get_by_role("button", name="Filter", exact=True).click()
    expect(page.get_by_role("status").get_by_text("2 entries")).to_be_visible()
    page.get_by_label("Done by (a role)").select_option("Admins, now or before")
    page.get_by_role("button", name="Filter", exact=True).click()
    expect(page.get_by_role("status").get_by_text("1 entry")).to_be_visible()
    page.get_by_label("Save this view as").fill("Played by admins")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("The view was saved.")).to_be_visible()
    page.get_by_role("link", name="Clear").click()
    expect(page.locator("tbody").get_by_text("Content accessed by an admin")).to_have_count(0)
    page.get_by_role("list", name="Saved views").get_by_role("link", name="Played by admins").click()
    expect(page.get_by_role("status").get_by_text("1 entry")).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(1)


def follow_to_the_deletion(page: Page, deleted: Space) -> LogEntry:
    """Follow an entry to the history of its Space, and on to the certificate."""
    page.locator("tbody").get_by_role("link", name=str(deleted.pk)[:8]).click()
    expect(page.get_by_text("deleted on")).to_be_visible()
    expect(page.locator("ol.timeline > li")).to_have_count(LogEntry.objects.filter(space_id=deleted.pk).count())
    page.get_by_role("link", name="Certificate of deletion").click()
    return LogEntry.objects.get(space_id=deleted.pk, event="space.deleted")


def open_proof(page: Page) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Log").click()
    page.get_by_role("navigation", name="Log", exact=True).get_by_role("link", name="Proof").click()


def download(page: Page, folder: Path, link: str) -> Path:
    with page.expect_download() as started:
        page.get_by_role("link", name=link).first.click()
    path = folder / started.value.suggested_filename
    started.value.save_as(path)
    return path


def check(file: Path, key: str, *options: str) -> str:
    """Return the verifier's verdict on a file, from a process that can import only the verifier."""
    command = [sys.executable, "-I", verify_log.__file__, str(file), "--key", key, *options]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, ""), result.stdout
    return result.stdout


def verify(page: Page, services: Services) -> str:
    """Verify with one click. The open page shows the verdict; the worker starts only when the page is waiting."""
    page.get_by_role("button", name="Verify the log now").click()
    expect(page.get_by_text("The log is being verified.")).to_be_visible()
    page.evaluate("() => { window.isSamePage = true; }")
    services.worker()
    verdict = page.locator("#verification .notice")
    expect(verdict).to_be_visible()
    expect(page.locator("#verification[hx-get], .htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)
    assert page.evaluate("() => window.isSamePage")
    return verdict.inner_text()


@pytest.mark.parametrize("screen", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_filters_are_folded_on_phones_only(
    services: Services, chromium: Browser, deleted: Space, auditor: User, screen: Screen
) -> None:
    """Scripts are off. At every width, the choice of events is folded behind a line that names the chosen ones."""
    services.web()
    context = screen.open_context(chromium, java_script_enabled=False)
    name, _, value = session_cookie(auditor).partition("=")
    context.add_cookies([{"name": name, "value": value, "url": services.url}])
    page = context.new_page()
    is_phone = screen == PHONE
    fold, everything = page.locator(".filter-fold > summary"), page.get_by_label("Everything")
    events = page.get_by_text("What happened:").and_(page.locator("summary"))

    page.goto(f"{services.url}/log/")
    assert (fold.is_visible(), events.is_visible(), everything.is_visible()) == (is_phone, not is_phone, False)
    first = page.locator("tbody tr").first.bounding_box()
    assert first is not None
    assert first["y"] < screen.height
    if is_phone:
        fold.click()
    events.click()
    everything.check()
    page.get_by_role("button", name="Filter", exact=True).click()

    expect(page.get_by_role("status").get_by_text("entries")).to_be_visible()
    expect(events).to_have_text("What happened: everything")
    events.click()
    assert everything.is_checked()
    assert page.get_by_label("Deletions and checks").is_checked() is False
