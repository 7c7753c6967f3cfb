"""Download links end by time, by password, by hand, and with the right to download; the page has a new one."""

import time
from typing import Any

import pytest
from django.core import signing
from pytest_django import Settings

from archive.accounts.roles import set_active
from archive.accounts.sessions import end_sessions
from archive.bundles import exports
from archive.models import Bundle, ExportPart, LogEntry, Space, User
from archive.recorders import create_token, revoke
from portal.downloads import download_path
from tests.support.api_client import ApiClient
from tests.support.factory import make_contents, make_row
from tests.support.http_clients import make_client

pytestmark = pytest.mark.usefixtures("db")
DAY = 24 * 3600


@pytest.fixture
def space(alice: User) -> Space:
    return make_row(alice)


@pytest.fixture
def bundle(space: Space) -> Bundle:
    return make_contents(space)


def status(url: str) -> int:
    return make_client().get(url).status_code  # nobody is signed in


def make_part(host: User) -> ExportPart:
    [part] = exports.visible_parts(exports.request(host, 2 * 10**9))
    assert exports.build(part.pk)
    return ExportPart.objects.get(pk=part.pk)


def make_old_link(package: Bundle | ExportPart, by: Any, age: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a link that was made `age` seconds ago."""
    with monkeypatch.context() as patch:
        patch.setattr(signing.TimestampSigner, "timestamp", lambda _: signing.b62_encode(int(time.time()) - age))
        return download_path(package, by)


@pytest.mark.parametrize("who", ["host", "recorder"])
def test_a_link_ends_after_a_day(
    bundle: Bundle, alice: User, admin: User, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    by = alice if who == "host" else create_token("studio", 30, admin, [alice], ["bundles"])[0]

    assert status(make_old_link(bundle, by, DAY - 600, monkeypatch)) == 302
    assert status(make_old_link(bundle, by, DAY + 5, monkeypatch)) == 410
    assert status(download_path(bundle, by)) == 302


def test_a_link_of_an_export_part_ends_after_a_day(
    bundle: Bundle, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = make_part(alice)

    assert status(make_old_link(part, alice, DAY - 600, monkeypatch)) == 302
    assert status(make_old_link(part, alice, DAY + 5, monkeypatch)) == 410


def test_the_setting_says_how_long(bundle: Bundle, alice: User, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.DOWNLOAD_URL_SECONDS = 3600

    assert status(make_old_link(bundle, alice, 3000, monkeypatch)) == 302
    assert status(make_old_link(bundle, alice, 3700, monkeypatch)) == 410


def test_links_end_with_the_sessions_and_do_not_come_back(bundle: Bundle, alice: User, admin: User) -> None:
    url = download_path(bundle, alice)
    end_sessions(alice.pk, admin)
    alice.refresh_from_db()
    later = download_path(bundle, alice)

    assert (status(url), status(later)) == (410, 302)
    for active in (False, True):
        set_active(alice.pk, active=active, by=admin)
    assert status(later) == 410


def test_links_end_when_the_password_changes(bundle: Bundle, alice: User) -> None:
    links = [download_path(bundle, alice), download_path(make_part(alice), alice)]
    assert [status(link) for link in links] == [302, 302]

    alice.set_password("a new long password")
    alice.save()

    assert [status(link) for link in links] == [410, 410]
    assert status(download_path(bundle, alice)) == 302


def test_a_link_does_not_come_back_with_the_account(bundle: Bundle, alice: User) -> None:
    link = download_path(bundle, alice)
    alice.is_active = False
    alice.save()
    assert status(link) == 404
    alice.is_active = True
    alice.set_password("a new long password")  # what an operator does after a password was stolen
    alice.save()

    assert status(link) == 410


def test_a_link_ends_with_the_role(bundle: Bundle, admin: User) -> None:
    link = download_path(bundle, admin)
    assert status(link) == 302

    admin.groups.clear()

    assert status(link) == 404


def test_a_link_of_a_recorder_ends_with_its_token(bundle: Bundle, alice: User, admin: User) -> None:
    token, _ = create_token("studio", 30, admin, [alice], ["bundles"])
    link = download_path(bundle, token)
    assert status(link) == 302

    assert revoke(token.pk, admin)

    assert status(link) == 404


def test_the_host_revokes_the_links_of_everybody(bundle: Bundle, space: Space, alice: User, admin: User) -> None:
    token, _ = create_token("studio", 30, admin, [alice], ["bundles"])
    links = [download_path(bundle, by) for by in (alice, admin, token)]
    client = make_client(alice)

    answer = client.post(f"/spaces/{space.id}/bundle/revoke-links")

    assert (answer.status_code, answer["Location"]) == (302, f"/spaces/{space.id}/#bundle")
    assert [status(link) for link in links] == [410, 410, 410]
    fresh = client.get(answer["Location"]).context["bundle_panel"]["bundle_url"]
    assert status(fresh.removeprefix("http://127.0.0.1:8000")) == 302
    assert status(ApiClient(user=alice).get(f"/spaces/{space.id}/bundle").json["url"][21:]) == 302
    entry = LogEntry.objects.get(event="bundle.links_revoked")
    assert (entry.space_id, entry.actor_id, entry.detail) == (space.id, alice.pk, {"bundle": str(bundle.pk)})


def test_the_host_revokes_the_links_of_an_export(bundle: Bundle, alice: User, bob: User) -> None:
    part = make_part(alice)
    link = download_path(part, alice)
    assert make_client(bob).post("/export/revoke-links").status_code == 302  # bob has no export
    assert status(link) == 302

    make_client(alice).post("/export/revoke-links")

    assert status(link) == 410
    [shown] = make_client(alice).get("/export/").context["parts"]
    assert status(shown["url"].removeprefix("http://127.0.0.1:8000")) == 302
    assert LogEntry.objects.get(event="export_part.links_revoked").detail == {"export_part": str(part.pk)}


def test_a_link_that_ended_says_what_to_do_and_nothing_of_the_space(bundle: Bundle, space: Space, alice: User) -> None:
    link = download_path(bundle, alice)
    make_client(alice).post(f"/spaces/{space.id}/bundle/revoke-links")

    page = make_client().get(link)

    assert page.status_code == 410
    assert "This download link has expired" in page.content.decode()
    assert space.title not in page.content.decode()
    assert not LogEntry.objects.filter(event__startswith="content.").exists()


def test_nothing_to_revoke_is_no_event(space: Space, alice: User) -> None:
    make_client(alice).post(f"/spaces/{space.id}/bundle/revoke-links")

    assert not LogEntry.objects.filter(event="bundle.links_revoked").exists()


def test_a_link_tells_nothing_of_the_password(bundle: Bundle, alice: User) -> None:
    """The link contains neither the session's hash of the password nor a part of it."""
    payload = signing.loads(download_path(bundle, alice).split("/")[2], salt="portal.download")

    assert len(payload[4]) == 32
    assert payload[4] not in alice.get_session_auth_hash()
    assert payload[4] not in alice.password


def test_the_page_names_no_end_of_a_link_after_the_deadline(
    bundle: Bundle, space: Space, alice: User, settings: Settings
) -> None:
    deadline = Space.objects.get(pk=space.pk).expires_at
    assert deadline is not None

    def shown() -> Any:
        return make_client(alice).get(f"/spaces/{space.pk}/").context["bundle_panel"]["link_ends_at"]

    assert shown() < deadline
    settings.DOWNLOAD_URL_SECONDS = 60 * DAY
    assert shown() == deadline
