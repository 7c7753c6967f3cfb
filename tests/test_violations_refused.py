"""Who may not flag or lift, and when it is too late."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from archive import lifecycle
from archive.errors import Refused, TooLate
from archive.log import SYSTEM
from archive.models import Rule, Space, User
from archive.moderation.violations import flag, lift
from tests.support.deadlines import make_due, retention_period
from tests.support.errors import raises_error
from tests.support.factory import make_row
from tests.support.log_entries import entries

pytestmark = pytest.mark.usefixtures("db")
REASON = "At minute three, an insult."


@pytest.fixture
def space(alice: User) -> Space:
    return make_row(alice, ended_ago=timedelta(days=10))


CHANGES: list[Callable[[Space, User], object]] = [
    lambda space, by: flag(space.pk, "spam", REASON, by),
    lambda space, by: lift(space.pk, REASON, by),
]


@pytest.mark.parametrize("change", CHANGES, ids=["flag", "lift"])
def test_too_late_after_deletion_began(space: Space, admin: User, change: Callable[[Space, User], object]) -> None:
    flag(space.pk, "harassment", REASON, admin)
    lifecycle.transition(space, Space.State.AVAILABLE, Space.State.EXPIRING, actor=SYSTEM)
    before = entries(space)

    with raises_error(TooLate, "space.deletion_started"):
        change(space, admin)

    assert entries(space) == before
    assert space.violations.get().state == "standing"


@pytest.mark.parametrize("change", CHANGES, ids=["flag", "lift"])
def test_too_late_after_the_deadline(space: Space, admin: User, change: Callable[[Space, User], object]) -> None:
    flag(space.pk, "harassment", REASON, admin)
    make_due(space)
    before = entries(space)

    with raises_error(TooLate, "space.deadline_passed"):
        change(space, admin)

    assert entries(space) == before
    assert space.violations.get().state == "standing"


@pytest.mark.parametrize("change", CHANGES, ids=["flag", "lift"])
@pytest.mark.parametrize("who", ["alice", "otto"])
def test_only_admins_flag_and_lift(
    space: Space, admin: User, auditor: User, who: str, change: Callable[[Space, User], object]
) -> None:
    flag(space.pk, "harassment", REASON, admin)

    with raises_error(Refused, "moderation.not_an_admin", user=who):
        change(space, User.objects.get(username=who))

    assert space.violations.get().state == "standing"


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("", "moderation.reason_missing"),
        (" \n\x00", "moderation.reason_missing"),
        ("x" * 2001, "moderation.reason_too_long"),
    ],
    ids=["empty", "blank", "too long"],
)
@pytest.mark.parametrize("change", [flag, lift])
def test_a_reason_is_needed(space: Space, admin: User, change: Any, reason: str, code: str) -> None:
    rule = ["spam"] if change is flag else []

    with raises_error(Refused, code):
        change(space.pk, *rule, reason, admin)


def test_an_unknown_rule_lists_the_known_ones(space: Space, admin: User) -> None:
    Rule.objects.filter(code="violence").update(active=False)

    for code in ("rudeness", "violence"):
        with pytest.raises(Refused) as refused:
            flag(space.pk, code, REASON, admin)
        assert str(refused.value) == (
            f"There is no rule “{code}”. The rules are "
            "harassment, hate, illegal, impersonation, private-information, spam, other."
        )
    assert retention_period(space) == timedelta(days=30)


def test_unknown_spaces_and_flags_are_refused(space: Space, admin: User) -> None:
    with raises_error(Refused, "violation.none_standing"):
        lift(space.pk, REASON, admin)
    with raises_error(Refused, "space.not_found"):
        flag(uuid.UUID("00000000-0000-4000-8000-000000000001"), "spam", REASON, admin)
