"""Download URLs end with the Space's deadline, and work only for their user."""

import zipfile
from datetime import timedelta
from io import BytesIO
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import signing

from archive import dbtime, lifecycle
from archive.bundles import build
from archive.log import SYSTEM
from archive.models import Bundle, LogEntry, Space, User
from archive.retention.purge import purge
from portal.downloads import SALT, download_path
from tests.support import factory
from tests.support.deadlines import make_due
from tests.support.http_clients import fetch, make_client

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def space(db: None, alice: User) -> Space:
    return factory.make_row(alice)


@pytest.fixture
def bundle(space: Space) -> Bundle:
    return factory.make_contents(space)


def seconds_to_live(location: str) -> int:
    return int(parse_qs(urlsplit(location).query)["X-Amz-Expires"][0])


def leave(space: Space, left: timedelta) -> None:
    """Set the deadline to `left` from now."""
    Space.objects.filter(pk=space.pk).update(expires_at=dbtime.now() + left)


@pytest.mark.usefixtures("bundle")
@pytest.mark.parametrize("what", ["audio", "recording"])
def test_an_address_lives_five_minutes(space: Space, what: str) -> None:
    answer = make_client(space.host).get(f"/spaces/{space.id}/{what}")

    assert seconds_to_live(answer["Location"]) == 300
    assert answer["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"


def test_an_address_never_outlives_the_deadline(space: Space, bundle: Bundle) -> None:
    """Near the deadline, the URL is valid for the remaining time, rounded down to whole seconds."""
    leave(space, timedelta(seconds=90))
    client = make_client(space.host)

    for address in (f"/spaces/{space.id}/audio", f"/spaces/{space.id}/recording", download_path(bundle, space.host)):
        assert 30 <= seconds_to_live(client.get(address)["Location"]) <= 89


@pytest.mark.usefixtures("bundle")
def test_no_address_in_the_last_second(space: Space) -> None:
    leave(space, timedelta(seconds=0.9))

    assert make_client(space.host).get(f"/spaces/{space.id}/audio").status_code == 410


def test_a_broken_download_resumes(alice: User) -> None:
    space = factory.make_space(alice, title="Gärten & Höfe")
    bundle = build.request(space.id, SYSTEM)
    assert build.build(bundle.id)
    bundle.refresh_from_db()
    assert bundle.size
    address = download_path(bundle, alice)
    anybody = make_client()  # no sign-in is needed

    _, _, first = fetch(anybody.get(address)["Location"], Range="bytes=0-99999")
    status, headers, rest = fetch(anybody.get(address)["Location"], Range="bytes=100000-")

    assert status == 206
    assert headers["Content-Range"] == f"bytes 100000-{bundle.size - 1}/{bundle.size}"
    with zipfile.ZipFile(BytesIO(first + rest)) as whole:
        assert whole.testzip() is None
    name = f"G%C3%A4rten%20%26%20H%C3%B6fe-{space.ended_at:%Y-%m-%d}.zip"
    assert headers["Content-Disposition"].endswith(f"filename*=UTF-8''{name}")
    assert headers["Content-Disposition"].startswith('attachment; filename="G_rten & H_fe-')


def test_each_download_is_logged(space: Space, bundle: Bundle) -> None:
    make_client().get(download_path(bundle, space.host))

    entry = LogEntry.objects.get(event="content.downloaded")
    assert (entry.space_id, entry.actor_id) == (space.id, space.host_id)
    assert entry.detail == {"key": bundle.key, "kind": "downloaded", "role": "host"}


@pytest.mark.parametrize(
    "token",
    [
        "nonsense",
        signing.dumps(["00000000-0000-4000-8000-000000000000", 1], salt=SALT),  # there is no such bundle
        signing.dumps(["00000000-0000-4000-8000-000000000000", 1], salt="another"),
    ],
)
def test_a_forged_token_is_refused(bundle: Bundle, token: str) -> None:
    assert make_client().get(f"/download/{token}/bundle.zip").status_code == 404


def test_a_changed_token_is_refused(space: Space, bundle: Bundle) -> None:
    address = download_path(bundle, space.host)
    place = len("/download/") + 5
    changed = address[:place] + ("A" if address[place] != "A" else "B") + address[place + 1 :]

    assert make_client().get(changed).status_code == 404


def test_a_token_of_an_inactive_account_is_refused(space: Space, bundle: Bundle) -> None:
    User.objects.filter(pk=space.host_id).update(is_active=False)

    assert make_client().get(download_path(bundle, space.host)).status_code == 404


def test_a_token_of_a_user_without_access_is_refused(bundle: Bundle, admin: User) -> None:
    address = download_path(bundle, admin)
    assert make_client().get(address).status_code == 302
    admin.groups.clear()

    assert make_client().get(address).status_code == 404


def test_refused_downloads_are_not_logged(space: Space, bundle: Bundle) -> None:
    address = download_path(bundle, space.host)
    leave(space, timedelta(seconds=0.9))

    assert make_client().get(address).status_code == 410
    assert not LogEntry.objects.filter(event="content.downloaded").exists()


def test_after_the_deletion_an_address_is_410(space: Space, bundle: Bundle) -> None:
    """The row of the bundle was deleted with its Space."""
    address = download_path(bundle, space.host)
    make_due(space)
    assert purge(space.pk)
    assert not Bundle.objects.exists()

    assert make_client().get(address).status_code == 410


def test_after_the_deletion_an_address_is_404_without_access(bundle: Bundle, admin: User) -> None:
    address = download_path(bundle, admin)
    make_due(bundle.space)
    assert purge(bundle.space_id)
    admin.groups.clear()

    assert make_client().get(address).status_code == 404


def test_a_bundle_that_was_removed(space: Space, bundle: Bundle) -> None:
    lifecycle.transition(bundle, Bundle.State.READY, Bundle.State.REMOVED, actor=SYSTEM)

    assert make_client().get(download_path(bundle, space.host)).status_code == 404
