"""Appeals: the host makes one, an admin decides it, and the deadline moves only if it is granted."""

import json
from datetime import timedelta

import pytest

from archive import dbtime
from archive.models import Appeal, Space, User, Violation
from archive.moderation.appeals import appeal, decide, if_granted
from archive.moderation.violations import flag, lift
from tests.support.deadlines import retention_period
from tests.support.factory import make_row
from tests.support.log_entries import entries, events

pytestmark = pytest.mark.usefixtures("db")
WORDS = "It was a quotation, and I said so."


@pytest.fixture
def space(alice: User) -> Space:
    return make_row(alice, ended_ago=timedelta(days=10))


@pytest.fixture
def violation(space: Space, admin: User) -> Violation:
    return flag(space.pk, "harassment", "An insult.", admin)


def test_an_open_appeal_keeps_the_deadline(space: Space, violation: Violation, alice: User) -> None:
    made = appeal(violation.pk, f"  {WORDS}\n", alice)

    violation.refresh_from_db()
    assert (made.state, made.statement, made.created_by) == ("open", WORDS, alice)
    assert violation.state == "appealed"
    assert retention_period(space) == timedelta(days=120)
    event, detail = entries(space)[-1]
    assert (event, detail["violation"], detail["appeal"]) == ("violation.appealed", str(violation.pk), made.pk)


def test_a_denied_appeal_upholds_the_flag(
    space: Space, violation: Violation, alice: User, admin: User, second_admin: User
) -> None:
    made = appeal(violation.pk, WORDS, alice)

    decided = decide(made.pk, "It was no quotation.", second_admin, granted=False)

    violation.refresh_from_db()
    assert (decided.state, decided.decision_reason, decided.decided_by) == (
        "denied",
        "It was no quotation.",
        second_admin,
    )
    assert violation.state == "standing"
    assert retention_period(space) == timedelta(days=120)
    assert events(space)[-2:] == ["appeal.denied", "violation.upheld"]


def test_a_granted_appeal_lifts_the_flag(
    space: Space, violation: Violation, alice: User, admin: User, second_admin: User
) -> None:
    made = appeal(violation.pk, WORDS, alice)

    decided = decide(made.pk, "So it was.", second_admin, granted=True)

    violation.refresh_from_db()
    assert (decided.state, violation.state, violation.lift_reason) == ("granted", "lifted", "So it was.")
    assert decided.decided_at == violation.lifted_at
    assert retention_period(space) == timedelta(days=30)
    assert events(space)[-3:] == ["appeal.granted", "violation.lifted", "deadline.moved"]


def test_a_late_grant_leaves_a_week_to_download(alice: User, admin: User, second_admin: User) -> None:
    space = make_row(alice, ended_ago=timedelta(days=50), expires_at=dbtime.now() + timedelta(days=1))
    made = appeal(flag(space.pk, "spam", "Watches.", admin).pk, WORDS, alice)

    decided = decide(made.pk, "So it was.", second_admin, granted=True)

    space.refresh_from_db()
    assert decided.decided_at is not None
    assert space.expires_at == decided.decided_at + timedelta(days=7)


def test_another_flag_keeps_the_deadline(
    space: Space, violation: Violation, alice: User, admin: User, second_admin: User
) -> None:
    flag(space.pk, "spam", "Watches.", admin)
    made = appeal(violation.pk, WORDS, alice)
    would_be = if_granted(space, violation, dbtime.now())

    decide(made.pk, "So it was.", second_admin, granted=True)

    assert retention_period(space) == timedelta(days=120)
    assert would_be.at == space.expires_at


def test_lifting_all_flags_grants_open_appeals(
    space: Space, violation: Violation, alice: User, second_admin: User
) -> None:
    made = appeal(violation.pk, WORDS, alice)

    lift(space.pk, "flagged in error", second_admin)

    made.refresh_from_db()
    assert (made.state, made.decision_reason, made.decided_by) == ("granted", "flagged in error", second_admin)
    assert events(space)[-3:] == ["appeal.granted", "violation.lifted", "deadline.moved"]


def test_lifting_a_flag_leaves_a_denied_appeal_denied(
    space: Space, violation: Violation, alice: User, admin: User, second_admin: User
) -> None:
    made = appeal(violation.pk, WORDS, alice)
    decide(made.pk, "No.", second_admin, granted=False)

    lift(space.pk, "flagged in error", admin)

    assert Appeal.objects.get(pk=made.pk).state == "denied"


def test_no_free_text_reaches_the_log(
    space: Space, violation: Violation, alice: User, admin: User, second_admin: User
) -> None:
    decide(appeal(violation.pk, WORDS, alice).pk, "Because of the tone.", second_admin, granted=False)

    log_text = json.dumps(entries(space))

    assert "quotation" not in log_text
    assert "tone" not in log_text
