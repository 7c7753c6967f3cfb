"""Upload several recordings of one archive at once, in a real browser: each becomes a Space of its own."""

import hashlib
import json
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from archive import dbtime
from archive.models import Space, UploadSession, User
from tests.support.audio_files import make_tone
from tests.support.processes import Services
from tests.support.upload_page import upload_page
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("committed")

OLD, MIDDLE, NEW = "1OwGWwnoleRGQ", "1ypKdEXvkMLGW", "1vAxRkVNdkPGl"  # sorted by name, the older one comes first
TRANSCRIPT = """WEBVTT

00:00.000 --> 00:01.000
<v Alice>Beans first.

00:01.000 --> 00:02.000
<v Priya>Peas.

00:02.000 --> 00:03.000
<v Tom>Both.
"""


@pytest.fixture
def page(chromium: Browser, services: Services, alice: User) -> Iterator[Page]:
    services.web()
    services.worker()
    with upload_page(chromium, services.url) as page:
        yield page


@pytest.fixture
def sounds(tmp_path: Path) -> dict[str, bytes]:
    return {
        key: make_tone(tmp_path / f"{key}.ts", "ts", seconds=seconds).read_bytes()
        for key, seconds in ((OLD, 3), (MIDDLE, 4), (NEW, 5))
    }


def ended_at(days_ago: int) -> datetime:
    return dbtime.now().replace(hour=19, minute=5, second=0, microsecond=0) - timedelta(days=days_ago)


def pack(path: Path, sounds: dict[str, bytes], days_ago: dict[str, int]) -> Path:
    """An X data archive with recordings: Space ids, and how many days ago each Space ended."""
    spaces = [
        {"id": key, "endedAt": ended_at(days).isoformat(), "totalParticipated": str(100 + days)}
        for key, days in days_ago.items()
    ]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("data/spaces-metadata.js", f"window.YTD.spaces_metadata.part0 = {json.dumps(spaces)}")
        for key, sound in sounds.items():
            out.writestr(f"data/spaces_media/space-{key}.ts", sound)
        out.writestr(f"data/spaces_media/space-{NEW}.vtt", TRANSCRIPT)
    return path


def rows(page: Page) -> Locator:
    return page.locator("[data-recordings] > ul > li")


def tick(page: Page, key: str, title: str) -> None:
    row = rows(page).filter(has_text=key)
    row.get_by_role("checkbox", name=key).check()
    row.get_by_label("Title").evaluate("(input, title) => { input.value = title; }", title)  # shown for two or more


def expect_state(page: Page, title: str, state: str) -> None:
    expect(page.locator(".upload-entry").filter(has_text=title).locator("[data-entry-state]")).to_have_text(state)


def test_two_recordings_are_uploaded_at_once_and_the_expired_one_is_disabled(
    page: Page, tmp_path: Path, sounds: dict[str, bytes]
) -> None:
    archive = pack(tmp_path / "twitter.zip", sounds, {OLD: 55, MIDDLE: 9, NEW: 3})
    page.get_by_label("Drop the").set_input_files(archive)

    expect(page.get_by_text("twitter.zip contains 3 recordings. Which ones do you want to upload?")).to_be_visible()
    texts = rows(page).locator("label[data-for=tick]").all_inner_texts()
    assert [key in text for key, text in zip((NEW, MIDDLE, OLD), texts, strict=True)] == [True] * 3  # newest first
    local = ended_at(3) + timedelta(hours=1 if ended_at(3).month in (11, 12, 1, 2) else 2)
    assert texts[0].startswith(f"{local:%A}"), texts[0]
    assert texts[0].index("103 listeners") < texts[0].index(NEW)
    expired = rows(page).filter(has_text=OLD)
    expect(expired).to_contain_text("Ended more than 30 days ago: can no longer be kept.")
    expect(expired.get_by_role("checkbox")).to_be_disabled()

    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.get_by_text("Select at least one recording.")).to_be_visible()
    for key in (NEW, MIDDLE):
        rows(page).filter(has_text=key).get_by_role("checkbox", name=key).check()
    page.get_by_role("button", name="Upload 2 recordings").click()
    first = rows(page).nth(0)
    expect(first.get_by_label("Title")).to_be_focused()
    expect(first.get_by_text("Please enter a title.")).to_be_visible()
    first.get_by_label("Title").fill("New")
    expect(first.get_by_text("Please enter a title.")).to_have_count(0)
    rows(page).nth(1).get_by_label("Title").fill("Middle")
    expect(first.get_by_label("Which of them are you?")).to_have_value("Alice")
    first.get_by_label("Tom").uncheck()
    page.get_by_role("button", name="Upload 2 recordings").click()

    expect(page.get_by_role("heading", name="All 2 recordings are uploaded")).to_be_visible()
    for title in ("New", "Middle"):
        expect_state(page, title, "Ready")
    new, middle = Space.objects.get(title="New"), Space.objects.get(title="Middle")
    assert Space.objects.count() == 2
    assert (new.ended_at, new.listeners_total) == (ended_at(3), 103)
    assert (middle.ended_at, middle.listeners_total) == (ended_at(9), 109)
    assert new.recordings.get().sha256 == hashlib.sha256(sounds[NEW]).hexdigest()
    assert middle.recordings.get().sha256 == hashlib.sha256(sounds[MIDDLE]).hexdigest()
    assert list(new.participants.values_list("role", "name")) == [("host", "Alice"), ("speaker", "Priya")]
    wait_until(new.transcripts.exists, "the transcript of the newest Space is parsed")
    assert not middle.transcripts.exists()


