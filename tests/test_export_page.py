"""The page "Export of all Spaces": access, contents, and no export that stays "being created" forever."""

from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect

from archive import dbtime
from archive.bundles import exports
from archive.bundles.exports import build, newest, request
from archive.models import Export, ExportPart, LogEntry, Recording, Space, User
from archive.retention.purge import purge
from portal.downloads import download_path
from tests.support import browser_sessions
from tests.support.deadlines import make_due
from tests.support.factory import make_contents, make_noise, make_row
from tests.support.http_clients import make_client
from tests.support.processes import Services
from tests.support.rows import update_space

GB = 10**9


@pytest.fixture
def space(db: None, alice: User) -> Space:
    space = make_row(alice, title="Seeds & <soil>")
    make_contents(space)
    return space


def page(user: User) -> str:
    return make_client(user).get("/export/").content.decode()


def volume_of(host: User) -> ExportPart:
    export = newest(host)
    assert export is not None
    return exports.visible_parts(export)[0]


def test_who_may_see_the_export_page(space: Space, bob: User, auditor: User) -> None:
    assert make_client().get("/export/").status_code == 302
    for user in (space.host, bob, auditor):
        assert make_client(user).get("/export/").status_code == 200
    assert "Seeds" not in page(bob)
    assert "No Space of yours can be downloaded right now." in page(auditor)
    assert (
        make_client(space.host, enforce_csrf_checks=True).post("/export/", {"max_part_size": 2 * GB}).status_code == 403
    )


def test_the_page_shows_the_parts_for_each_size(space: Space) -> None:
    for_larger = make_row(space.host)
    make_contents(for_larger)
    for_larger.recordings.update(size=3 * GB)

    text = " ".join(page(space.host).split())

    assert "2 Spaces in numbered ZIP files." in text
    assert '<b>2 GB</b> <span class="soft">2 files; one of them is larger, as one Space alone is</span>' in text
    assert '<b>10 GB</b> <span class="soft">1 file</span>' in text


def test_of_very_many_spaces_the_page_estimates_the_files(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(7):
        make_contents(make_row(space.host))
    Recording.objects.update(size=1.5 * GB)
    monkeypatch.setattr("portal.views.exports.MAX_MEASURED", 4)

    estimate = " ".join(page(space.host).split())
    monkeypatch.setattr("portal.views.exports.MAX_COUNTED", 6)
    more = " ".join(page(space.host).split())
    monkeypatch.setattr("portal.views.exports.MAX_MEASURED", 8)
    exact = " ".join(page(space.host).split())

    assert "8 Spaces in numbered ZIP files." in estimate
    assert '<b>2 GB</b> <span class="soft">about 8 files</span>' in estimate
    assert '<b>10 GB</b> <span class="soft">about 2 files</span>' in estimate
    assert "More than 6 Spaces in numbered ZIP files." in more
    assert '<b>2 GB</b> <span class="soft">probably more than 6 files</span>' in more
    assert "8 Spaces in numbered ZIP files." in exact
    assert '<b>10 GB</b> <span class="soft">2 files</span>' in exact


@pytest.mark.parametrize("typed", ["", "3000000000", "-1", "x", "9" * 40])
def test_an_unknown_size_is_refused(space: Space, typed: str) -> None:
    answer = make_client(space.host).post("/export/", {"max_part_size": typed}, follow=True)

    assert "Choose 2, 10 or 50 GB as the maximum file size. Nothing was lost." in answer.content.decode()
    assert not Export.objects.exists()


def test_a_part_of_another_user_is_404(space: Space, bob: User, admin: User) -> None:
    request(space.host, 2 * GB)
    export_part = volume_of(space.host)
    assert build(export_part.pk)
    export_part.refresh_from_db()

    assert make_client().get(download_path(export_part, space.host)).status_code == 302
    assert make_client().get(download_path(export_part, bob)).status_code == 404
    assert make_client().get(download_path(export_part, admin)).status_code == 404
    assert LogEntry.objects.get(event="content.downloaded").space_id == space.pk
    assert ExportPart.objects.get().fetched_at is not None


def test_a_part_is_410_from_its_first_deadline_on(space: Space) -> None:
    later = make_row(space.host, title="Later")
    make_contents(later)
    request(space.host, 2 * GB)
    export_part = volume_of(space.host)
    assert build(export_part.pk)
    export_part.refresh_from_db()
    address = download_path(export_part, space.host)
    update_space(space, expires_at=dbtime.now() + timedelta(hours=1))
    space.refresh_from_db()
    assert make_client(space.host).get("/export/").context["links_end_at"] == space.expires_at
    make_due(space)

    assert make_client().get(address).status_code == 410
    assert "Download (" not in page(space.host)
    assert purge(space.pk)
    assert make_client().get(address).status_code == 410
    text = page(space.host)
    assert "past its deadline: a Space that ended on" in text
    assert "Later" in text
    assert "Seeds" not in text


def test_a_signed_url_ends_at_the_first_deadline(space: Space) -> None:
    request(space.host, 2 * GB)
    export_part = volume_of(space.host)
    assert build(export_part.pk)
    export_part.refresh_from_db()
    Space.objects.update(expires_at=dbtime.now() + timedelta(seconds=60))

    location = make_client().get(download_path(export_part, space.host))["Location"]

    assert 20 <= int(location.split("X-Amz-Expires=")[1].split("&")[0]) <= 59


@pytest.mark.usefixtures("committed")
def test_from_the_request_to_the_file(services: Services, chromium: Browser, alice: User) -> None:
    make_noise(alice, megabytes=7, title="Seeds")
    make_noise(alice, megabytes=6, title="Beans")
    services.web()
    services.worker()
    view = chromium.new_page()
    browser_sessions.open_signed_in(view, services.url, "alice")

    view.get_by_role("link", name="Export all").click()
    expect(view.get_by_text("Maximum file size")).to_be_hidden()  # each part gives one file
    with view.expect_download(timeout=60_000) as download:
        view.get_by_role("button", name="Create export").click()
    expect(view.get_by_role("link", name="Download (")).to_be_visible()

    export_part = ExportPart.objects.get()
    assert download.value.suggested_filename == export_part.name
    assert download.value.path().stat().st_size == export_part.size
