"""Upload a Space in a real browser: the form is prefilled, errors appear at their fields, and a broken, late or
corrected transcript is accepted."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from archive import dbtime
from archive.models import Space, User
from tests.support.audio_files import make_tone
from tests.support.factory import DEMO, make_row, make_space
from tests.support.processes import Services
from tests.support.upload_page import upload_page

pytestmark = pytest.mark.usefixtures("committed")

BROKEN = """WEBVTT

00:00.000 --> 00:01.000
<v Nora>Beans first.

00:02.000 --> 00:x3.000
<v Nora>This one has no end.
"""


@pytest.fixture
def page(chromium: Browser, services: Services, alice: User) -> Iterator[Page]:
    services.web()
    services.worker()
    with upload_page(chromium, services.url) as page:
        yield page


def choose(page: Page, *files: Path) -> None:
    page.get_by_label("Drop the").set_input_files(files)


def send(page: Page) -> None:
    ended = dbtime.now() - timedelta(days=2)
    page.get_by_label("When did it end?").fill(f"{ended:%Y-%m-%dT20:00:00}")
    page.get_by_role("button", name="Upload", exact=True).click()


def test_facts_from_the_files_are_filled_in(page: Page, services: Services, alice: User, tmp_path: Path) -> None:
    ended = dbtime.now().replace(hour=19, minute=5, second=0, microsecond=0) - timedelta(days=3)
    before = make_row(alice, title="peas at dusk", ended_at=ended)
    tone = make_tone(tmp_path / "talk.m4a", "m4a")
    facts = tmp_path / "talk.json"
    facts.write_text(json.dumps({
        "egress_id": "EG_1", "room_name": "Peas at dusk", "status": "EGRESS_COMPLETE",
        "started_at": int((ended.timestamp() - 3) * 1e9), "ended_at": int(ended.timestamp() * 1e9),
        "file_results": [{"filename": "talk.m4a", "ended_at": int(ended.timestamp() * 1e9)}],
    }))  # fmt: skip

    choose(page, tone, facts)

    expect(page.locator("main").get_by_text("We filled in the title and end time from your files.")).to_be_visible()
    expect(page.get_by_text(f"That is {ended.day} {ended:%B %Y}, 19:05 UTC.")).to_be_visible()
    page.get_by_role("button", name="Add a speaker").click()
    page.get_by_role("textbox", name="Speaker 1").fill("Nora")
    follows_the_hint(page, before)
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    space = Space.objects.exclude(pk=before.pk).get()
    assert (space.title, space.ended_at) == ("Peas at dusk", ended)
    assert [p.name for p in space.participants.all()] == ["Alice", "Nora"]


def follows_the_hint(page: Page, before: Space) -> None:
    """Follow the hint that a Space with the same title and end was uploaded before."""
    hint, title = page.locator("[data-details] [data-twin]"), page.get_by_label("Title")
    expect(hint.get_by_role("link", name="peas at dusk")).to_have_attribute("href", f"/spaces/{before.pk}/")
    title.fill("Other peas")
    title.press("Tab")
    expect(hint).to_be_hidden()
    title.fill("Peas at dusk")
    title.press("Tab")
    expect(hint).to_be_visible()


@pytest.mark.long
def test_upload_of_a_zoom_folder(page: Page, services: Services, tmp_path: Path) -> None:
    tone = make_tone(tmp_path / "audio_only.m4a", "m4a")
    for name in ("audio_transcript.vtt", "chat.txt", "closed_caption.vtt"):
        (tmp_path / name).write_text(BROKEN)

    choose(page, tone, *(tmp_path / name for name in ("audio_transcript.vtt", "chat.txt", "closed_caption.vtt")))

    expect(page.get_by_text("chat.txt: The chat is not imported.")).to_be_visible()
    expect(
        page.get_by_text("Only one file is used for the transcript: closed_caption.vtt was left out.")
    ).to_be_visible()
    expect(page.get_by_text("Transcript audio_transcript.vtt")).to_be_visible()


def test_form_errors_appear_in_place_and_disappear_when_fixed(page: Page, services: Services, tmp_path: Path) -> None:
    choose(page, make_tone(tmp_path / "talk.m4a", "m4a"))
    title, end, summary = page.get_by_label("Title"), page.get_by_label("When did it end?"), page.get_by_role("alert")
    title.fill("Kept as typed")
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.locator("#upload-ended-error")).to_have_text("Please enter the day and time when the Space ended.")
    expect(end).to_be_focused()
    expect(end).to_have_attribute("aria-invalid", "true")
    expect(end).to_have_attribute("aria-describedby", re.compile(r"\bupload-ended-error\b"))
    expect(summary.filter(has_text="Please correct 1 field:")).to_be_visible()

    end.fill(f"{dbtime.now() - timedelta(days=55):%Y-%m-%dT20:00:00}")
    expect(page.locator("#upload-ended-error")).to_have_text(
        "It ended more than 30 days ago, so it can no longer be kept here."
    )
    expect(page.locator("#upload-ended-help")).to_contain_text("Every copy will be deleted 30 days after this time.")
    expect(page.locator(".deleted-on")).to_have_text("")
    end.fill(f"{dbtime.now() - timedelta(days=2):%Y-%m-%dT20:00:00}")
    expect(page.locator("#upload-ended-error")).to_have_text("")
    expect(end).not_to_have_attribute("aria-invalid", "true")
    expect(page.locator("#upload-ended-help")).to_contain_text("nobody can change it after the upload")
    deletion = re.compile(r"Every copy will be deleted on \d+ .* your time: 30 days after the end, whenever you upload")
    expect(page.locator("#upload-ended-help")).to_contain_text(deletion)
    expect(page.locator(".deleted-on")).to_have_text(deletion)
    expect(summary.filter(has_text="Please correct")).to_have_count(0)

    title.fill("")
    title.blur()
    expect(page.locator("#upload-error-title")).to_have_text("Please enter a title.")
    title.press_sequentially("K")
    expect(page.locator("#upload-error-title")).to_have_text("")
    page.get_by_role("button", name="Add a speaker").click()
    page.get_by_label("Account").fill("nora")
    send(page)
    nameless = page.locator(".part .wrong", has_text="There is an account without a name")
    expect(nameless).to_be_visible()
    page.get_by_role("textbox", name="Speaker 1").press_sequentially("N")
    expect(nameless).to_have_count(0)
    expect(title).to_have_value("K")
    assert not Space.objects.exists()


@pytest.mark.long
def test_a_file_that_is_no_recording_is_refused_with_a_reason(page: Page, services: Services, tmp_path: Path) -> None:
    talk = tmp_path / "talk.wav"
    talk.write_bytes(b"This is no sound at all. " * 100)
    choose(page, talk)
    page.get_by_label("Title").fill("Not a sound")
    send(page)

    expect(page.get_by_text("This recording was not accepted.")).to_be_visible()
    expect(page.get_by_text("We did not keep a copy.")).to_be_visible()
    space = Space.objects.get()
    assert space.state == "rejected"
    expect(page.get_by_text(space.problem_text)).to_be_visible()


def test_a_broken_transcript_can_be_partly_accepted(page: Page, services: Services, tmp_path: Path) -> None:
    words = tmp_path / "talk.vtt"
    words.write_text(BROKEN)
    choose(page, make_tone(tmp_path / "talk.m4a", "m4a"), words)
    page.get_by_label("Title").fill("Beans")
    send(page)

    expect(page.get_by_text("could not be read completely")).to_be_visible()
    expect(page.get_by_text(re.compile(r"line \d"))).to_be_visible()
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    page.get_by_role("button", name="Keep the rest").click()
    expect(page.get_by_text("Beans first.")).to_be_visible()
    expect(page.get_by_text("could not be read completely")).to_have_count(0)


@pytest.mark.long
def test_a_corrected_transcript_is_shown_and_both_are_kept(
    page: Page, services: Services, alice: User, tmp_path: Path
) -> None:
    space = make_space(alice, recording=DEMO / "recording.m4a")
    words = tmp_path / "corrected.vtt"
    words.write_text("WEBVTT\n\n00:00.000 --> 00:01.000\n<v Nora>Peas were meant.\n")
    page.goto(f"{services.url}/spaces/{space.pk}/")
    page.get_by_role("link", name="Upload a corrected transcript").click()
    expect(page.get_by_role("heading", name="Upload a corrected transcript")).to_be_visible()
    choose(page, words)
    page.get_by_role("button", name="Upload", exact=True).click()

    expect(page.get_by_text("Peas were meant.")).to_be_visible()
    assert space.transcripts.count() == 2


def test_an_upload_survives_a_network_outage(page: Page, services: Services, tmp_path: Path) -> None:
    choose(page, make_tone(tmp_path / "talk.m4a", "m4a"))
    page.get_by_label("Title").fill("Through a tunnel")
    gone = [True]
    page.route(re.compile(r"partNumber="), lambda route: route.abort() if gone[0] else route.continue_())
    send(page)
    expect(page.locator("main").get_by_text("The connection was lost. The upload resumes by itself")).to_be_visible()
    gone[0] = False
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
