"""The small picture of a recording in the list of Spaces."""

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


def test_each_step_is_as_high_as_it_is_loud(space: Space) -> None:
    (picture,) = drawn(space.host)

    assert 'viewBox="0 0 3 100"' in picture
    assert '<path d="M0 50L0 49H1L1 25H2L2 0H3L3 100H2L2 75H1L1 51H0Z"/>' in picture


def test_no_loudness_no_picture(alice: User) -> None:
    make_playable_space(alice, lines=[])
    make_row(alice)

    assert drawn(alice) == []


def test_one_that_may_not_be_heard_any_more_has_none(space: Space) -> None:
    update_space(space, expires_at=dbtime.now())

    page = make_client(space.host).get("/", {"filter": "deleted"}).content.decode()

    assert "The seed library room" in page
    assert "<path d=" not in page
