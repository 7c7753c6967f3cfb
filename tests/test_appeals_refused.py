"""Who may not appeal or decide, and when it is too late."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group

from archive import dbtime, lifecycle
from archive.errors import Conflict, Refused, TooLate
from archive.log import SYSTEM
from archive.models import Appeal, Space, User, Violation
from archive.moderation import holds
from archive.moderation.appeals import appeal, decide
from archive.moderation.violations import flag, lift
from tests.support.errors import raises_error
from tests.support.factory import make_row
from tests.support.log_entries import entries

pytestmark = pytest.mark.usefixtures("db")
WORDS = "It was a quotation."


@pytest.fixture
def space(alice: User) -> Space:
    return make_row(alice, ended_ago=timedelta(days=10))


@pytest.fixture
def violation(space: Space, admin: User) -> Violation:
    return flag(space.pk, "harassment", "An insult.", admin)


@pytest.mark.parametrize("who", ["bob", "ada", "otto"])
def test_only_the_host_appeals(violation: Violation, bob: User, auditor: User, who: str) -> None:
    with raises_error(Refused, "appeal.not_the_host", user=who):
        appeal(violation.pk, WORDS, User.objects.get(username=who))

    violation.refresh_from_db()
    assert violation.state == "standing"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "appeal.statement_missing"),
        (" \n\x00", "appeal.statement_missing"),
        ("x" * 2001, "appeal.statement_too_long"),
    ],
    ids=["empty", "blank", "too long"],
)
def test_an_appeal_needs_a_statement(violation: Violation, alice: User, text: str, code: str) -> None:
    with raises_error(Refused, code):
        appeal(violation.pk, text, alice)


def test_a_statement_may_have_2000_characters(violation: Violation, alice: User) -> None:
    assert appeal(violation.pk, "ü" * 2000, alice).statement == "ü" * 2000


@pytest.mark.parametrize(("left", "taken"), [(timedelta(days=14, minutes=1), True), (timedelta(days=14), False)])
def test_an_appeal_is_possible_until_14_days_before_the_deadline(
    space: Space, violation: Violation, alice: User, left: timedelta, taken: bool
) -> None:
    Space.objects.filter(pk=space.pk).update(ended_at=dbtime.now() + left - timedelta(days=120))
    Space.objects.filter(pk=space.pk).update(expires_at=dbtime.now() + left)

    if taken:
        appeal(violation.pk, WORDS, alice)
    else:
        with raises_error(TooLate, "appeal.too_late", days=14):
            appeal(violation.pk, WORDS, alice)
    assert Appeal.objects.exists() is taken


def test_on_hold_an_appeal_is_always_possible(space: Space, violation: Violation, alice: User, admin: User) -> None:
    Space.objects.filter(pk=space.pk).update(expires_at=dbtime.now() + timedelta(days=1))
    holds.place(space.pk, "A court.", admin)

    assert appeal(violation.pk, WORDS, alice).state == "open"


@pytest.mark.parametrize("granted", [False, True])
def test_a_flag_has_at_most_one_appeal(
    violation: Violation, alice: User, admin: User, granted: bool, second_admin: User
) -> None:
    made = appeal(violation.pk, WORDS, alice)
    with raises_error(Conflict, "appeal.exists"):
        appeal(violation.pk, WORDS, alice)
    decide(made.pk, "Because.", second_admin, granted=granted)

    with raises_error(Conflict, "appeal.violation_lifted" if granted else "appeal.exists"):
        appeal(violation.pk, WORDS, alice)
    with raises_error(Conflict, "appeal.decided", state="granted" if granted else "denied"):
        decide(made.pk, "Because.", second_admin, granted=not granted)


def test_a_lifted_flag_cannot_be_appealed(space: Space, violation: Violation, alice: User, admin: User) -> None:
    lift(space.pk, "In error.", admin)

    with raises_error(Conflict, "appeal.violation_lifted"):
        appeal(violation.pk, WORDS, alice)


def test_only_admins_decide(violation: Violation, alice: User, auditor: User) -> None:
    made = appeal(violation.pk, WORDS, alice)
    with raises_error(Refused, "moderation.not_an_admin", user="otto"):
        decide(made.pk, "Because.", auditor, granted=True)
    alice.groups.add(Group.objects.get(name="admins"))
    alice = User.objects.get(pk=alice.pk)

    with raises_error(Refused, "moderation.own_space"):
        decide(made.pk, "Because.", alice, granted=True)

    assert Appeal.objects.get().state == "open"


def test_a_decision_needs_a_reason(violation: Violation, alice: User, admin: User, second_admin: User) -> None:
    made = appeal(violation.pk, WORDS, alice)

    with raises_error(Refused, "moderation.reason_missing"):
        decide(made.pk, " ", second_admin, granted=True)


def test_too_late_after_deletion_began(
    space: Space, violation: Violation, alice: User, admin: User, second_admin: User
) -> None:
    other = flag(space.pk, "spam", "Watches.", admin)
    made = appeal(violation.pk, WORDS, alice)
    lifecycle.transition(space, Space.State.AVAILABLE, Space.State.EXPIRING, actor=SYSTEM)
    before = entries(space)

    with raises_error(TooLate, "space.deletion_started"):
        appeal(other.pk, WORDS, alice)
    with raises_error(TooLate, "space.deletion_started"):
        decide(made.pk, "So it was.", second_admin, granted=True)

    assert entries(space) == before
    assert Appeal.objects.get().state == "open"


def test_an_unknown_flag_or_appeal_is_refused(alice: User, admin: User, second_admin: User) -> None:
    with raises_error(Refused, "violation.not_found"):
        appeal(7, WORDS, alice)
    with raises_error(Refused, "violation.not_found"):
        decide(7, "Because.", second_admin, granted=True)
