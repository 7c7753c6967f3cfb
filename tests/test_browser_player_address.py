"""When a signed URL expires, the player's next seek gets a new one. At the deadline playback stops."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from archive import dbtime
from archive.models import User
from tests.support import browser_sessions
from tests.support.audio_files import make_noise
from tests.support.deadlines import approaching_deadlines
from tests.support.http_clients import fetch
from tests.support.playable_spaces import make_playable_space
from tests.support.player import current_time, highlighted_line, is_playing, wait_for_time
from tests.support.processes import Services
from tests.support.waiting import wait_until

LINES = [(10.0 * n, 10.0 * n + 9, "Nora", f"Line {n}.") for n in range(32)]


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """327 s in 30 MiB, which is more than a browser buffers."""
    return make_noise(tmp_path_factory.mktemp("sounds") / "noise.wav", 30)


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize(
    "playing", [pytest.param(True, id="playing"), pytest.param(False, id="paused", marks=pytest.mark.long)]
)
def test_a_seek_after_the_signed_url_expired(
    services: Services, page: Page, alice: User, noise: Path, monkeypatch: pytest.MonkeyPatch, playing: bool
) -> None:
    monkeypatch.setenv("SIGNED_URL_SECONDS", "2")
    services.web()
    space = make_playable_space(alice, recording=noise, duration_ms=327_680, lines=LINES)
    browser_sessions.open_signed_in(page, services.url, "alice")
    page.goto(f"{services.url}/spaces/{space.pk}/")
    page.get_by_role("button", name="Play", exact=True).click()
    wait_until(lambda: current_time(page) > 0.2, "playback starts")
    if not playing:
        page.keyboard.press("k")
    page.wait_for_timeout(3100)  # the signed URL that it plays from is valid for 2 s

    page.get_by_role("slider", name="Playback position").press("9") if playing else page.keyboard.press("9")

    wait_until(
        lambda: page.evaluate("document.querySelector('audio').readyState") >= 2 and current_time(page) > 290, "there"
    )
    assert page.evaluate("document.querySelector('audio').error") is None
    assert is_playing(page) is playing
    if playing:
        wait_until(lambda: current_time(page) > 295.3, "playback continues at the new position")
    else:
        assert current_time(page) == pytest.approx(294.912, abs=0.1)
    assert highlighted_line(page) == "Line 29."


def ready(page: Page) -> bool:
    return bool(page.evaluate("document.querySelector('audio').readyState >= 2"))


@pytest.mark.usefixtures("committed")
def test_the_deadline_during_playback(services: Services, page: Page, alice: User) -> None:
    services.web()
    space = make_playable_space(alice, peaks=[0.5, 1.0] * 50)
    browser_sessions.open_signed_in(page, services.url, "alice")
    for deadline in approaching_deadlines(space):
        page.goto(f"{services.url}/spaces/{space.pk}/")
        page.get_by_role("button", name="Play", exact=True).click()
        wait_until(lambda: current_time(page) > 0.5 or dbtime.now() >= deadline, "playback starts")  # noqa: B023
        if dbtime.now() < deadline:
            break

    # The page would turn into the "gone" page (test_browser_live.py); here that page cannot load.
    page.route(f"**/spaces/{space.pk}/", lambda route: route.abort("aborted"))
    wait_until(lambda: dbtime.now() >= deadline, "the deadline comes")
    expect(page.get_by_text("The deadline of this Space has passed. It can no longer be played.")).to_be_visible()

    assert not is_playing(page)
    page.keyboard.press("k")
    page.get_by_text("Good evening, everyone").click(force=True)
    page.wait_for_timeout(300)
    assert not is_playing(page)
    assert page.evaluate("isNaN(document.querySelector('audio').duration)")  # nothing is buffered
    cookie = "; ".join(f"{c['name']}={c['value']}" for c in page.context.cookies())
    for what in ("audio", "peaks.json", "transcript.vtt", ""):
        assert fetch(f"{services.url}/spaces/{space.pk}/{what}", cookie)[0] == 410


@pytest.mark.usefixtures("committed")
def test_a_recording_that_fails_to_load_can_be_retried(services: Services, page: Page, alice: User) -> None:
    services.web()
    space = make_playable_space(alice)
    browser_sessions.open_signed_in(page, services.url, "alice")
    page.route("**/spaces/*/audio*", lambda route: route.abort())
    page.goto(f"{services.url}/spaces/{space.pk}/?t=20")
    expect(page.get_by_text("The recording is temporarily unavailable.")).to_be_visible()
    assert highlighted_line(page) == "Hello! Thank you for having me. I brought my notebook, and a tin of beans."

    page.unroute("**/spaces/*/audio*")
    page.get_by_role("button", name="Try again").click()

    expect(page.get_by_text("The recording is temporarily unavailable.")).to_be_hidden()
    wait_for_time(page, 20)
