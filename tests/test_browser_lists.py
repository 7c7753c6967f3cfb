"""My Spaces in a browser: compact rows, the weight of the page, times in the reader's zone, no layout shift."""

import random
import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from archive import dbtime
from archive.models import Recording, User
from archive.moderation.violations import flag
from tests.support import browser_sessions
from tests.support.factory import make_row
from tests.support.processes import Services

HEIGHTS = "() => [...document.querySelectorAll('.space-rows > li')].map(row => row.getBoundingClientRect().height)"
WEIGHT = """() => [...performance.getEntriesByType('resource'), ...performance.getEntriesByType('navigation')]
  .reduce((sum, entry) => sum + entry.transferSize, 0)"""
SHIFT = """() => new Promise(resolve => {
  let total = 0;
  new PerformanceObserver(list => list.getEntries().forEach(entry => { total += entry.value; }))
    .observe({ type: 'layout-shift', buffered: true });
  setTimeout(() => resolve(total), 300);
})"""


def fill(alice: User, admin: User) -> None:
    """25 Spaces whose waveforms differ as much as real ones."""
    noise = random.Random(1)
    facts = {"extension": "m4a", "content_type": "audio/mp4", "codec": "aac", "sample_rate": 48000, "channels": 1}
    for n in range(25):
        title = f"{noise.choice(['The', 'A', 'Our'])} {noise.randrange(10**9):x} evening with number {n}"
        space = make_row(alice, title=title, ended_ago=timedelta(days=n + 1, minutes=noise.randrange(1000)))
        size = noise.randrange(10**7, 10**9)
        stored = {"key": f"spaces/{space.pk}/x", "size": size, "sha256": "0" * 64, "crc32": 1, "etag": "e"}
        outline = [noise.randrange(5, 100) for _ in range(100)]
        Recording.objects.create(space=space, duration_ms=noise.randrange(10**7), outline=outline, **facts, **stored)
        if n == 3:
            flag(space.pk, "hate", "Watches.", admin)


@pytest.mark.usefixtures("committed")
def test_rows_are_compact_and_the_page_is_light(
    services: Services, chromium: Browser, alice: User, admin: User
) -> None:
    services.web()
    fill(alice, admin)

    wide = open_list(chromium, services, 1440)
    *heights, flagged = wide.evaluate(HEIGHTS)
    assert heights == [72] * 24
    assert 72 < flagged < 100  # the state has its own line
    expect(wide.locator(".space-rows .meta").first).to_have_text(re.compile(r"Size: [0-9.]+ MB"))
    assert 10_000 < wide.evaluate(WEIGHT) <= 30_000
    assert_calm(wide)
    expect(wide.get_by_text("Flagged: Hateful conduct", exact=True)).to_be_visible()
    until = dbtime.now() - timedelta(days=25) + timedelta(days=30)
    shown = wide.locator(".clock time").first
    assert shown.get_attribute("title", timeout=5000) is not None
    assert "UTC" not in str(shown.text_content())
    assert datetime.fromisoformat(str(shown.get_attribute("datetime"))).astimezone(UTC) < until

    shows_utc_by_keyboard(wide)

    narrow = open_list(chromium, services, 360)
    assert max(narrow.evaluate(HEIGHTS)) <= 160
    assert_calm(narrow)
    assert_explains_at_the_lower_edge(narrow)


def assert_explains_at_the_lower_edge(page: Page) -> None:
    """The reasons for a deadline are in sight when the row is the last one on the screen."""
    date = page.locator(".space-rows .why > summary").nth(8)
    date.evaluate("date => scrollBy(0, date.getBoundingClientRect().bottom - innerHeight)")
    date.click()
    page.wait_for_function(
        """() => {
          const reasons = document.querySelector('.space-rows .why[open] > div');
          return reasons && reasons.getBoundingClientRect().bottom <= innerHeight;
        }"""
    )


def shows_utc_by_keyboard(page: Page) -> None:
    """One Tab stop serves all times."""
    times = page.locator(".space-rows .meta time")
    local = times.all_text_contents()
    switch = page.locator("[data-utc-switch]")

    expect(switch).to_have_text("Show times in UTC")
    switch.press("Enter")
    expect(switch).to_have_text("Show my local times")
    assert all(text.endswith(" UTC") for text in times.all_text_contents())
    assert [time.get_attribute("title") for time in times.all()] == local

    page.reload(wait_until="networkidle")  # the choice is remembered, and the layout of the next page does not shift
    expect(switch).to_have_text("Show my local times")
    assert all(text.endswith(" UTC") for text in times.all_text_contents())
    assert page.evaluate(SHIFT) < 0.01

    switch.press("Enter")
    assert times.all_text_contents() == local
    page.reload(wait_until="networkidle")
    assert times.all_text_contents() == local


def open_list(chromium: Browser, services: Services, width: int) -> Page:
    context = chromium.new_context(viewport={"width": width, "height": 900}, timezone_id="Asia/Kolkata")
    page = context.new_page()
    browser_sessions.open_signed_in(page, services.url, "alice")
    context.new_cdp_session(page).send("Network.clearBrowserCache")
    page.goto(services.url, wait_until="networkidle")
    return page


def assert_calm(page: Page) -> None:
    assert page.evaluate(SHIFT) < 0.01
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
