"""The main pages: lists of Spaces, deadlines, and the log, also with hostile titles."""

from datetime import timedelta
from typing import Any

import pytest

from archive import dbtime
from archive.models import LogEntry, Space, User
from archive.moderation.violations import flag
from archive.retention.purge import purge
from portal.presenters.clock import clock_face
from tests.support.factory import make_contents, make_row
from tests.support.http_clients import make_client

pytestmark = pytest.mark.usefixtures("db")


def listed(user: User, which: str) -> list[str]:
    return [str(row.space) for row in make_client(user).get("/", {"filter": which}).context["rows"]]


@pytest.fixture
def shelf(db: None, alice: User, bob: User, admin: User) -> None:
    """Alice's Spaces in each state, and one of Bob's."""
    make_row(alice, title="calm", ended_ago=timedelta(days=2))
    make_row(alice, title="soon", ended_ago=timedelta(days=26))
    flag(make_row(alice, title="flagged", ended_ago=timedelta(days=25)).id, "spam", "Watches.", admin)
    make_row(alice, title="overdue", ended_ago=timedelta(days=31))
    make_row(alice, title="going", ended_ago=timedelta(days=32), state="expiring")
    make_row(bob, title="bob's", ended_ago=timedelta(days=10))


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize(
    ("which", "titles"),
    [
        ("all", ["soon", "calm", "flagged"]),
        ("due", ["soon"]),
        ("flagged", ["flagged"]),
        ("deleted", ["overdue", "going"]),
        ("nonsense", []),
    ],
)
def test_a_host_lists_their_spaces_by_deadline(alice: User, which: str, titles: list[str]) -> None:
    assert listed(alice, which) == titles


@pytest.mark.usefixtures("shelf")
def test_an_auditor_lists_all_spaces(auditor: User) -> None:
    assert listed(auditor, "all") == ["soon", "bob's", "calm", "flagged"]


@pytest.mark.parametrize(
    ("left", "tone", "words"),
    [
        (timedelta(days=24), "calm", "24 days left"),
        (timedelta(days=6), "soon", "6 days left"),
        (timedelta(hours=23), "urgent", "23 hours left"),
        (timedelta(seconds=90), "urgent", "1 minute left"),
        (timedelta(seconds=5), "urgent", "less than a minute left"),
        (timedelta(0), "gone", "Being deleted"),
    ],
)
def test_a_deadline_in_words(alice: User, left: timedelta, tone: str, words: str) -> None:
    now = dbtime.now()
    space = make_row(alice, ended_at=now + left - timedelta(days=30))

    face = clock_face(space, now)

    assert (face.tone, face.label) == (tone, words)


def test_the_deadline_of_a_flagged_space_says_why(alice: User, admin: User) -> None:
    space = make_row(alice, ended_ago=timedelta(days=2))
    flag(space.id, "spam", "Watches.", admin)

    page = make_client(alice).get(f"/spaces/{space.id}/").content.decode()

    assert "117 days left" in page
    assert "It was flagged for breaking a rule, so it is kept 90 days longer: 120 days in all." in page
    assert "Watches." in page


NASTY = '<script>alert(1)</script> & "quotes" \'n {{ braces }}'


@pytest.mark.parametrize("place", ["/", "/spaces/{}/", "/log/", "/log/spaces/{}/"])
def test_a_title_is_text_and_nothing_else(admin: User, alice: User, place: str) -> None:
    User.objects.filter(pk=alice.pk).update(first_name=NASTY)
    space = make_row(alice, title=NASTY)
    make_contents(space)
    flag(space.id, "spam", NASTY, admin)

    answer = make_client(admin).get(place.format(space.id))

    assert answer.status_code == 200
    assert "<script>alert" not in answer.content.decode()
    if place != "/log/":  # it shows ids instead of titles
        assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;quotes&quot;" in answer.content.decode()


@pytest.fixture
def log(db: None, alice: User, admin: User) -> Any:
    """The log of two Spaces: one flagged, one deleted."""
    available, gone = make_row(alice), make_row(alice, ended_ago=timedelta(days=31))
    flag(available.id, "spam", "Watches.", admin)
    make_contents(gone)
    assert purge(gone.id)
    return available, gone


def entries(user: User, **query: str) -> list[str]:
    return [entry.event for entry in make_client(user).get("/log/", query).context["entries"]]


def test_the_log_and_its_filters(auditor: User, log: tuple[Space, Space]) -> None:
    remaining, gone = log
    today = f"{dbtime.now():%Y-%m-%d}"

    assert entries(auditor, event="all") == [
        "space.deleted",
        "deletion.inventoried",
        "bundle.removed",
        "deletion.started",
        "deadline.moved",
        "violation.flagged",
    ]
    assert entries(auditor, event="deadline.moved") == ["deadline.moved"]
    assert entries(auditor, space=str(remaining.id)) == ["deadline.moved", "violation.flagged"]
    assert entries(auditor, space=str(remaining.id)[:8]) == ["deadline.moved", "violation.flagged"]
    assert entries(auditor, space=remaining.id.hex[:12]) == ["deadline.moved", "violation.flagged"]
    assert entries(auditor, space=str(gone.id), event="deadline.moved") == []
    assert len(entries(auditor, event="all", since=today, until=today)) == 6
    assert entries(auditor, since="2020-01-01", until="2020-12-31") == []


def test_the_history_of_a_deleted_space(auditor: User, log: tuple[Space, Space]) -> None:
    gone = log[1]

    page = make_client(auditor).get(f"/log/spaces/{gone.id}/").content.decode()

    removed = LogEntry.objects.get(space_id=gone.id, event="space.deleted").detail["removed"]
    assert len(removed) == 3
    for row in removed:
        assert row["key"] in page
    assert "A row" not in page
    assert make_client(auditor).get(f"/spaces/{gone.id}/").status_code == 410