def abort_small(route: Route, size: int) -> None:
    """Abort the request that starts the upload of a file of `size` bytes."""
    if (route.request.post_data_json or {}).get("size") == size:
        route.abort()
    else:
        route.continue_()


@pytest.mark.long
def test_one_that_is_not_accepted_does_not_stop_the_others(
    page: Page, tmp_path: Path, sounds: dict[str, bytes]
) -> None:
    archive = pack(tmp_path / "twitter.zip", {**sounds, NEW: b"ID3\x04" + bytes(9999)}, {OLD: 20, MIDDLE: 9, NEW: 3})
    page.get_by_label("Drop the").set_input_files(archive)
    for key, title in ((NEW, "New"), (MIDDLE, "Middle"), (OLD, "Old")):
        tick(page, key, title)
    page.route("**/spaces/*/uploads", lambda route: abort_small(route, len(sounds[MIDDLE])))
    page.get_by_role("button", name="Upload 3 recordings").click()

    expect(page.get_by_role("heading", name="2 of 3 recordings are uploaded")).to_be_visible()
    expect_state(page, "New", "Not accepted")
    expect_state(page, "Middle", "Not uploaded")
    expect(page.locator(".upload-entry").get_by_text("Spacekeep is temporarily unavailable.")).to_be_visible()
    expect_state(page, "Old", "Ready")
    assert Space.objects.get(title="New").state == "rejected"

    page.unroute("**/spaces/*/uploads")
    page.get_by_role("button", name="Retry").click()

    expect_state(page, "Middle", "Ready")
    assert Space.objects.count() == 3  # the Space created before is reused


@pytest.mark.long
def test_several_uploads_resume_after_a_reload(page: Page, tmp_path: Path, sounds: dict[str, bytes]) -> None:
    archive = pack(tmp_path / "twitter.zip", sounds, {OLD: 20, MIDDLE: 9, NEW: 3})
    page.get_by_label("Drop the").set_input_files(archive)
    for key, title in ((NEW, "New"), (MIDDLE, "Middle")):
        tick(page, key, title)
    page.route("**/*partNumber=*", lambda route: route.abort())
    page.get_by_role("button", name="Upload 2 recordings").click()
    expect(page.get_by_role("heading", name="Uploading 2 recordings")).to_be_visible()
    wait_until(lambda: UploadSession.objects.filter(kind="recording").exists(), "the first upload is open")
    page.unroute("**/*partNumber=*")
    page.reload()

    expect(page.get_by_text("2 recordings are not uploaded yet: New, Middle.")).to_be_visible()
    expect(page.get_by_role("heading", name="Unfinished uploads")).to_be_hidden()  # they are listed above
    page.get_by_label("Drop the").set_input_files(archive)  # the page does not ask again

    expect(page.get_by_role("heading", name="All 2 recordings are uploaded")).to_be_visible()
    for title, key in (("New", NEW), ("Middle", MIDDLE)):
        expect_state(page, title, "Ready")
        assert Space.objects.get(title=title).recordings.get().sha256 == hashlib.sha256(sounds[key]).hexdigest()
    assert Space.objects.count() == 2
    page.reload()
    expect(page.get_by_text("are not uploaded yet")).to_have_count(0)
