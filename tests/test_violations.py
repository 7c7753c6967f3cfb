"""Flag and lift: the deadline moves at once, and the log contains no free text."""

import json
from datetime import datetime, timedelta

import pytest

from archive import dbtime
from archive.models import LogEntry, Space, User
from archive.moderation.violations import flag, lift, preview_flag
from tests.support.deadlines import retention_period
from tests.support.factory import make_row
from tests.support.log_entries import entries

pytestmark = pytest.mark.usefixtures("db")
REASON = "At minute three, an insult."


@pytest.fixture
def space(alice: User) -> Space:
    return make_row(alice, ended_ago=timedelta(days=10))


def test_a_flag_moves_the_deadline_to_day_120(space: Space, admin: User) -> None:
    before = space.expires_at

    violation = flag(space.pk, "harassment", REASON, admin)

    assert retention_period(space) == timedelta(days=120)
    assert (violation.state, violation.reason, violation.flagged_by) == ("standing", REASON, admin)
    (flagged, detail), (moved, how) = entries(space)
    assert (flagged, moved) == ("violation.flagged", "deadline.moved")
    assert (detail["violation"], detail["rule"]) == (violation.pk, "harassment")
    assert [datetime.fromisoformat(how[when]) for when in ("before", "after")] == [before, space.expires_at]
    assert how["deadline_reasons"] == ["base", "violation"]


def test_no_free_text_reaches_the_log(space: Space, admin: User) -> None:
    flag(space.pk, "harassment", REASON, admin)
    lift(space.pk, "It was a quotation.", admin)

    log_text = json.dumps(entries(space))

    assert "insult" not in log_text
    assert "quotation" not in log_text
    assert {entry.actor_id for entry in LogEntry.objects.all()} == {admin.pk}


def test_several_flags_do_not_stack(space: Space, admin: User) -> None:
    flag(space.pk, "harassment", REASON, admin)
    flag(space.pk, "spam", REASON, admin)

    assert retention_period(space) == timedelta(days=120)
    assert [event for event, _ in entries(space)] == ["violation.flagged", "deadline.moved", "violation.flagged"]


def test_an_early_lift_restores_the_first_deadline(space: Space, admin: User) -> None:
    flag(space.pk, "harassment", REASON, admin)
    flag(space.pk, "spam", REASON, admin)

    lifted = lift(space.pk, "flagged in error", admin)

    assert retention_period(space) == timedelta(days=30)
    assert [(v.state, v.lifted_by, v.lift_reason) for v in lifted] == [("lifted", admin, "flagged in error")] * 2
    assert [event for event, _ in entries(space)][-3:] == ["violation.lifted", "violation.lifted", "deadline.moved"]


def test_a_late_lift_leaves_a_week_to_download(alice: User, admin: User) -> None:
    space = make_row(alice, ended_ago=timedelta(days=50), expires_at=dbtime.now() + timedelta(days=1))
    flag(space.pk, "harassment", REASON, admin)

    (violation,) = lift(space.pk, "flagged in error", admin)

    space.refresh_from_db()
    assert violation.lifted_at is not None
    assert space.expires_at == violation.lifted_at + timedelta(days=7)
    assert entries(space)[-1][1]["deadline_reasons"] == ["base", "lifted", "lift-grace"]


@pytest.mark.parametrize("days", [1, 26, 119])
def test_the_previewed_deadline_is_applied(alice: User, admin: User, days: int) -> None:
    space = make_row(alice, ended_ago=timedelta(days=days), expires_at=dbtime.now() + timedelta(hours=1))

    would_be, _ = preview_flag(space, dbtime.now())
    flag(space.pk, "spam", REASON, admin)
    space.refresh_from_db()
    assert space.expires_at == would_be.at

    _, would_be = preview_flag(space, dbtime.now())
    lift(space.pk, REASON, admin)
    space.refresh_from_db()
    assert would_be.at is not None
    assert space.expires_at is not None
    assert abs(space.expires_at - would_be.at) < timedelta(seconds=60)
