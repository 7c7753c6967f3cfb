"""A recording without a transcript gets an automatic one; search finds a line of it, and the player starts there."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pytest_django import Settings

from archive.models import Space, User
from archive.tasks import dispatch
from tests.support import browser_sessions, speech_samples
from tests.support.factory import make_space
from tests.support.processes import Services
from tests.support.waiting import wait_until


@pytest.mark.usefixtures("committed")
def test_transcribe_search_and_play(
    services: Services,
    page: Page,
    alice: User,
    tmp_path: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.TRANSCRIPTION_MODEL = speech_samples.MODEL
    monkeypatch.setenv("TRANSCRIPTION_MODEL", speech_samples.MODEL)
    recording = speech_samples.extract_reading(tmp_path)
    space = make_space(alice, recording=recording, transcript=None, transcribe=True, title="Read aloud")
    services.web()

    browser_sessions.open_signed_in(page, services.url, "alice")
    page.goto(f"{services.url}/spaces/{space.pk}/")
    expect(page.get_by_text("Automatic transcript: waiting")).to_be_visible()
    services.worker(1)
    dispatch()
    expect(page.get_by_text("It may contain mistakes")).to_be_visible()
    text = " ".join(page.locator("[data-lines] p > span").all_inner_texts())
    assert speech_samples.word_error_rate(speech_samples.TWO_CITIES, text) < 0.15

    page.get_by_label("Search Spaces").first.fill("superlative")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/search/\?words=[-\w]+(%3D)*$"))
    line = page.locator(".found-lines a", has_text="superlative")
    line.click()
    begins = start_of(space, "superlative")
    wait_until(lambda: abs(place(page) - begins) < 1, "the page opens at the linked line")
    assert 28 < begins < 41  # when the word is spoken
    page.get_by_role("button", name="Play", exact=True).click()
    wait_until(lambda: place(page) > begins + 0.5, "playback starts at the line")
    expect(page.locator("[data-lines] .now")).to_contain_text("superlative")
    assert page.evaluate("document.querySelector('audio').error") is None


def start_of(space: Space, word: str) -> float:
    """Return when the line with this word begins, in seconds."""
    (line,) = [line for line in space.transcripts.get().cues if word in line["text"]]
    return float(line["start_ms"]) / 1000


def place(page: Page) -> float:
    """Return the player's position in seconds."""
    return float(page.evaluate("document.querySelector('audio')?.currentTime ?? -1"))
