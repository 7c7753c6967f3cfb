"""What the script of a row learns about a download, and when a row says that the host has downloaded everything."""

from datetime import UTC, datetime
from typing import Any

import pytest

from archive.bundles import exports
from archive.errors import make_problem
from archive.models import Bundle, ExportPart, Space, User
from portal.downloads import download_path
from tests.support.factory import make_contents, make_row
from tests.support.http_clients import make_client

JSON = {"Accept": "application/json"}
DAY = datetime(2026, 11, 3, 12, tzinfo=UTC)


@pytest.fixture
def space(db: None, alice: User) -> Space:
    space = make_row(alice, title="Beans")
    make_contents(space)
    return space


def progress(user: User, space: Space) -> Any:
    return make_client(user).get(f"/spaces/{space.pk}/bundle", headers=JSON).json()


def test_from_the_request_to_the_file(space: Space, alice: User) -> None:
    ready = progress(alice, space)
    assert (ready["state"], ready["text"]) == ("ready", "")
    assert make_client().get(ready["url"]).status_code == 302
    Bundle.objects.all().delete()
    assert progress(alice, space) == {"state": "none", "percent": 0, "text": "", "url": ""}

    answer = make_client(alice).post(f"/spaces/{space.pk}/bundle", headers=JSON)

    waiting = {"state": "requested", "percent": 0, "text": "Waiting", "url": ""}
    assert (answer.json(), progress(alice, space)) == (waiting, waiting)
    Bundle.objects.update(state="building")
    assert progress(alice, space)["text"] == "Preparing the files"
    Bundle.objects.update(bytes_done=45, bytes_total=100)
    assert progress(alice, space) == {"state": "building", "percent": 45, "text": "Packing: 45 %", "url": ""}
    problem = make_problem("bundle.no_recording", space=str(space.pk))
    Bundle.objects.update(state="failed", problem=problem)
    failed = progress(alice, space)
    assert (failed["state"], failed["url"]) == ("failed", "")
    assert failed["text"].endswith(" Nothing was lost.")


def test_only_for_those_who_may_download(space: Space, bob: User, auditor: User) -> None:
    for user in (bob, auditor):
        assert make_client(user).get(f"/spaces/{space.pk}/bundle", headers=JSON).status_code == 404
    answer = make_client(space.host).get(f"/spaces/{space.pk}/bundle")  # without scripts the response is the page
    assert answer["Location"] == f"/spaces/{space.pk}/#bundle"


def test_a_download_of_the_host_is_remembered(space: Space, alice: User, admin: User) -> None:
    bundle = space.bundles.get()
    make_client().get(download_path(bundle, admin))
    make_client().head(download_path(bundle, alice))
    assert "Downloaded on" not in make_client(alice).get("/").content.decode()

    make_client().get(download_path(bundle, alice))

    assert Bundle.objects.get().host_fetched_at is not None
    Bundle.objects.update(host_fetched_at=DAY, state="removed")
    assert (
        'Downloaded on <time datetime="2026-11-03T12:00:00Z">3 Nov</time>'
        in make_client(alice).get("/").content.decode()
    )
    assert "You downloaded it on" in make_client(alice).get(f"/spaces/{space.pk}/").content.decode()
    assert "Host downloaded <time" in make_client(admin).get("/").content.decode()
    assert "You downloaded it on" not in make_client(admin).get(f"/spaces/{space.pk}/").content.decode()


def test_an_export_counts_for_the_spaces_in_it(space: Space, alice: User) -> None:
    other = make_row(alice, title="Seeds")
    make_contents(other)
    exports.request(alice, 2 * 10**9, [space.pk])
    ExportPart.objects.update(host_fetched_at=DAY)

    rows = make_client(alice).get("/").content.decode().split("<li>")

    assert ["Beans" in row for row in rows if "Downloaded on" in row] == [True]
