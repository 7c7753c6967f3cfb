"""The outline of the waveform in the list of Spaces."""

import re

import pytest

from archive import dbtime
from archive.models import Recording, Space, User
from tests.support.factory import make_row
from tests.support.http_clients import make_client
from tests.support.playable_spaces import make_playable_space
from tests.support.rows import update_space

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def space(db: None, alice: User) -> Space:
    space = make_playable_space(alice, lines=[])
    Recording.objects.filter(space=space).update(outline=[0, 50, 100])
    return space


def drawn(user: User) -> list[str]:
    return re.findall(r'<svg class="outline".*?</svg>', make_client(user).get("/").content.decode())


def test_the_outline_follows_loudness(space: Space) -> None:
    (picture,) = drawn(space.host)

    assert 'viewBox="0 -15 50 30"' in picture
    silent, half, loud = "V-1h1" * 17, "V-8h1" * 17, "V-15h1" * 16
    assert f'd="M0 0{silent}{half}{loud}V0z"' in picture


def test_many_steps_become_few_and_keep_the_loudest(space: Space) -> None:
    Recording.objects.filter(space=space).update(outline=[0, 100] * 50)

    (picture,) = drawn(space.host)

    assert f'd="M0 0{"V-15h1" * 50}V0z"' in picture


def test_no_outline_without_peaks(alice: User) -> None:
    make_playable_space(alice, lines=[])
    make_row(alice)

    assert drawn(alice) == []


def test_no_outline_after_the_deadline(space: Space) -> None:
    update_space(space, expires_at=dbtime.now())

    page = make_client(space.host).get("/", {"filter": "deleted"}).content.decode()

    assert "The seed library room" in page
    assert 'class="outline"' not in page
