"""The upload page offers names from the transcript as speakers; one of them may be the host."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from archive import dbtime
from archive.models import Space, User
from tests.support.audio_files import make_tone
from tests.support.processes import Services
from tests.support.upload_page import upload_page

pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.long]


@pytest.fixture
def page(chromium: Browser, services: Services, alice: User) -> Iterator[Page]:
    services.web()
    with upload_page(chromium, services.url) as page:
        yield page


def write_transcript(path: Path, *names: str) -> Path:
    lines = [f"00:{n:02}.000 --> 00:{n:02}.900\n<v {name}>Beans.\n" for n, name in enumerate(names)]
    path.write_text("\n".join(["WEBVTT\n", *lines]))
    return path


def choose(page: Page, *files: Path) -> None:
    page.get_by_label("Drop the").set_input_files(files)


def speakers(page: Page) -> list[str]:
    return [field.input_value() for field in page.locator("[data-participants=speakers] [data-name]").all()]


def test_ticked_names_become_speakers_and_one_is_the_host(page: Page, tmp_path: Path) -> None:
    choose(page, make_tone(tmp_path / "talk.m4a", "m4a"))
    expect(page.locator("[data-automatic]")).to_be_visible()
    choose(page, write_transcript(tmp_path / "talk.vtt", "nora", "Felix Brandt", "Priya", "nora", "Tom"))

    names = page.get_by_role("group", name="In the transcript")
    expect(names.get_by_role("checkbox", name="Tom")).to_be_checked()
    expect(page.locator("[data-automatic]")).to_be_hidden()
    assert speakers(page) == ["nora", "Felix Brandt", "Priya", "Tom"]
    names.get_by_label("Which of them are you?").select_option("nora")
    names.get_by_role("checkbox", name="Tom").uncheck()
    assert speakers(page) == ["Felix Brandt", "Priya"]
    page.get_by_role("button", name="Remove speaker 2").click()
    expect(names.get_by_role("checkbox", name="Priya")).not_to_be_checked()

    page.get_by_label("Title").fill("Beans")
    page.get_by_label("When did it end?").fill(f"{dbtime.now() - timedelta(days=2):%Y-%m-%dT20:00:00}")
    page.get_by_role("button", name="Upload", exact=True).click()
    page.wait_for_url("**/spaces/**")
    people = Space.objects.get().participants.values_list("role", "name", "account")
    assert list(people) == [("host", "nora", "alice"), ("speaker", "Felix Brandt", "")]


def test_a_corrected_name_is_corrected_in_the_transcript_too(page: Page, tmp_path: Path) -> None:
    names = ("Idda", "Benn", "Ben", "Tomm")
    choose(page, make_tone(tmp_path / "talk.m4a", "m4a"), write_transcript(tmp_path / "talk.vtt", *names))
    expect(page.get_by_role("checkbox", name="Idda")).to_be_checked()

    page.get_by_label("Speaker 1", exact=True).fill("Ida")
    page.get_by_label("Speaker 2", exact=True).fill("Ben")
    page.get_by_label("Speaker 4", exact=True).fill("Tom")

    expect(page.get_by_role("checkbox", name="Idda", exact=True)).to_be_checked()
    expect(page.get_by_role("checkbox", name="In the transcript, too: “Idda” becomes “Ida”")).to_be_checked()
    expect(page.get_by_text("Another speaker in the transcript is called “Ben”")).to_be_visible()
    page.get_by_role("checkbox", name="“Tomm” becomes “Tom”").uncheck()
    page.get_by_label("Title").fill("Beans")
    page.get_by_label("When did it end?").fill(f"{dbtime.now() - timedelta(days=2):%Y-%m-%dT20:00:00}")
    page.get_by_role("button", name="Upload", exact=True).click()
    page.wait_for_url("**/spaces/**")

    space = Space.objects.get()
    assert [row.name for row in space.participants.exclude(role="host")] == ["Ida", "Ben", "Ben", "Tom"]
    assert space.uploads.get(kind="transcript").speaker_names == {"Idda": "Ida"}


def test_no_more_speakers_are_added_than_there_are_seats(page: Page, tmp_path: Path) -> None:
    names = [f"Person {n}" for n in range(12)]
    choose(page, make_tone(tmp_path / "talk.m4a", "m4a"), write_transcript(tmp_path / "talk.vtt", *names))

    last = page.get_by_role("checkbox", name="Person 11")
    expect(last).not_to_be_checked()
    assert speakers(page) == names[:10]
    last.click()
    expect(last).not_to_be_checked()
    expect(page.get_by_text("At most 10 speakers can be added.")).to_be_visible()
    page.get_by_role("checkbox", name="Person 0").uncheck()
    last.check()
    assert speakers(page) == [*names[1:10], "Person 11"]


def test_a_removed_transcript_offers_no_names(page: Page, tmp_path: Path) -> None:
    choose(page, make_tone(tmp_path / "talk.m4a", "m4a"), write_transcript(tmp_path / "talk.vtt", "Priya"))
    expect(page.get_by_role("checkbox", name="Priya")).to_be_checked()

    page.get_by_role("button", name="Remove talk.vtt").click()

    expect(page.get_by_role("group", name="In the transcript")).to_be_hidden()
    assert speakers(page) == []
    expect(page.locator("[data-automatic]")).to_be_visible()
