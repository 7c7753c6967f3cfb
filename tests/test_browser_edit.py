"""A host edits a Space in a real browser, and a bundle downloaded afterwards contains every change."""

import json
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from archive.models import Participant, Space, User
from tests.support.browser_sessions import open_signed_in
from tests.support.playable_spaces import make_playable_space
from tests.support.processes import Services


@pytest.mark.usefixtures("committed")
def test_title_line_and_speaker_are_edited_and_the_bundle_has_them(
    services: Services, page: Page, alice: User, tmp_path: Path
) -> None:
    services.web()
    services.worker()
    space = make_playable_space(alice)
    Participant.objects.create(space=space, role="host", seat=1, name="Nora", account="alice", user=alice)
    open_signed_in(page, services.url, "alice")
    page.goto(f"{services.url}/spaces/{space.pk}/")

    correct_lines_in_place(page)
    edit_title_and_speaker(page)

    page.get_by_role("link", name="The bean room", exact=True).click()
    expect(page.get_by_text("The Space was changed after its last bundle was made.")).to_have_count(0)
    with page.expect_download(timeout=60_000) as download:
        page.get_by_role("button", name="Download", exact=True).click()
    download.value.save_as(tmp_path / "bundle.zip")
    files = read_zip(tmp_path / "bundle.zip")
    assert json.loads(files["data/space.json"])["title"] == "The bean room"
    text = files["data/transcript.3.en.txt"].decode()
    assert "Felix Brandt: And I'm Felix. The kettle is on." in text
    assert "Ines: Hello! Thank you for having me." in text
    assert "Felix: And I'm Felix. Pull up a chair" in files["data/transcript.en.txt"].decode()
    assert "The kettle is on." in files["data/index.html"].decode()
    assert Space.objects.get(pk=space.pk).transcripts.count() == 3


def correct_lines_in_place(page: Page) -> None:
    """By keyboard alone: correct two lines as one version. Esc cancels, the focus returns, and nothing scrolls by
    itself."""
    page.get_by_role("link", name="Correct lines").click()
    expect(page.get_by_role("button", name="Correct line 1", exact=True)).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    second = page.get_by_role("button", name="Correct line 2", exact=True)
    expect(second).to_be_focused()

    page.keyboard.press("Enter")
    expect(page.get_by_label("Text", exact=True)).to_be_focused()
    page.keyboard.type("Nonsense.")
    page.keyboard.press("Escape")
    expect(second).to_be_focused()
    expect(page.get_by_text("And I'm Felix. Pull up a chair, the kettle is on.")).to_be_visible()
    expect(page.get_by_role("button", name="Save", exact=True)).to_be_disabled()

    page.keyboard.press("Enter")
    page.get_by_label("Text", exact=True).fill("And I'm Felix. The kettle is on.")
    page.keyboard.press("Enter")
    expect(second).to_be_focused()
    expect(page.get_by_role("button", name="Save 1 correction", exact=True)).to_be_enabled()
    page.get_by_role("button", name="Correct line 4", exact=True).click()
    page.get_by_label("Speaker", exact=True).fill("Ines")
    page.get_by_role("button", name="Done").click()
    expect(page.locator("li.corrected .voice").last).to_have_text("Ines")
    page.get_by_role("button", name="Save 2 corrections").click()
    expect(page.get_by_text("Saved as version 2 of the transcript.")).to_be_visible()
    expect(page.get_by_text("And I'm Felix. The kettle is on.")).to_be_visible()


def edit_title_and_speaker(page: Page) -> None:
    page.get_by_role("link", name="Edit", exact=True).click()
    page.get_by_label("Title").fill("The bean room")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    page.get_by_label("Felix 2 lines").fill("Felix Brandt")
    page.get_by_role("button", name="Save the names").click()
    expect(page.get_by_text("Saved as version 3 of the transcript.")).to_be_visible()


def read_zip(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as whole:
        return {name.partition("/")[2]: whole.read(name) for name in whole.namelist()}
