"""Find in the transcript: matches are counted, highlighted in the text and on the waveform, and reachable by
keyboard."""

import pytest
from playwright.sync_api import Page, expect

from archive.models import User
from tests.support import browser_sessions
from tests.support.playable_spaces import TimedLine, make_playable_space
from tests.support.player import (
    ConsoleErrors,
    highlighted_line,
    is_line_in_view,
    search_matches,
    wait_for_time,
    waveform_marks,
)
from tests.support.processes import Services
from tests.support.waiting import wait_until

# As many lines as one or two hours of speech, in the 88 seconds of the demo recording.
MANY = [(0.04 * n, 0.04 * n + 0.03, f"Voice {n // 10 % 12}", f"Line {n} of a long talk.") for n in range(2000)]


def open_player(services: Services, page: Page, alice: User, lines: list[TimedLine] | None = None) -> ConsoleErrors:
    services.web()
    space = make_playable_space(alice, lines=lines)
    browser_sessions.open_signed_in(page, services.url, "alice")
    console_errors = ConsoleErrors(page)
    page.goto(f"{services.url}/spaces/{space.pk}/")
    return console_errors


@pytest.mark.usefixtures("committed")
def test_every_match_is_marked_and_reachable(services: Services, page: Page, alice: User) -> None:
    console_errors = open_player(services, page, alice)
    field = page.get_by_role("searchbox", name="Find in the transcript")

    field.fill("seed")
    expect(page.get_by_text("5 matches")).to_be_visible()

    assert search_matches(page) == ["seed", "seed", "Seed", "seed", "SEED"]
    assert [round(x) for x in waveform_marks(page)] == [4, 16, 37, 40, 41]
    for text in ("1 of 5", "2 of 5", "3 of 5"):
        field.press("Enter")
        expect(page.locator("[data-find-status]")).to_have_text(text)
    assert search_matches(page, "found-now") == ["Seed"]
    field.press("Shift+Enter")
    expect(page.locator("[data-find-status]")).to_have_text("2 of 5")
    page.get_by_role("button", name="Next match").click()
    expect(page.locator("[data-find-status]")).to_have_text("3 of 5")

    field.fill("(a|b)*.")
    expect(page.locator("[data-find-status]")).to_have_text("0 matches")
    field.press("Escape")
    assert (search_matches(page), waveform_marks(page)) == ([], [])

    page.goto(f"{page.url}?t=32#find=seed")  # as search results link to a line
    expect(page.locator("[data-find-status]")).to_have_text("3 of 5")
    assert search_matches(page, "found-now") == ["Seed"]
    assert console_errors.messages == []


@pytest.mark.usefixtures("committed")
def test_stepping_through_hours_of_transcript_is_quick(services: Services, page: Page, alice: User) -> None:
    console_errors = open_player(services, page, alice, MANY)
    field = page.get_by_role("searchbox", name="Find in the transcript")

    field.fill("Line 1999")
    field.press("Enter")
    expect(page.locator("[data-find-status]")).to_have_text("1 of 1")
    expect(page.get_by_text("Line 1999 of a long talk.")).to_be_in_viewport()

    field.fill("long")
    expect(page.locator("[data-find-status]")).to_have_text("2000 matches")
    assert len(search_matches(page)) == 2000
    assert 300 < len(waveform_marks(page)) <= 400

    page.get_by_text("Keyboard shortcuts", exact=True).click()
    page.keyboard.press("5")
    wait_until(lambda: highlighted_line(page) == "Line 1105 of a long talk.", "the line in the middle is highlighted")
    wait_until(lambda: is_line_in_view(page), "it is in view")
    assert console_errors.messages == []


@pytest.mark.usefixtures("committed")
def test_playback_does_not_scroll_a_reader_away(services: Services, page: Page, alice: User) -> None:
    open_player(services, page, alice, MANY)
    page.locator("[data-lines] li").first.hover()
    page.mouse.wheel(0, 3000)
    wait_until(lambda: page.evaluate("scrollY") > 2000, "the page has scrolled")

    page.get_by_role("button", name="Play", exact=True).click()
    wait_for_time(page, 0.8, within=0.7)
    assert highlighted_line(page).startswith("Line ")

    assert page.evaluate("scrollY") > 2000
