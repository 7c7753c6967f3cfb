"""The player in a real browser: waveform, keys, transcript lines and links to moments, without console errors."""

import pytest
from playwright.sync_api import Browser, Page, expect

from archive.models import User
from tests.support import browser_sessions
from tests.support.playable_spaces import DEMO_LINES, make_playable_space
from tests.support.player import (
    ConsoleErrors,
    assert_waveform_drawn,
    current_time,
    highlighted_line,
    is_line_in_view,
    is_playing,
    wait_for_time,
)
from tests.support.processes import Services
from tests.support.waiting import wait_until

PEAKS = [0.1, 0.6, 0.3, 1.0] * 250


@pytest.mark.usefixtures("committed")
def test_listening_with_lines_keys_and_links(services: Services, page: Page, alice: User) -> None:
    services.web()
    space = make_playable_space(alice, peaks=PEAKS)
    browser_sessions.open_signed_in(page, services.url, "alice")
    console_errors = ConsoleErrors(page)

    page.goto(f"{services.url}/spaces/{space.pk}/?t=33")
    opens_at_the_line_of_a_moment(page)
    assert_waveform_drawn(page)
    lights_the_line_that_is_spoken(page)
    obeys_keys(page)
    leaves_keys_to_who_types(page)
    follows_a_line(page)
    names_the_moment(page, f"{services.url}/spaces/{space.pk}/")

    assert console_errors.messages == []


def opens_at_the_line_of_a_moment(page: Page) -> None:
    wait_for_time(page, 33.04, within=0.1)
    assert not is_playing(page)
    assert highlighted_line(page) == "Seeds want to be seeds: a SEED that is not sown is a snack."


def lights_the_line_that_is_spoken(page: Page) -> None:
    page.get_by_role("slider", name="Playback position").press("Home")
    page.get_by_role("button", name="Play", exact=True).click()
    wait_until(lambda: highlighted_line(page) == DEMO_LINES[0][3], "the first line is highlighted")
    track = page.locator(".track").bounding_box()
    assert track is not None
    page.mouse.click(track["x"] + track["width"] * 83 / 88.366, track["y"] + 40)
    wait_until(lambda: highlighted_line(page) == DEMO_LINES[5][3], "the line at 83 s is highlighted")
    wait_until(lambda: highlighted_line(page) == DEMO_LINES[6][3], "the next line is highlighted")
    assert is_line_in_view(page)
    page.get_by_role("button", name="Pause").click()
    assert not is_playing(page)


def obeys_keys(page: Page) -> None:
    page.get_by_role("heading", name="The seed library room").click()
    page.keyboard.press("5")
    wait_for_time(page, 44.2, within=0.2)
    page.keyboard.press("ArrowLeft")
    wait_for_time(page, 39.2, within=0.2)
    page.keyboard.press("l")
    wait_for_time(page, 49.2, within=0.2)
    page.keyboard.press("j")
    page.keyboard.press("j")
    wait_for_time(page, 29.2, within=0.2)
    page.keyboard.press("k")
    wait_until(lambda: is_playing(page), "k starts playback")
    page.keyboard.press(" ")
    wait_until(lambda: not is_playing(page), "the space bar pauses playback")
    page.keyboard.press(">")
    assert page.evaluate("document.querySelector('audio').playbackRate") == 1.25
    page.keyboard.press("0")
    page.keyboard.press("ArrowLeft")
    wait_for_time(page, 0, within=0.1)


def leaves_keys_to_who_types(page: Page) -> None:
    page.keyboard.press("/")
    field = page.get_by_role("searchbox", name="Find in the transcript")
    expect(field).to_be_focused()
    page.keyboard.type("jkl 5")
    expect(field).to_have_value("jkl 5")
    assert not is_playing(page)
    assert current_time(page) < 0.1
    field.fill("")
    page.get_by_text("Keyboard shortcuts", exact=True).click()
    page.get_by_label("Use these keys anywhere on the page").uncheck()
    page.get_by_role("heading", name="The seed library room").click()
    page.keyboard.press("5")
    assert current_time(page) < 0.1
    page.get_by_text("Keyboard shortcuts", exact=True).click()
    page.get_by_label("Use these keys anywhere on the page").check()
    page.keyboard.press("Escape")


def follows_a_line(page: Page) -> None:
    page.get_by_text("Bring a packet on Saturday").click()
    wait_for_time(page, 81.09)
    assert is_playing(page)
    page.keyboard.press("k")
    line = page.get_by_role("link", name="Play from 0:15")
    assert line.get_attribute("href") == "?t=15.36"
    line.click()
    wait_for_time(page, 15.36)
    page.keyboard.press("k")


