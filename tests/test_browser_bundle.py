"""The offline page of a bundle in a real browser: it plays, highlights and searches without any request."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from archive.models import Space, User
from archive.moderation.violations import flag
from tests.support.bundles import unpack_bundle
from tests.support.offline_page import OfflinePage
from tests.support.playable_spaces import DEMO_LINES, make_playable_space
from tests.support.player import (
    assert_waveform_drawn,
    current_time,
    highlighted_line,
    is_line_in_view,
    is_playing,
    search_matches,
    wait_for_time,
    waveform_marks,
)
from tests.support.waiting import wait_until

PEAKS = [0.1, 0.6, 0.3, 1.0] * 250
MANY = [(4.0 * n, 4.0 * n + 3, f"Voice {n // 10 % 12}", f"Line {n} of a long talk.") for n in range(5400)]


@pytest.fixture
def open_offline_page(committed: None, chromium: Browser, tmp_path: Path) -> Iterator[Callable[..., OfflinePage]]:
    """Open the offline page of a Space's bundle; close it afterwards."""
    all_of_them: list[OfflinePage] = []

    def open_one(space: Space, **options: Any) -> OfflinePage:
        folder = tmp_path / str(len(all_of_them))
        folder.mkdir()
        all_of_them.append(OfflinePage(chromium, unpack_bundle(space, folder), **options))
        return all_of_them[-1]

    yield open_one
    for one in all_of_them:
        one.page.context.close()


def test_listening_without_a_network(open_offline_page: Callable[..., OfflinePage], alice: User) -> None:
    offline = open_offline_page(make_playable_space(alice, peaks=PEAKS))
    page = offline.page

    expect(page.get_by_role("heading", level=1)).to_have_text("The seed library room")
    assert_waveform_drawn(page)
    plays_and_lights_the_line(page)
    obeys_keys(page)
    finds_words(page)
    changes_its_colors(page)

    assert offline.console == []
    assert offline.other_requests == []


def plays_and_lights_the_line(page: Page) -> None:
    page.get_by_role("button", name="Play", exact=True).click()
    wait_until(lambda: highlighted_line(page) == DEMO_LINES[0][3], "the first line is highlighted")
    page.get_by_text("Bring a packet on Saturday").click()
    wait_for_time(page, 81.09)
    assert highlighted_line(page) == DEMO_LINES[5][3]
    page.get_by_role("slider", name="Playback position").press("Home")
    page.wait_for_timeout(4000)  # after a click the reader is reading, so the page does not scroll for this long
    wait_until(lambda: highlighted_line(page) == DEMO_LINES[1][3], "the next line is highlighted")
    page.keyboard.press("9")
    wait_until(lambda: highlighted_line(page) == DEMO_LINES[6][3], "the last line is highlighted")
    assert is_line_in_view(page)
    page.get_by_role("button", name="Pause").click()


def obeys_keys(page: Page) -> None:
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("5")
    wait_for_time(page, 44.2, within=0.2)
    page.keyboard.press("j")
    wait_for_time(page, 34.2, within=0.2)
    page.keyboard.press("k")
    wait_until(lambda: is_playing(page), "k starts playback")
    page.keyboard.press(" ")
    wait_until(lambda: not is_playing(page), "the space bar pauses playback")


