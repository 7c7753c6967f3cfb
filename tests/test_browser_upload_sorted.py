"""The upload page recognizes each chosen file by its content: one is the recording, others belong to it, and the rest
is listed with a reason."""

import shutil
import zipfile
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

pytestmark = pytest.mark.usefixtures("committed")

VTT = b"WEBVTT\n\n00:00.000 --> 00:01.000\n<v Ida>Beans first.\n"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(range(256))
OTHERS: dict[str, tuple[bytes, str]] = {
    "cover.jpg": (JPEG, "cover.jpg: It is a picture."),
    "slides.pdf": (b"%PDF-1.7\n", "slides.pdf: It is a document or a database, not text and not a recording."),
    "notes.txt": (
        b"Bring beans.\n",
        "notes.txt: It is text, but neither a transcript (VTT, SRT or lines with times) nor metadata of a known tool.",
    ),
    "nothing.dat": (b"", "nothing.dat: The file is empty."),
    "noise.bin": (bytes(range(256)), "noise.bin: It is neither sound in a known format nor text."),
    "setup.exe": (b"MZ\x90\x00" + bytes(200), "setup.exe: It is a program or a font."),
    "old.7z": (b"7z\xbc\xaf'\x1c", "old.7z: It is an archive inside of another."),
    ".DS_Store": (b"Bud1", ".DS_Store: Hidden files, and those that operating systems leave behind, are not read."),
    "talk.de.vtt": (VTT, "talk.de.vtt: It is another transcript of talk.m4a: talk.m4a.vtt was used."),
}


@pytest.fixture
def page(chromium: Browser, services: Services, alice: User) -> Iterator[Page]:
    services.web()
    with upload_page(chromium, services.url) as page:
        yield page


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "evening"
    place.mkdir()
    make_tone(place / "talk.m4a", "m4a")
    (place / "talk.m4a.vtt").write_bytes(VTT)
    for name, (data, _) in OTHERS.items():
        (place / name).write_bytes(data)
    return place


def choose(page: Page, *files: Path) -> None:
    page.reload()
    page.get_by_label("Drop the").set_input_files(files)


def drop(page: Page, *paths: Path) -> None:
    """Drop files and folders as from a file manager."""
    page.reload()
    expect(page.get_by_label("Drop the")).to_be_visible()
    devtools = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        devtools.send("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 300, "data": data})


def left_out(page: Page) -> list[str]:
    return page.locator("[data-left-out] li").all_inner_texts()


def expect_chosen(page: Page, *rows: str) -> None:
    expect(page.locator("[data-chosen] li")).to_have_count(len(rows))
    for row in rows:
        expect(page.locator("[data-chosen]")).to_contain_text(row)


def expect_all_left_out(page: Page, prefix: str = "") -> None:
    expect(page.locator("[data-left-out] li")).to_have_count(len(OTHERS))
    lines = left_out(page)
    for _, expected in OTHERS.values():
        name, _, sentence = expected.partition(": ")
        assert any(line.startswith(f"{prefix}{name}: {sentence}") for line in lines), (expected, lines)


@pytest.mark.long
def test_the_recording_is_the_recording_in_either_order(page: Page, folder: Path) -> None:
    cover, talk = folder / "cover.jpg", folder / "talk.m4a"
    for files in ((cover, talk), (talk, cover)):
        choose(page, *files)

        expect_chosen(page, "Recording talk.m4a")
        expect(page.locator("[data-left-out] li")).to_have_text(["cover.jpg: It is a picture."])
        expect(page.locator("[data-drop-error]")).to_have_text("")


@pytest.mark.long
def test_endings_do_not_matter(page: Page, tmp_path: Path, folder: Path) -> None:
    shutil.copy(folder / "talk.m4a", tmp_path / "talk.unheard-of")
    (tmp_path / "talk").write_bytes(VTT)

    choose(page, tmp_path / "talk", tmp_path / "talk.unheard-of")

    expect_chosen(page, "Recording talk.unheard-of", "Transcript talk")


def test_each_file_of_a_folder_an_archive_and_a_choice_is_accounted_for(
    page: Page, tmp_path: Path, folder: Path
) -> None:
    choose(page, *sorted(folder.iterdir()))
    expect_chosen(page, "Recording talk.m4a", "Transcript talk.m4a.vtt")
    expect_all_left_out(page)

    drop(page, folder)
    expect_chosen(page, "Recording talk.m4a", "Transcript talk.m4a.vtt")
    expect_all_left_out(page, "evening/")

    with zipfile.ZipFile(tmp_path / "evening.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in folder.iterdir():
            archive.write(file, file.name)
    choose(page, tmp_path / "evening.zip")
    expect_chosen(page, "Recording talk.m4a", "Transcript talk.m4a.vtt")
    expect_all_left_out(page)


def test_a_dropped_folder_is_uploaded(page: Page, services: Services, folder: Path) -> None:
    (folder / "talk.m4a.vtt").rename(folder / "talk.pt-BR.vtt")
    (folder / "talk.de.vtt").unlink()
    services.worker()

    drop(page, folder)
    expect(page.get_by_label("Language of the transcript")).to_have_value("pt-BR")
    page.get_by_label("Title").fill("Dropped")
    ended = dbtime.now() - timedelta(days=2)
    page.get_by_label("When did it end?").fill(f"{ended:%Y-%m-%dT20:00:00}")
    page.get_by_role("button", name="Upload", exact=True).click()

    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    expect(page.get_by_text("Beans first.")).to_be_visible()
    assert Space.objects.get().transcripts.get().language == "pt-BR"


@pytest.mark.long
def test_of_several_recordings_in_a_folder_one_is_chosen(page: Page, folder: Path) -> None:
    make_tone(folder / "other.ogg", "opus", seconds=1)
    (folder / "other.en.srt").write_bytes(b"1\n00:00:00,000 --> 00:00:01,000\nPeas.\n")

    drop(page, folder)
    expect(page.get_by_text("There are 2 recordings.")).to_be_visible()
    expect(page.locator("[data-recordings] strong").filter(has_text="other.ogg")).to_be_visible()
    page.get_by_role("checkbox", name="other.ogg").check()
    page.get_by_role("button", name="Continue with 1 recording").click()

    expect_chosen(page, "Recording other.ogg", "Transcript other.en.srt")


@pytest.mark.long
def test_metadata_of_an_archive_may_be_chosen_with_any_recording(page: Page, folder: Path) -> None:
    ended = dbtime.now().replace(hour=19, minute=5, second=0, microsecond=0) - timedelta(days=3)
    metadata = folder / "spaces-metadata.js"
    metadata.write_text(f'window.YTD.spaces_metadata.part0 = [{{"id": "1ab", "endedAt": "{ended.isoformat()}"}}]')

    choose(page, metadata, folder / "talk.m4a", folder / "cover.jpg")

    expect_chosen(page, "Recording talk.m4a", "Metadata spaces-metadata.js")
    expect(page.get_by_text(f"That is {ended.day} {ended:%B %Y}, 19:05 UTC.")).to_be_visible()
    expect(page.locator("[data-left-out] li")).to_have_text(["cover.jpg: It is a picture."])
