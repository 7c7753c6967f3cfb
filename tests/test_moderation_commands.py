"""manage.py flag, lift and sweep: one clear line, exit status 0 only on success, and JSON for scripts."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from archive import dbtime
from archive.formatting import format_time
from archive.models import Space, User
from archive.moderation.appeals import appeal
from archive.moderation.violations import flag
from archive.storage import keys, store
from tests.support.factory import make_row, make_space, make_user

pytestmark = pytest.mark.django_db


def run_json(capsys: pytest.CaptureFixture[str], *command: str) -> dict[str, Any]:
    call_command(*command, "--json")
    facts: dict[str, Any] = json.loads(capsys.readouterr().out)
    return facts


def test_flag_and_lift(alice: User, admin: User, capsys: pytest.CaptureFixture[str]) -> None:
    space = make_row(alice, ended_ago=timedelta(days=6))

    flagged = run_json(capsys, "flag", str(space.pk), "--rule", "spam", "--reason", "Watches.", "--by", "ada")
    lifted = run_json(capsys, "lift", str(space.pk), "--reason", "It was a quotation.", "--by", "ada")

    assert flagged["expires_at"] == (space.ended_at + timedelta(days=120)).isoformat()
    assert lifted["expires_at"] == (space.ended_at + timedelta(days=30)).isoformat()
    assert lifted["lifted"] == [flagged["violation"]]


def test_hold_and_release(alice: User, admin: User, capsys: pytest.CaptureFixture[str]) -> None:
    make_user("sven", role="admins")
    space = make_row(alice, ended_ago=timedelta(days=6))

    held = run_json(capsys, "hold", str(space.pk), "--reason", "A court.", "--by", "ada")
    with pytest.raises(CommandError, match="a different admin must release it"):
        call_command("release", str(held["hold"]), "--reason", "Closed.", "--by", "ada")
    call_command("flag", str(space.pk), "--rule", "spam", "--reason", "Watches.", "--by", "ada")
    call_command("lift", str(space.pk), "--reason", "It was a quotation.", "--by", "ada")
    told = capsys.readouterr().out
    released = run_json(capsys, "release", str(held["hold"]), "--reason", "Closed.", "--by", "sven")

    assert told.count("On hold, so it has no deadline.") == 2
    assert held["expires_at"] is None
    assert released["expires_at"] == (space.ended_at + timedelta(days=30)).isoformat()


@pytest.mark.parametrize(("decision", "state", "days"), [("grant", "granted", 30), ("deny", "denied", 120)])
def test_decide(
    alice: User, admin: User, capsys: pytest.CaptureFixture[str], decision: str, state: str, days: int
) -> None:
    space = make_row(alice, ended_ago=timedelta(days=6))
    make_user("sven", role="admins")
    made = appeal(flag(space.pk, "spam", "Watches.", admin).pk, "They were beans.", alice)

    decided = run_json(capsys, "decide", str(made.pk), decision, "--reason", "I looked.", "--by", "sven")

    assert decided["state"] == state
    assert decided["expires_at"] == (space.ended_at + timedelta(days=days)).isoformat()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["flag", "not-an-id", "--rule", "spam", "--reason", "x", "--by", "ada"], "'not-an-id' is not a Space's id."),
        (
            ["lift", "00000000-0000-4000-8000-000000000000", "--reason", "x", "--by", "ada"],
            "There is no Space 00000000-0000-4000-8000-000000000000.",
        ),
        (["flag", "SPACE", "--rule", "spam", "--reason", "x", "--by", "eve"], "There is no user 'eve'."),
        (["flag", "SPACE", "--rule", "spam", "--reason", "x", "--by", "alice"], "alice is not an admin"),
        (
            ["flag", "SPACE", "--rule", "none", "--reason", "x", "--by", "ada"],
            "There is no rule “none”. The rules are",
        ),
        (["lift", "SPACE", "--reason", "x", "--by", "ada"], "This Space has no flag to lift"),
        (["sweep", "--at", "2026-12-22T14:05:00Z"], "--at needs --dry-run"),
        (["sweep", "--dry-run", "--at", "2026-12-22T14:05:00"], "has no time zone"),
        (["sweep", "--dry-run", "--at", "soon"], "'soon' is not a time"),
    ],
)
def test_errors_are_one_line(alice: User, admin: User, command: list[str], words: str) -> None:
    space = make_row(alice)

    with pytest.raises(CommandError) as error:
        call_command(*[str(space.pk) if word == "SPACE" else word for word in command])

    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_what_people_read_has_the_deadline_as_people_write_it(
    alice: User, admin: User, capsys: pytest.CaptureFixture[str]
) -> None:
    space = make_row(alice)
    until = format_time(space.ended_at + timedelta(days=120))
    by = ("--reason", "x", "--by", "ada")

    call_command("flag", str(space.pk), "--rule", "spam", *by)
    call_command("hold", str(space.pk), *by)
    call_command("lift", str(space.pk), *by)

    flagged, _, lifted = capsys.readouterr().out.splitlines()
    assert flagged == f"Flagged. Deadline: {until}."
    assert lifted == "Lifted 1 flag. On hold, so it has no deadline."


def test_a_deactivated_account_is_named_with_what_to_do(alice: User, admin: User) -> None:
    User.objects.filter(pk=admin.pk).update(is_active=False)

    with pytest.raises(CommandError, match="ada is deactivated"):
        call_command("review", str(make_row(alice).pk), "--by", "ada")


def test_a_dry_run_changes_nothing(alice: User, capsys: pytest.CaptureFixture[str]) -> None:
    due = make_row(alice, ended_ago=timedelta(days=31))
    soon = make_row(alice, ended_ago=timedelta(days=29))
    at = (dbtime.now() + timedelta(days=2)).isoformat()

    now = run_json(capsys, "sweep", "--dry-run")
    later = run_json(capsys, "sweep", "--dry-run", "--at", at)

    assert [row["id"] for row in now["due"]] == [str(due.pk)]
    assert [row["id"] for row in later["due"]] == [str(due.pk), str(soon.pk)]
    assert set(Space.objects.values_list("state", flat=True)) == {"available"}


def test_sweep_deletes_due_spaces(alice: User, capsys: pytest.CaptureFixture[str]) -> None:
    due, other = make_space(alice), make_row(alice)
    Space.objects.filter(pk=due.pk).update(expires_at=dbtime.now())

    result = run_json(capsys, "sweep")

    assert result == {"deleted": [str(due.pk)], "failed": {}}
    assert not store().listing(keys.prefix(due.pk))
    assert Space.objects.get(pk=other.pk).state == "available"