def names_the_moment(page: Page, address: str) -> None:
    page.keyboard.press("5")
    page.get_by_role("button", name="Copy a link to this moment").click()
    assert page.url == f"{address}?t=44"


MOMENTS = [
    ("6", 6, DEMO_LINES[1][3]),
    ("1m21s", 81.09, DEMO_LINES[5][3]),
    ("0h0m15.5s", 15.5, DEMO_LINES[3][3]),
    ("99999", 88.366, DEMO_LINES[6][3]),
    ("-3", 0, ""),
    ("soon", 0, ""),
]


@pytest.mark.usefixtures("committed")
def test_a_link_to_a_moment(services: Services, page: Page, alice: User) -> None:
    services.web()
    space = make_playable_space(alice)
    browser_sessions.open_signed_in(page, services.url, "alice")

    for moment, seconds, line in MOMENTS:
        page.goto(f"{services.url}/spaces/{space.pk}/?t={moment}")

        wait_for_time(page, seconds, within=0.1)
        assert highlighted_line(page) == line, moment
        assert not is_playing(page)


@pytest.mark.usefixtures("committed")
def test_a_small_window_and_the_dark_theme(services: Services, chromium: Browser, alice: User) -> None:
    services.web()
    space = make_playable_space(alice, peaks=PEAKS)
    page = chromium.new_page(viewport={"width": 360, "height": 740}, color_scheme="light")
    browser_sessions.open_signed_in(page, services.url, "alice")
    page.goto(f"{services.url}/spaces/{space.pk}/")
    page.wait_for_selector(".track.waved")

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    by_day = ink(page)
    page.get_by_role("button", name="Colors: automatic").click()

    wait_until(lambda: ink(page) != by_day, "the waveform is drawn in dark colors")


@pytest.mark.usefixtures("committed")
def test_without_scripts_it_still_plays(services: Services, chromium: Browser, alice: User) -> None:
    services.web()
    space = make_playable_space(alice, peaks=PEAKS)
    page = chromium.new_page(java_script_enabled=False)
    page.goto(f"{services.url}/accounts/login/")
    page.get_by_label("User name or e-mail").fill("alice")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Sign in", exact=True).click()

    page.goto(f"{services.url}/spaces/{space.pk}/?t=33")

    sound = page.locator("audio[controls]")
    expect(sound).to_be_visible()
    assert sound.get_attribute("src") == f"/spaces/{space.pk}/audio#t=33"
    expect(page.get_by_role("button", name="Play", exact=True)).to_have_count(0)
    expect(page.get_by_role("link", name="Play from 0:33")).to_have_attribute("href", "?t=33.04")


def ink(page: Page) -> list[int]:
    """Return the color (red, green, blue) of the loudest bar near the start of the waveform."""
    color: list[int] = page.evaluate(
        """() => {
          const canvas = document.querySelector('.wave > div').shadowRoot.querySelector('.canvases canvas');
          const pixels = canvas.getContext('2d').getImageData(0, canvas.height / 2, 30, 1).data;
          for (let at = 12; at < pixels.length; at += 4) {
            if (pixels[at + 3] === 255) return [...pixels.slice(at, at + 3)];
          }
          return [];
        }"""
    )
    return color


@pytest.mark.usefixtures("committed")
def test_the_first_play_asks_the_portal_once(services: Services, page: Page, alice: User) -> None:
    """The player can start with the data loaded with the page. It then fetches the rest from the store in one
    request."""
    services.web()
    space = make_playable_space(alice, peaks=PEAKS)
    browser_sessions.open_signed_in(page, services.url, "alice")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.resource_type == "media" else None)
    audio = f"{services.url}/spaces/{space.pk}/audio"

    page.goto(f"{services.url}/spaces/{space.pk}/")
    play = page.get_by_role("button", name="Play", exact=True)
    expect(play).to_be_enabled()
    page.wait_for_function("document.querySelector('audio').readyState >= HTMLMediaElement.HAVE_FUTURE_DATA")
    at_first = list(asked)
    play.click()
    wait_until(lambda: current_time(page) > 0.3, "playback starts")

    assert [url == audio for url in at_first] == [True, False]  # and the signed URL of the redirect
    assert len(asked) <= 3
    assert asked.count(audio) == 1
