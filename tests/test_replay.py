"""Compliance with the policy can be verified from the log alone."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command

from archive import dbtime
from archive.errors import TooLate
from archive.intake.register import NewSpace, register_space
from archive.log import SYSTEM
from archive.models import LogEntry, Space, User
from archive.moderation.appeals import appeal, decide
from archive.moderation.holds import place, release
from archive.moderation.violations import flag, lift
from archive.retention.purge import purge
from archive.retention.replay import Entry, judge
from tests.support.deadlines import make_due
from tests.support.log_entries import event_detail
from tests.support.waiting import wait_until

SPACE = UUID("00000000-0000-4000-8000-000000000001")
POLICY = {"retention_days": 30, "violation_extra_days": 90, "lift_grace_days": 7}
LONG_AFTER = datetime(2027, 1, 1, tzinfo=UTC)

Told = tuple[str, str, dict[str, Any]]

OPENED: Told = (
    "2026-03-01T12:10",
    "space.registered",
    {"ended_at": "2026-03-01T12:00:00Z", "deadline": "2026-03-31T12:00:00Z"},
)
FLAGGED: Told = ("2026-03-10T00:00", "violation.flagged", {"violation": 7})
LONGER: Told = (
    "2026-03-10T00:00",
    "deadline.moved",
    {"before": "2026-03-31T12:00:00Z", "after": "2026-06-29T12:00:00Z"},
)
LIFTED: Told = ("2026-03-28T00:00", "violation.lifted", {"violation": "7", "lifted_at": "2026-03-28T00:00:00Z"})
SHORTER: Told = (
    "2026-03-28T00:00",
    "deadline.moved",
    {"before": "2026-06-29T12:00:00Z", "after": "2026-04-04T00:00:00Z"},
)
HELD: Told = ("2026-03-20T00:00", "hold.placed", {"hold": 3})
ENDLESS: Told = ("2026-03-20T00:00", "deadline.moved", {"before": "2026-03-31T12:00:00Z", "after": None})
RELEASED: Told = ("2026-08-01T00:00", "hold.released", {"hold": "3"})
AT_ONCE: Told = ("2026-08-01T00:00", "deadline.moved", {"before": None, "after": "2026-03-31T12:00:00Z"})


def began(at: str, why: str = "deadline") -> Told:
    return at, "deletion.started", {"why": why}


def deleted(at: str) -> Told:
    return at, "space.deleted", {}


def judged(*story: Told, now: datetime = LONG_AFTER) -> list[tuple[str, str]]:
    entries = [
        Entry(number, datetime.fromisoformat(at).replace(tzinfo=UTC), event, {"policy": POLICY, **detail})
        for number, (at, event, detail) in enumerate(story, 1)
    ]
    return [(finding.kind, finding.text) for finding in judge(SPACE, entries, now)]


GOOD: list[list[Told]] = [
    [OPENED, began("2026-03-31T12:00"), deleted("2026-03-31T12:15")],
    [OPENED, FLAGGED, LONGER, began("2026-06-29T12:00"), deleted("2026-06-29T12:01")],
    [OPENED, FLAGGED, LONGER, LIFTED, SHORTER, began("2026-04-04T00:00"), deleted("2026-04-04T00:01")],
    [OPENED, HELD, ENDLESS, RELEASED, AT_ONCE, began("2026-08-01T00:01"), deleted("2026-08-01T00:15")],
    [OPENED, began("2026-03-02T12:11", "abandoned"), deleted("2026-03-02T12:12")],
]


@pytest.mark.parametrize("story", GOOD)
def test_a_log_that_follows_the_policy_has_no_findings(story: list[Told]) -> None:
    assert judged(*story) == []


BAD: dict[str, tuple[list[Told], str]] = {
    "before the deadline": ([OPENED, began("2026-03-31T11:59"), deleted("2026-03-31T12:01")], "early"),
    "flagged, and deleted on day 30": (
        [OPENED, FLAGGED, LONGER, began("2026-03-31T12:00"), deleted("2026-03-31T12:01")],
        "early",
    ),
    "before the grace": (
        [OPENED, FLAGGED, LONGER, LIFTED, SHORTER, began("2026-03-31T12:01"), deleted("2026-03-31T12:02")],
        "early",
    ),
    "while held": ([OPENED, HELD, ENDLESS, began("2026-03-31T12:00"), deleted("2026-03-31T12:01")], "early"),
    "abandoned while held": (
        [OPENED, HELD, ENDLESS, began("2026-03-22T12:11", "abandoned"), deleted("2026-03-22T12:12")],
        "early",
    ),
    "too late": ([OPENED, began("2026-03-31T12:00"), deleted("2026-03-31T12:16")], "late"),
    "late after a release": (
        [OPENED, HELD, ENDLESS, RELEASED, AT_ONCE, began("2026-08-01T00:01"), deleted("2026-08-01T00:16")],
        "late",
    ),
    "not at all": ([OPENED], "late"),
    "begun and not done": ([OPENED, began("2026-03-31T12:00")], "late"),
    "never begun": ([OPENED, deleted("2026-03-31T12:01")], "without a reason"),
    "no why": ([OPENED, began("2026-03-31T12:00", ""), deleted("2026-03-31T12:01")], "without a reason"),
    "abandoned too soon": (
        [OPENED, began("2026-03-02T12:00", "abandoned"), deleted("2026-03-02T12:01")],
        "without a reason",
    ),
    "abandoned though it came": (
        [
            OPENED,
            ("2026-03-01T13:00", "space.received", {}),
            began("2026-03-09T12:00", "abandoned"),
            deleted("2026-03-09T12:01"),
        ],
        "without a reason",
    ),
    "twice": (
        [OPENED, began("2026-03-31T12:00"), deleted("2026-03-31T12:01"), deleted("2026-03-31T12:02")],
        "without a reason",
    ),
    "another deadline than the rule's": (
        [
            (OPENED[0], OPENED[1], {**OPENED[2], "deadline": "2026-03-30T12:00:00Z"}),
            began("2026-03-31T12:00"),
            deleted("2026-03-31T12:01"),
        ],
        "wrong",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_deviations_from_the_policy_are_found(name: str) -> None:
    story, kind = BAD[name]

    assert [result for result, _ in judged(*story)] == [kind]


def test_an_incomplete_log_is_reported() -> None:
    assert {kind for kind, _ in judged(*GOOD[0][1:])} == {"without a reason"}


def test_a_space_before_its_deadline_is_no_finding() -> None:
    assert judged(OPENED, now=datetime(2026, 3, 31, 12, 14, tzinfo=UTC)) == []


def test_the_policy_of_the_time_applies() -> None:
    """A policy of seven days was in force when the Space was registered; later changes do not make that deletion
    wrong."""
    week = {"retention_days": 7, "violation_extra_days": 0, "lift_grace_days": 0}
    registered = (OPENED[0], OPENED[1], {**OPENED[2], "policy": week, "deadline": "2026-03-08T12:00:00Z"})

    assert judged(registered, began("2026-03-08T12:00"), deleted("2026-03-08T12:05")) == []


def register_nearly_due(host: User) -> Space:
    """Register a Space as shortly before its deadline as this machine can: after the deadline it is refused."""
    for seconds in (1, 10, 100):
        with suppress(TooLate):
            return register_space(NewSpace(host, dbtime.now() - timedelta(days=30, seconds=-seconds)), SYSTEM)
    raise AssertionError("the deadline passed each time")


@pytest.mark.usefixtures("db")
def test_a_real_log_has_no_findings(alice: User, admin: User, capsys: pytest.CaptureFixture[str]) -> None:
    space, remaining = register_nearly_due(alice), register_space(NewSpace(alice, dbtime.now()), SYSTEM)
    flag(remaining.pk, "spam", "An axolotl.", admin)
    lift(remaining.pk, "A pangolin.", admin)
    wait_until(lambda: purge(space.pk), "its deadline passes")

    call_command("replay_log", "--json")

    assert json.loads(capsys.readouterr().out) == {"spaces": 2, "findings": []}
    moved = LogEntry.objects.filter(event="deadline.moved").first()
    assert moved is not None
    assert moved.detail["policy"] == POLICY


@pytest.mark.usefixtures("db")
def test_appeals_and_holds_are_understood(
    alice: User, admin: User, capsys: pytest.CaptureFixture[str], second_admin: User
) -> None:
    space = register_space(NewSpace(alice, dbtime.now() - timedelta(days=29)), SYSTEM)
    denied, granted = flag(space.pk, "spam", "An axolotl.", admin), flag(space.pk, "spam", "A newt.", admin)
    decide(appeal(denied.pk, "No.", alice).pk, "Yes.", second_admin, granted=False)
    decide(appeal(granted.pk, "No.", alice).pk, "No indeed.", second_admin, granted=True)
    hold = place(space.pk, "A court asked for it.", admin)
    lift(space.pk, "A pangolin.", admin)
    release(hold.pk, "It was withdrawn.", second_admin)

    call_command("replay_log", "--json")

    assert json.loads(capsys.readouterr().out) == {"spaces": 1, "findings": []}


@pytest.mark.usefixtures("db")
def test_a_too_early_deletion_is_found(zebrafish: Space, capsys: pytest.CaptureFixture[str]) -> None:
    make_due(zebrafish)
    assert purge(zebrafish.pk)

    with pytest.raises(CommandError, match="1 finding: deletions did not follow the policy"):
        call_command("replay_log")

    assert f"{zebrafish.pk}  early: Its deletion began at " in capsys.readouterr().out
    assert event_detail(zebrafish, "deletion.started")["why"] == "deadline"
