"""No order of actions by admins and hosts gives a deadline before that of the policy."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import transaction

from archive import dbtime
from archive.errors import Refused
from archive.models import Appeal, Space, User
from archive.moderation import holds
from archive.moderation.appeals import appeal, decide
from archive.moderation.violations import flag, lift
from tests.support.factory import make_row, make_user

pytestmark = pytest.mark.usefixtures("db")


def decided(space: Space, granted: bool) -> object:
    """Let the host appeal, and an admin decide who did not flag."""
    violation = space.violations.filter(state="standing", appeal=None).first()
    made = appeal(violation.pk if violation else 0, "A quotation.", space.host)
    return decide(made.pk, "I looked.", User.objects.get(username="sven"), granted=granted)


def released(space: Space, by: User) -> object:
    standing = space.holds.filter(state="standing").first()
    return holds.release(standing.pk if standing else 0, "Closed.", User.objects.get(username="sven"))


ACTS: list[Callable[[Space, User], object]] = [
    lambda space, by: flag(space.pk, "spam", "Watches.", by),
    lambda space, by: lift(space.pk, "In error.", by),
    lambda space, by: decided(space, granted=True),
    lambda space, by: decided(space, granted=False),
    lambda space, by: holds.place(space.pk, "A court.", by),
    released,
]


@pytest.mark.parametrize("age", [60, pytest.param(5, marks=pytest.mark.long)])
def test_no_order_of_actions_shortens_the_deadline(alice: User, admin: User, age: int) -> None:
    """60 days after the end the Space exists only because of its flag, so a deadline could be moved into the past."""
    make_user("sven", role="admins")
    space = make_row(alice, ended_ago=timedelta(days=age), expires_at=dbtime.now() + timedelta(days=1))
    flag(space.pk, "hate", "Words.", admin)

    assert every_order(space, admin, 3) == 100


def every_order(space: Space, by: User, length: int) -> int:
    """Try every sequence of this many acts, and undo each act after all of its continuations. A refused act must change
    nothing, so its continuations are not tried. Returns how many acts were done."""
    done = 0
    for act in ACTS if length else ():
        with transaction.atomic():
            before = Space.objects.values().get(pk=space.pk)
            try:
                with transaction.atomic():
                    act(space, by)
            except Refused:
                assert Space.objects.values().get(pk=space.pk) == before
            else:
                keeps_the_rule(space)
                done += 1 + every_order(space, by, length - 1)
            transaction.set_rollback(True)
    return done


def keeps_the_rule(space: Space) -> None:
    space.refresh_from_db()
    violations = list(space.violations.all())
    if space.holds.filter(state="standing").exists():
        assert space.expires_at is None
        return
    assert space.expires_at is not None
    period = space.expires_at - space.ended_at
    assert timedelta(days=30) <= period <= timedelta(days=120)
    if any(violation.lifted_at is None for violation in violations):
        assert period == timedelta(days=120)
    for violation in violations:
        if violation.lifted_at is not None:
            assert space.expires_at >= violation.lifted_at + timedelta(days=7)
    open_appeals = Appeal.objects.filter(violation__space=space, state="open").count()
    assert open_appeals == sum(violation.state == "appealed" for violation in violations)
    assert space.is_appealed == (open_appeals > 0)
    assert space.is_flagged == any(violation.lifted_at is None for violation in violations)
