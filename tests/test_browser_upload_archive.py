"""Upload from an archive in a real browser: its recording, with metadata and transcript."""

import hashlib
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from archive import dbtime
from archive.models import Space, UploadSession, User
from tests.support.audio_files import make_tone
from tests.support.processes import Services
from tests.support.upload_page import upload_page
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("committed")

METADATA = """window.YTD.spaces_metadata.part0 = [
  {{"spaceMetadata": {{"id": "1ypKdEXvkMLGW", "endedAt": "{}"}}}}, {{"spaceMetadata": {{"id": "1vAxRkVNdkPGl"}}}}
]"""
TRANSCRIPT = "WEBVTT\n\n00:00.000 --> 00:01.000\n<v Alice>Beans first.\n"


@pytest.fixture
def page(chromium: Browser, services: Services, alice: User) -> Iterator[Page]:
    services.web()
    services.worker()
    with upload_page(chromium, services.url) as page:
        yield page


def choose(page: Page, *files: Path) -> None:
    page.get_by_label("Drop the").set_input_files(files)


def evening() -> datetime:
    return dbtime.now().replace(hour=19, minute=5, second=0, microsecond=0) - timedelta(days=3)


def pack(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as out:
        for name, data in members.items():
            out.writestr(name, data)
    return path


def bring_in(page: Page, title: str) -> Space:
    page.get_by_label("Title").fill(title)
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    return Space.objects.get()


def test_upload_from_an_x_data_archive(page: Page, tmp_path: Path) -> None:
    sound = make_tone(tmp_path / "sound.ts", "ts").read_bytes()
    archive = pack(
        tmp_path / "twitter-2026-11-20.zip",
        {
            "Your archive.html": b"<title>Your archive</title>",
            "data/tweets_media/1-film.mp4": b"no Space",
            "data/spaces_media/space-1ypKdEXvkMLGW_0.ts": sound,
            "data/spaces_media/space-1vAxRkVNdkPGl_0.ts": b"ID3 of another Space",
            "data/spaces-metadata.js": METADATA.format(evening().isoformat()).encode(),
        },
    )

    choose(page, archive)
    expect(page.get_by_text("twitter-2026-11-20.zip contains 2 recordings.")).to_be_visible()
    page.get_by_role("checkbox", name=f"{evening().day} {evening():%B %Y}").check()
    page.get_by_role("button", name="Continue with 1 recording").click()

    expect(page.get_by_text("Recording space-1ypKdEXvkMLGW_0.ts")).to_be_visible()
    expect(page.get_by_text(f"That is {evening().day} {evening():%B %Y}, 19:05 UTC.")).to_be_visible()
    space = bring_in(page, "Out of an archive")
    assert space.ended_at == evening()
    assert space.recordings.get().sha256 == hashlib.sha256(sound).hexdigest()


@pytest.mark.long
def test_of_several_recordings_one_is_chosen_and_its_transcript_comes_along(page: Page, tmp_path: Path) -> None:
    beans, peas = (make_tone(tmp_path / f"{n}.m4a", "m4a", seconds=n).read_bytes() for n in (3, 4))
    members = {"talks/beans.m4a": beans, "talks/peas.m4a": peas, "talks/beans.vtt": TRANSCRIPT.encode()}
    members["__MACOSX/talks/._peas.m4a"] = b"no sound"
    choose(page, pack(tmp_path / "talks.zip", members, zipfile.ZIP_STORED))

    page.get_by_role("checkbox", name="beans.m4a").check()
    page.get_by_role("button", name="Continue with 1 recording").click()
    expect(page.get_by_text("Transcript beans.vtt")).to_be_visible()
    page.get_by_label("When did it end?").fill(f"{evening():%Y-%m-%dT%H:%M:%S}")
    space = bring_in(page, "Beans")

    expect(page.locator("[data-lines]").get_by_text("Beans first.")).to_be_visible()
    assert space.recordings.get().sha256 == hashlib.sha256(beans).hexdigest()


@pytest.mark.long
def test_an_upload_from_an_archive_resumes_after_a_reload(page: Page, services: Services, tmp_path: Path) -> None:
    sounds = {f"{n}.wav": make_tone(tmp_path / f"{n}.wav", "wav", seconds=n).read_bytes() for n in (3, 4)}
    archive = pack(tmp_path / "talks.zip", sounds)
    page.route("**/*partNumber=*", lambda route: route.abort())
    choose(page, archive)
    page.get_by_role("checkbox", name="4.wav").check()
    page.get_by_role("button", name="Continue with 1 recording").click()
    page.get_by_label("Title").fill("Twice begun")
    page.get_by_label("When did it end?").fill(f"{evening():%Y-%m-%dT%H:%M:%S}")
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.get_by_role("heading", name="Uploading “Twice begun”")).to_be_visible()
    wait_until(UploadSession.objects.exists, "its upload is open")  # the heading appears earlier
    page.unroute("**/*partNumber=*")
    page.reload()

    choose(page, archive)  # the page does not ask again for the recording

    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    assert Space.objects.get().recordings.get().sha256 == hashlib.sha256(sounds["4.wav"]).hexdigest()


def test_an_unreadable_archive_is_refused_before_any_upload(page: Page, tmp_path: Path) -> None:
    tone = make_tone(tmp_path / "talk.wav", "wav").read_bytes()
    good = pack(tmp_path / "good.zip", {"talk.wav": tone}).read_bytes()
    half, secret, lie, silent, packed = (
        tmp_path / f"{name}.zip" for name in ("half", "secret", "lie", "silent", "lzma")
    )
    half.write_bytes(good[: len(good) // 2])
    index = good.index(b"PK\x01\x02")
    secret.write_bytes(good[: index + 8] + b"\x01" + good[index + 9 :])
    lie.write_bytes(good[: index + 24] + (1000).to_bytes(4, "little") + good[index + 28 :])
    pack(silent, {"letter.txt": b"no sound"})
    pack(packed, {"talk.wav": tone}, zipfile.ZIP_LZMA)

    for path, words in [
        (half, "half.zip: the archive is damaged, or its end is missing."),
        (secret, "talk.wav: it is encrypted. Unpack the archive, and choose the recording."),
        (lie, "talk.wav: it is damaged in the archive."),
        (silent, "silent.zip: there is no recording in it"),
        (packed, "talk.wav: it is compressed in a way that is not supported here."),
    ]:
        choose(page, path)

        expect(page.locator("[data-drop-error]")).to_contain_text(words)
    assert not Space.objects.exists()
