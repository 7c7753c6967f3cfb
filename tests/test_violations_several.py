"""Flag several Spaces at once: each is independent of the others."""

from datetime import timedelta

import pytest

from archive import lifecycle
from archive.errors import Refused
from archive.log import SYSTEM
from archive.models import Space, User, Violation
from archive.moderation.several import flag_each
from tests.support.deadlines import retention_period
from tests.support.errors import raises_error
from tests.support.factory import make_row

pytestmark = pytest.mark.usefixtures("db")


def test_each_space_is_flagged_or_has_an_error(alice: User, bob: User, admin: User) -> None:
    one, late, other = make_row(alice), make_row(alice), make_row(bob)
    lifecycle.transition(late, Space.State.AVAILABLE, Space.State.EXPIRING, actor=SYSTEM)

    outcomes = flag_each([one.pk, late.pk, one.pk, other.pk], "spam", "The same watches.", admin)

    assert [(outcome.space_id, bool(outcome.refusal)) for outcome in outcomes] == [
        (one.pk, False),
        (late.pk, True),
        (other.pk, False),
    ]
    assert "Too late: the deletion of this Space started on" in outcomes[1].refusal
    assert retention_period(one) == retention_period(other) == timedelta(days=120)
    assert not late.violations.exists()


def test_a_common_error_is_reported_once(alice: User, admin: User) -> None:
    space = make_row(alice)

    with raises_error(Refused, "violation.none_selected"):
        flag_each([], "spam", "Watches.", admin)
    with raises_error(Refused, "violation.no_such_rule"):
        flag_each([space.pk], "none", "Watches.", admin)
    with raises_error(Refused, "moderation.reason_missing"):
        flag_each([space.pk], "spam", "", admin)
    with raises_error(Refused, "moderation.not_an_admin"):
        flag_each([space.pk], "spam", "Watches.", alice)
    with raises_error(Refused, "violation.too_many_selected", count=101):
        flag_each([make_row(alice).pk for _ in range(101)], "spam", "Watches.", admin)

    assert not Violation.objects.exists()
