"""Two admins review at the same time: never the same Space, and each Space once."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

import pytest

from archive.models import Space, User
from archive.moderation.reviews import claim, claim_next, review
from tests.support.factory import make_row
from tests.support.log_entries import events
from tests.support.threads import at_once

pytestmark = pytest.mark.usefixtures("committed")
COUNT = 30


def drain(by: User) -> list[UUID]:
    """Review the whole queue as the page does: claim the next Space, then review it."""
    reviewed = []
    while space := claim_next(Space.objects.order_by("-ended_at", "-id"), by):
        reviewed.append(review(space.pk, by).pk)
    return reviewed


def test_two_admins_share_the_queue(alice: User, admin: User, second_admin: User) -> None:
    spaces = {make_row(alice, title=f"{number}").pk for number in range(COUNT)}

    one, two = at_once(partial(drain, admin), partial(drain, second_admin))

    assert len(one) + len(two) == COUNT
    assert {*one, *two} == spaces
    assert {tuple(events(space)) for space in Space.objects.all()} == {("space.reviewed",)}


def test_one_of_two_gets_a_space(alice: User, admin: User, second_admin: User) -> None:
    for _ in range(COUNT):
        space = make_row(alice)

        calls: list[Callable[[], object]] = [partial(claim, space.pk, admin), partial(claim, space.pk, second_admin)]
        claims = at_once(*calls)

        assert sum(one is not None for one in claims) == 1