def finds_words(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("seed")
    expect(page.get_by_text("5 matches")).to_be_visible()
    assert search_matches(page) == ["seed", "seed", "Seed", "seed", "SEED"]
    assert [round(x) for x in waveform_marks(page)] == [4, 16, 37, 40, 41]
    page.keyboard.press("Enter")
    expect(page.locator("[data-find-status]")).to_have_text("1 of 5")
    page.keyboard.press("Escape")


def changes_its_colors(page: Page) -> None:
    page.get_by_role("button", name="Colors: automatic").click()  # this machine is light, so it turns dark
    assert page.evaluate("getComputedStyle(document.body.parentElement).backgroundColor") == "rgb(18, 22, 20)"

    def remembered() -> bool:
        page.reload()
        return page.get_by_role("button", name="Colors: dark").is_visible()

    wait_until(remembered, "the colors are remembered")  # another browser process may load it, and learn it later


def test_a_link_to_a_moment(open_offline_page: Callable[..., OfflinePage], alice: User) -> None:
    offline = open_offline_page(make_playable_space(alice), query="?t=33")

    wait_for_time(offline.page, 33.04, within=0.1)
    assert highlighted_line(offline.page) == DEMO_LINES[4][3]


@pytest.mark.parametrize("width", [360, pytest.param(1440, marks=pytest.mark.long)])
def test_the_layout_fits_small_windows(open_offline_page: Callable[..., OfflinePage], alice: User, width: int) -> None:
    space = make_playable_space(alice, peaks=PEAKS)
    Space.objects.filter(pk=space.pk).update(title="Seeds" * 60)

    page = open_offline_page(Space.objects.get(pk=space.pk), viewport={"width": width, "height": 740}).page

    page.wait_for_selector(".track.waved")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


ENDED = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


def test_the_countdown_after_the_deadline(
    open_offline_page: Callable[..., OfflinePage], alice: User, admin: User
) -> None:
    space = make_playable_space(alice)
    Space.objects.filter(pk=space.pk).update(ended_at=ENDED, expires_at=ENDED + timedelta(days=30))
    flag(space.pk, "spam", "An advertisement.", admin)
    page = open_offline_page(Space.objects.get(pk=space.pk), timezone_id="Europe/Berlin").page
    deadline = datetime(2027, 3, 2, 9, 30, tzinfo=UTC)

    page.clock.set_fixed_time(deadline - timedelta(days=3, hours=1))
    page.reload()
    expect(page.get_by_text("3 days left")).to_be_visible()
    expect(
        page.get_by_text("Spacekeep keeps its copy until 2 March 2027, 09:30 UTC. This one is yours.")
    ).to_be_visible()
    expect(page.get_by_text("in your time: 2 March 2027, 10:30 CET")).to_be_visible()
    page.get_by_text("Why this date?").click()
    expect(
        page.get_by_text("It was flagged for breaking a rule, so it is kept 90 days longer: 120 days in all.")
    ).to_be_visible()
    expect(page.get_by_text("An advertisement.")).to_be_visible()

    page.clock.set_fixed_time(deadline - timedelta(hours=5))
    page.reload()
    expect(page.get_by_text("Spacekeep's copy: 5 hours left")).to_be_visible()
    expect(page.locator(".clock.kept")).to_have_count(1)  # the host's own copy has no deadline
    expect(page.get_by_text("This copy is yours, and stays.")).to_be_visible()

    page.clock.set_fixed_time(deadline + timedelta(days=400))
    page.reload()
    expect(page.get_by_text("Yours to keep")).to_be_visible()
    expect(page.get_by_text("Spacekeep's copy was due to be deleted on 2 March 2027, 09:30 UTC.")).to_be_visible()
    expect(page.get_by_text("Spacekeep keeps its copy")).to_be_hidden()
    expect(page.get_by_text("in your time: 2 March 2027, 10:30 CET")).to_be_visible()
    page.get_by_text("Bring a packet on Saturday").click()
    wait_for_time(page, 81.09)


def test_a_page_with_hours_of_transcript_finds_a_line(
    open_offline_page: Callable[..., OfflinePage], alice: User
) -> None:
    space = make_playable_space(alice, lines=MANY, duration_ms=21_600_000, peaks=PEAKS * 4)

    offline = open_offline_page(space)

    offline.page.keyboard.press("/")
    offline.page.keyboard.type("5399")
    # expect() describes all the lines first, which takes longer than the search.
    status = "document.querySelector('[data-find-status]').textContent"
    wait_until(lambda: offline.page.evaluate(status) == "1 match", "the line was found")
    assert offline.console == []


def test_without_scripts_it_still_plays(open_offline_page: Callable[..., OfflinePage], alice: User) -> None:
    page = open_offline_page(make_playable_space(alice, peaks=PEAKS), java_script_enabled=False).page

    expect(page.locator("audio[controls]")).to_be_visible()
    expect(page.get_by_text("Bring a packet on Saturday")).to_be_visible()
    expect(page.get_by_role("button", name="Play", exact=True)).to_have_count(0)
    expect(page.get_by_text("Spacekeep keeps its copy until")).to_be_visible()


def test_the_page_without_its_files_names_what_is_missing(
    open_offline_page: Callable[..., OfflinePage], alice: User
) -> None:
    offline = open_offline_page(make_playable_space(alice))

    (offline.data / "recording.m4a").unlink()
    offline.page.reload()

    expect(offline.page.get_by_text("unpack the ZIP first")).to_be_visible()
    assert current_time(offline.page) == 0
