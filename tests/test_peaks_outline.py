"""The waveform outline in the list of Spaces."""

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

    assert 'viewBox="0 0 3 100"' in picture
    assert '<path d="M0 50L0 49H1L1 25H2L2 0H3L3 100H2L2 75H1L1 51H0Z"/>' in picture


def test_no_outline_without_peaks(alice: User) -> None:
    make_playable_space(alice, lines=[])
    make_row(alice)

    assert drawn(alice) == []


def test_no_outline_after_the_deadline(space: Space) -> None:
    update_space(space, expires_at=dbtime.now())

    page = make_client(space.host).get("/", {"filter": "deleted"}).content.decode()

    assert "The seed library room" in page
    assert "<path d=" not in page
