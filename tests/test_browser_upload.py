"""Upload a Space in a real browser: the bytes go directly to the object store, and an upload resumes after a reload.

`make big` runs the same at 1 GiB.
"""

import hashlib
import os
import random
import re
import wave
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, Request, expect

from archive import dbtime
from archive.models import Recording, Space, UploadSession, User
from archive.storage import store
from tests.support import browser_sessions
from tests.support.processes import Services
from tests.support.proxy import CountingProxy, PausingProxy
from tests.support.upload_page import accepted_by_bucket

MIB = 1024**2
BIG = os.environ.get("BIG") == "1"
SIZE = 1024 * MIB if BIG else 40 * MIB
PART = 16 * MIB if BIG else 5 * MIB
PATIENCE = 600  # seconds
HALF = SIZE // PART // 2

pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.timeout(1800)]


def make_noise(path: Path, size: int, seed: int = 1) -> Path:
    """A WAV of `size` bytes of noise, so that no two parts are equal."""
    noise = random.Random(seed)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(48_000)
        for start in range(0, size - 44, MIB):
            out.writeframesraw(noise.randbytes(min(MIB, size - 44 - start)))
    return path


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stored_sha256(recording: Recording) -> str:
    digest = hashlib.sha256()
    for start in range(0, recording.size, 8 * MIB):
        digest.update(store().read(recording.key, start, min(8 * MIB, recording.size - start), recording.etag))
    return digest.hexdigest()


@pytest.fixture
def gate(services: Services, monkeypatch: pytest.MonkeyPatch) -> Iterator[PausingProxy]:
    """A proxy between browser and store that holds back each part of the second half."""
    held = "|".join(str(number) for number in range(HALF + 1, SIZE // PART + 2))
    with PausingProxy(settings.S3_ENDPOINT_URL, rf"PUT \S*[?&]partNumber=({held})\b") as proxy:
        monkeypatch.setenv("S3_PUBLIC_ENDPOINT_URL", proxy.url)
        monkeypatch.setenv("UPLOAD_PART_BYTES", str(PART))
        yield proxy


@pytest.fixture
def site(services: Services, request: pytest.FixtureRequest) -> Iterator[CountingProxy]:
    """A proxy between browser and portal that counts the bytes sent to the portal."""
    if "gate" in request.fixturenames:
        request.getfixturevalue("gate")
    services.web()
    with CountingProxy(services.url) as relay, accepted_by_bucket(relay.url):
        yield relay


@pytest.fixture
def page(chromium: Browser, site: CountingProxy, alice: User) -> Page:
    context = chromium.new_context(timezone_id="Asia/Kolkata")
    page = context.new_page()
    browser_sessions.open_signed_in(page, site.url, "alice")
    page.get_by_role("link", name="Upload a recording").first.click()
    return page


class Parts:
    """The numbers of the parts that the page has sent, and of those that the store accepted."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.sent: list[int] = []
        self.taken: list[int] = []
        page.on("request", lambda request: self.sent.append(self._number(request)) if self._is_part(request) else None)
        page.on("requestfinished", lambda r: self.taken.append(self._number(r)) if self._is_part(r) else None)

    def wait_for(self, count: int) -> None:
        """Wait until the store has accepted this many parts. Uses Playwright's own wait, because it delivers request
        events only then."""
        for _ in range(20 * PATIENCE):
            if len(self.taken) >= count:
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"the store took {len(self.taken)} parts of {count}")

    def _is_part(self, request: Request) -> bool:
        return request.method == "PUT"

    def _number(self, request: Request) -> int:
        return int(parse_qs(urlsplit(request.url).query)["partNumber"][0])


def choose(page: Page, *files: Path) -> None:
    page.get_by_label("Drop the").set_input_files(files)


def fill_in(page: Page, title: str) -> None:
    page.get_by_label("Title").fill(title)
    ended = dbtime.now() - timedelta(days=2)
    page.get_by_label("When did it end?").fill(f"{ended:%Y-%m-%dT20:00:00}")


def test_an_upload_resumes_after_a_reload(
    page: Page, site: CountingProxy, gate: PausingProxy, services: Services, tmp_path: Path
) -> None:
    file = make_noise(tmp_path / "evening.wav", SIZE)
    parts = Parts(page)
    choose(page, file)
    fill_in(page, "Noise from the seed library")
    page.get_by_role("button", name="Upload", exact=True).click()
    parts.wait_for(HALF)

    page.reload()
    first, parts.sent = parts.sent, []
    gate.release()
    expect(page.get_by_text("again to resume the upload, or cancel it.")).to_be_visible()
    choose(page, file)
    expect(page.get_by_role("heading", name="Uploading “Noise from the seed library”")).to_be_visible()
    page.wait_for_url(re.compile(r"/spaces/"), timeout=PATIENCE * 1000)
    expect(page.get_by_role("heading", name="Processing")).to_be_visible()
    services.worker()
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible(timeout=PATIENCE * 1000)

    assert {1, HALF} <= set(first)
    assert min(parts.sent) > HALF  # no part of the first half was sent again
    assert len(parts.sent) == len(set(parts.sent))
    space = Space.objects.get()
    assert (space.title, space.state, f"{space.ended_at:%H:%M}") == (
        "Noise from the seed library",
        "available",
        "14:30",
    )
    recording = space.recordings.get()
    assert recording.sha256 == sha256(file) == stored_sha256(recording)
    assert site.received < 2 * MIB


@pytest.mark.long
def test_another_file_of_the_same_name_and_size_is_not_mixed_in(page: Page, gate: PausingProxy, tmp_path: Path) -> None:
    file = make_noise(tmp_path / "evening.wav", SIZE)
    parts = Parts(page)
    choose(page, file)
    fill_in(page, "Two evenings")
    page.get_by_role("button", name="Upload", exact=True).click()
    parts.wait_for(HALF)

    page.reload()
    gate.release()
    make_noise(file, SIZE, seed=2)
    choose(page, file)
    page.wait_for_url(re.compile(r"/spaces/"), timeout=PATIENCE * 1000)

    upload = UploadSession.objects.get()
    assert upload.state == "uploaded"
    digest = hashlib.sha256()
    for start in range(0, SIZE, 8 * MIB):
        digest.update(store().read(upload.key, start, min(8 * MIB, SIZE - start), upload.etag))
    assert digest.hexdigest() == sha256(file)
