"""Waveform peaks are only for users with access, end at the deadline, and belong to the stored object."""

from datetime import timedelta

import pytest

from archive import dbtime
from archive.models import Derived, Space, User
from archive.storage import store
from tests.support.http_clients import fetch, make_client
from tests.support.object_stores import UNREACHABLE, override_store
from tests.support.playable_spaces import make_peaks, make_playable_space
from tests.support.rows import update_space

pytestmark = pytest.mark.usefixtures("db")

PEAKS = b'{"duration": 88.366, "peaks": [[0, 0.25, 1, 0.5]]}'


@pytest.fixture
def space(db: None, alice: User) -> Space:
    space = make_playable_space(alice)
    make_peaks(space, PEAKS)
    return space


def address(space: Space) -> str:
    return f"/spaces/{space.pk}/peaks.json"


def test_host_and_admin_get_uncached_peaks(space: Space, admin: User) -> None:
    for user in (space.host, admin):
        answer = make_client(user).get(address(space))

        assert answer.status_code == 200
        assert answer.json() == {"duration": 88.366, "peaks": [[0, 0.25, 1, 0.5]]}
        assert answer["Content-Type"] == "application/json"
        assert {"private", "no-store"} <= set(answer["Cache-Control"].split(", "))


def test_others_learn_nothing(space: Space, bob: User, auditor: User) -> None:
    assert make_client(bob).get(address(space)).status_code == 404
    assert make_client(auditor).get(address(space)).status_code == 404
    assert make_client().get(address(space)).status_code == 302
    assert make_client(space.host).post(address(space)).status_code == 405


def test_from_the_deadline_on_peaks_are_410(space: Space) -> None:
    update_space(space, expires_at=dbtime.now())

    assert make_client(space.host).get(address(space)).status_code == 410


def test_peaks_are_410_in_the_last_second(space: Space) -> None:
    client = make_client(space.host)
    assert client.get(address(space)).status_code == 200  # loads what the next ones need
    for _ in range(100):
        deadline = dbtime.now() + timedelta(seconds=0.9)
        update_space(space, expires_at=deadline)
        assert client.get(address(space)).status_code == 410
        if dbtime.now() < deadline:
            return
    pytest.fail("no answer came before the deadline")


def test_a_page_without_peaks_does_not_request_them(alice: User, space: Space) -> None:
    bare = make_playable_space(alice)

    assert make_client(alice).get(address(bare)).status_code == 404
    assert "data-peaks" not in make_client(alice).get(f"/spaces/{bare.pk}/").content.decode()
    assert f'data-peaks="{address(space)}"' in make_client(alice).get(f"/spaces/{space.pk}/").content.decode()


def test_a_replaced_object_is_not_drawn(space: Space) -> None:
    stored = Derived.objects.get(space=space)
    store().delete(store().listing(stored.key).versions)
    assert make_client(space.host).get(address(space)).status_code == 404

    Derived.objects.all().delete()
    make_peaks(space, b"[1, 2, 3]")
    Derived.objects.update(etag=stored.etag)
    assert make_client(space.host).get(address(space)).status_code == 404


def test_too_large_peaks_are_not_read(alice: User) -> None:
    space = make_playable_space(alice)
    make_peaks(space, b"0" * (1024**2 + 1))

    assert make_client(alice).get(address(space)).status_code == 404


def test_an_unavailable_store_is_not_a_missing_waveform(space: Space) -> None:
    with override_store(**UNREACHABLE):
        assert make_client(space.host).get(address(space)).status_code == 503


def test_the_player_gets_the_copy_for_browsers_where_there_is_one(space: Space) -> None:
    made = make_peaks(make_playable_space(space.host), b"a listening copy")
    Derived.objects.filter(pk=made.pk).update(space=space, kind="access-copy", content_type="audio/mp4")
    client = make_client(space.host)

    status, headers, body = fetch(client.get(f"/spaces/{space.pk}/audio")["Location"])
    original = fetch(client.get(f"/spaces/{space.pk}/recording")["Location"])[2]

    assert (status, body) == (200, b"a listening copy")
    assert headers["Content-Type"] == "audio/mp4"
    assert len(original) == 527_210
