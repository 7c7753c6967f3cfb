"""The deadlines page shows auditors what is due, overdue and on hold, and simulates policies. It shows no content."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command

from archive import dbtime
from archive.errors import make_problem
from archive.models import LogEntry, Space, User
from archive.moderation.violations import flag, lift
from archive.policy import RetentionPolicy
from archive.retention.simulate import simulate
from tests.support.factory import make_held, make_row
from tests.support.http_clients import make_client

pytestmark = pytest.mark.usefixtures("db")


def test_overdue_due_and_held_spaces_are_listed(alice: User, admin: User, auditor: User) -> None:
    on_time = make_row(alice, title="Narwhal", ended_ago=timedelta(days=30, minutes=10))
    late = make_row(alice, title="Okapi", ended_ago=timedelta(days=30, minutes=16))
    stuck = make_row(alice, ended_ago=timedelta(days=31), state="expiring", problem=make_problem("work.gave_up"))
    soon = make_row(alice, title="Quagga", ended_ago=timedelta(days=24))
    make_row(alice, ended_ago=timedelta(days=25), state="rejected", problem=make_problem("work.gave_up"))
    make_row(alice, ended_ago=timedelta(days=2))
    flag(soon.pk, "hate", "An axolotl.", admin)
    Space.objects.filter(pk=soon.pk).update(expires_at=dbtime.now() + timedelta(days=2))
    held = make_held(alice, title="Zebrafish", ended_ago=timedelta(days=99))
    flag(held.pk, "spam", "A pangolin.", admin)

    answer = make_client(auditor).get("/log/deadlines/")

    page = answer.content.decode()
    assert {row["id"] for row in answer.context["late"]} == {late.pk, stuck.pk}
    for space in (late, stuck, soon):
        assert f'ended </span><time datetime="{space.ended_at:%Y-%m-%dT%H:%M}' in page
    assert [(row["id"], row["reasons"], row["rules"]) for row in answer.context["soon"]] == [
        (soon.pk, ["30 days after the end", "flagged: 90 days longer"], ["Hateful conduct"])
    ]
    assert [(row["id"], row["rules"]) for row in answer.context["held"]] == [(held.pk, ["Spam or fraud"])]
    assert str(on_time.pk)[:8] not in page
    for word in ("Narwhal", "axolotl", "pangolin"):  # it is not overdue yet, and the reason of its flag quotes content
        assert word not in page
    for space in (late, soon, held):
        assert f'<a href="/spaces/{space.pk}/"><bdi>{space.title}</bdi></a>' in page
    assert "A court asked for it." in page


def test_a_page_without_overdue_spaces(alice: User, auditor: User) -> None:
    make_row(alice)

    assert "Nothing is overdue" in make_client(auditor).get("/log/deadlines/").content.decode()


@pytest.fixture
def shelf(alice: User, admin: User) -> dict[str, Space]:
    """Spaces that ended 10, 25 and 5 days ago, and flagged, lifted, held and overdue ones."""
    made = {f"{days} days": make_row(alice, ended_ago=timedelta(days=days)) for days in (10, 25, 5)}
    made["flagged"], made["lifted"] = (make_row(alice, ended_ago=timedelta(days=28)) for _ in "ab")
    flag(made["flagged"].pk, "spam", "Watches.", admin)
    flag(made["lifted"].pk, "spam", "Watches.", admin)
    lift(made["lifted"].pk, "In error.", admin)
    made["held"] = make_held(alice, ended_ago=timedelta(days=99))
    make_row(alice, ended_ago=timedelta(days=31))
    return made


def touched(shelf: dict[str, Space], rule: RetentionPolicy, batch: int = 2) -> dict[str, tuple[int, str]]:
    """Return {name: (whole days from the end to the new deadline, and the direction in which it moves)}."""
    names = {space.pk: name for name, space in shelf.items()}
    changes = {}
    for moved in simulate(rule, batch=batch):
        period = (moved.after - shelf[names[moved.id]].ended_at) // timedelta(days=1)
        changes[names[moved.id]] = (period, "at once" if moved.at_once else "later" if moved.longer else "earlier")
    return changes


def test_simulate_sixty_days(shelf: dict[str, Space]) -> None:
    assert touched(shelf, RetentionPolicy(retention_days=60)) == {
        "10 days": (60, "later"),
        "25 days": (60, "later"),
        "5 days": (60, "later"),
        "flagged": (150, "later"),
        "lifted": (60, "later"),
    }


def test_simulate_twenty_days(shelf: dict[str, Space]) -> None:
    assert touched(shelf, RetentionPolicy(retention_days=20)) == {
        "10 days": (20, "earlier"),
        "25 days": (20, "at once"),
        "5 days": (20, "earlier"),
        "flagged": (110, "earlier"),
    }


def test_simulating_the_current_policy_affects_nothing(shelf: dict[str, Space]) -> None:
    assert touched(shelf, RetentionPolicy()) == {}


def test_a_simulation_changes_nothing(
    shelf: dict[str, Space], auditor: User, capsys: pytest.CaptureFixture[str]
) -> None:
    before = list(Space.objects.order_by("pk").values()), LogEntry.objects.count()

    page = (
        make_client(auditor)
        .get("/log/deadlines/", {"retention_days": "20", "violation_extra_days": "90"})
        .content.decode()
    )
    call_command("simulate_policy", "--retention-days", "20", "--json")

    assert "3 deadlines would be earlier. 1 Space would be deleted at once." in page
    assert "1 Space on hold is not counted" in page
    document = json.loads(capsys.readouterr().out)
    assert (document["shorter"], document["due at once"], len(document["affected"])) == (3, 1, 4)
    assert (list(Space.objects.order_by("pk").values()), LogEntry.objects.count()) == before


def test_affected_spaces_have_titles_and_hosts(alice: User, auditor: User) -> None:
    space = make_row(alice, title="Narwhal <i>", ended_ago=timedelta(days=10))

    page = make_client(auditor).get("/log/deadlines/", {"retention_days": "20"}).content.decode()

    assert f'<a href="/spaces/{space.pk}/"><bdi>Narwhal &lt;i&gt;</bdi></a>' in page
    assert "of <bdi>Alice</bdi>" in page
    assert f'href="/log/spaces/{space.pk}/"' in page


def test_an_hour_that_clocks_add_is_explained(alice: User, auditor: User) -> None:
    """One deadline is in January, one in July; the policy moves one of them across the change of daylight saving
    time."""
    client, query = make_client(auditor), {"retention_days": "40"}
    for month in (1, 7):
        make_row(alice, expires_at=datetime(dbtime.now().year + 2, month, 9, 12, tzinfo=UTC))

    client.cookies["zone"] = "Europe/Berlin"
    assert client.get("/log/deadlines/", query).content.decode().count("Clocks change on ") == 1
    client.cookies["zone"] = "UTC"
    assert "Clocks change" not in client.get("/log/deadlines/", query).content.decode()


def test_the_command_prints_text(shelf: dict[str, Space], capsys: pytest.CaptureFixture[str]) -> None:
    call_command("simulate_policy", "--retention-days", "60")

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 6
    assert lines[-1] == "Nothing was changed. Deadlines would be: 5 longer."
    with pytest.raises(CommandError, match="That is no valid policy"):
        call_command("simulate_policy", "--retention-days", "0")


@pytest.mark.parametrize("typed", ["0", "-1", "x", "10001", "9" * 20, "\uff11"])
def test_an_invalid_policy_is_refused(auditor: User, typed: str) -> None:
    page = make_client(auditor).get("/log/deadlines/", {"retention_days": typed}).content.decode()

    assert "Enter whole days, from 1 to 10,000." in page
