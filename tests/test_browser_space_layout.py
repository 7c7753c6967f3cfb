"""The page of a Space on wide and narrow screens: order, a player that stays visible, page weight, no layout shift."""

import itertools
import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from archive.cues import Cue
from archive.display.transcript import cue_rows, describe_length
from archive.models import User
from tests.support import browser_sessions
from tests.support.playable_spaces import TimedLine, make_playable_space
from tests.support.processes import Services

LINES: list[TimedLine] = [(n * 0.8, n * 0.8 + 0.7, ("Nora", "Felix")[n // 3 % 2], f"Line {n}.") for n in range(100)]
BOXES = """() => Object.fromEntries(Object.entries({
  clock: '.clock.large', bundle: '#bundle', player: '.player', lines: '.lines', files: '.downloads'
}).map(([name, selector]) => {
  const { x, y, bottom } = document.querySelector(selector).getBoundingClientRect();
  return [name, { x, y: y + scrollY, bottom: bottom + scrollY }];
}))"""
SHIFT = """() => new Promise(resolve => {
  let total = 0;
  new PerformanceObserver(list => list.getEntries().forEach(entry => { total += entry.value; }))
    .observe({ type: 'layout-shift', buffered: true });
  setTimeout(() => resolve(total), 300);
})"""
WEIGHT = """() => [...performance.getEntriesByType('resource'), ...performance.getEntriesByType('navigation')]
  .reduce((sum, entry) => sum + entry.transferSize, 0)"""


@pytest.mark.usefixtures("committed")
def test_wide_and_narrow(services: Services, chromium: Browser, alice: User) -> None:
    services.web(OPERATOR_NAME="Example Archive", OPERATOR_CONTACT="archive@example.com")
    space = make_playable_space(alice, lines=LINES, peaks=[0.1, 0.6, 0.3, 1.0] * 250)
    address = f"{services.url}/spaces/{space.pk}/"

    narrow = open_page(chromium, services, address, 360)
    boxes = narrow.evaluate(BOXES)
    order = sorted(boxes, key=lambda name: float(boxes[name]["y"]))
    assert order == ["clock", "bundle", "player", "lines", "files"]
    assert_calm(narrow)
    assert_player_stays(narrow, "button.go")
    assert_touchable(narrow)

    wide = open_page(chromium, services, address, 1440)
    boxes = wide.evaluate(BOXES)
    assert boxes["player"]["x"] == boxes["lines"]["x"] < boxes["clock"]["x"]
    right = [boxes[name] for name in ("clock", "bundle", "files")]
    assert all(upper["bottom"] < lower["y"] for upper, lower in itertools.pairwise(right))
    assert boxes["bundle"]["bottom"] < 900  # within the first screen
    assert_calm(wide)
    assert_player_stays(wide, ".track")
    assert_explained_below_the_deadline(wide)
    assert_prints_clean(wide)


@pytest.mark.parametrize(
    ("lines", "length"),
    [
        (["Beans."] * 10, "short"),
        (["Beans."] * 11, ""),
        (["Beans for everybody. " * 3] * 8, "short-wide"),
        (["Beans for everybody. " * 60], ""),
    ],
)
def test_a_player_scrolls_away_with_a_transcript_shorter_than_the_screen(lines: list[str], length: str) -> None:
    assert describe_length(cue_rows(Cue(n, n + 1, "", line) for n, line in enumerate(lines))) == length


def open_page(chromium: Browser, services: Services, address: str, width: int) -> Page:
    is_phone = width < 500
    screen: ViewportSize = {"width": width, "height": 900}
    context = chromium.new_context(viewport=screen, timezone_id="Europe/Berlin", has_touch=is_phone, is_mobile=is_phone)
    page = context.new_page()
    browser_sessions.open_signed_in(page, services.url, "alice")
    context.new_cdp_session(page).send("Network.clearBrowserCache")
    page.goto(address, wait_until="networkidle")
    return page


def assert_calm(page: Page) -> None:
    weight, shift = page.evaluate(WEIGHT), page.evaluate(SHIFT)
    assert 20_000 < weight <= 110_000
    assert shift < 0.01
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def assert_player_stays(page: Page, selector: str) -> None:
    """Even far down in the transcript, which is not a scroll box of its own."""
    page.get_by_text("Line 90.").scroll_into_view_if_needed()
    box: Any = page.locator(selector).bounding_box()
    assert 0 <= box["y"] < 200
    assert page.evaluate("scrollY") > 1000
    assert (
        page.evaluate(
            "(({ scrollHeight, clientHeight }) => scrollHeight - clientHeight)(document.querySelector('.lines'))"
        )
        == 0
    )


def assert_touchable(page: Page) -> None:
    """Tapping the time of a line plays it, and shows the button that copies a link to it."""
    line = page.get_by_role("listitem").filter(has_text="Line 90.")
    stamp = line.get_by_role("link")
    for target in (stamp, page.get_by_text("Why this date?")):
        box: Any = target.bounding_box()
        assert box["height"] >= 40
    copy = line.get_by_role("button", name="Copy a link to this line")
    expect(copy).to_be_hidden()
    stamp.tap()
    expect(copy).to_be_visible()


def assert_explained_below_the_deadline(page: Page) -> None:
    page.evaluate("scrollTo(0, 0)")
    page.get_by_text("Why this date?").hover()
    reasons = page.locator("#clock .why > div")
    expect(reasons).to_be_visible()
    box: Any = reasons.bounding_box()
    when: Any = page.locator("#clock .clock-when").first.bounding_box()
    assert box["y"] >= when["y"] + when["height"]
    page.mouse.move(box["x"] + 50, box["y"] + 10, steps=10)  # it stays open while the pointer moves there
    expect(reasons).to_be_visible()
    page.mouse.move(0, 0)
    expect(reasons).to_be_hidden()


def assert_prints_clean(page: Page) -> None:
    """The print has the whole transcript and no controls."""
    page.emulate_media(media="print")
    shown = """selector => [...document.querySelectorAll(selector)].filter(element => element.checkVisibility())
      .map(element => element.outerHTML.slice(0, 80))"""
    assert page.evaluate(shown, "button, summary, form, nav, audio, .notice, .downloads, .back, [data-edit-bar]") == []
    expect(page.get_by_text("Run by")).to_have_text(re.compile("Example Archive"))
    expect(page.get_by_text("Example Archive")).to_be_visible()
    assert len(page.evaluate(shown, ".lines li")) == len(LINES)
    page.emulate_media(media="screen")
