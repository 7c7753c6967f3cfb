"""Filters of the log's page can be combined, and are all in the URL. An invalid one shows no entries."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils.html import escape

from archive import content_access, log
from archive.accounts.roles import grant_role, revoke_role
from archive.audit.find import count_entries
from archive.audit.log_filter import LogFilter
from archive.log import OPERATOR, SYSTEM, Actor, events
from archive.log.events import EVENTS
from archive.log.groups import GROUPS, Choice
from archive.models import ContentAccess, LogEntry, Space, User
from archive.moderation.violations import flag
from tests.support.factory import make_row, make_user
from tests.support.http_clients import make_client

pytestmark = pytest.mark.usefixtures("db")

SPACE = UUID("f512b3fa-0000-4000-8000-000000000001")
OTHER = UUID("f512b3fb-0000-4000-8000-000000000002")


def shown(auditor: User, **query: Any) -> list[tuple[str, str]]:
    """Return (event, actor) of the shown entries, newest first."""
    answer = make_client(auditor).get("/log/", query)
    assert answer.context["problems"] == []
    return [(line.event, line.actor) for line in answer.context["entries"]]


def write(event: str, actor: Actor = SYSTEM, space_id: UUID | None = None, **detail: object) -> LogEntry:
    return log.record(event, space_id=space_id, actor=actor, **detail)


@pytest.fixture
def played(alice: User, admin: User) -> Space:
    """A Space that its host and an admin played and downloaded."""
    space = make_row(alice, id=SPACE)
    for user in (alice, admin):
        for kind in (ContentAccess.Kind.PLAYED, ContentAccess.Kind.DOWNLOADED):
            content_access.record_access(kind, [space], user)
    return space


def test_played_by_anyone_has_admins_too(played: Space, auditor: User) -> None:
    assert shown(auditor, event="played") == [("content.accessed_by_admin", "ada"), ("content.played", "alice")]
    assert shown(auditor, event="downloaded") == [("content.accessed_by_admin", "ada"), ("content.downloaded", "alice")]
    assert shown(auditor, event=["played", "content.downloaded"]) == [
        ("content.accessed_by_admin", "ada"),
        ("content.downloaded", "alice"),
        ("content.played", "alice"),
    ]


def test_every_event_is_in_a_group() -> None:
    grouped = {choice.event for group in GROUPS.values() for choice in group.choices}

    assert set(EVENTS) == grouped
    assert Choice("space.deleted") in GROUPS["deletions"].choices


def test_without_filters_decisions_and_deletions_are_shown(played: Space, admin: User, auditor: User) -> None:
    flag(played.pk, "spam", "Watches.", admin)
    write(events.SPACE_DELETED, space_id=OTHER, removed=[], listed_empty_at=None)

    assert [event for event, _ in shown(auditor)] == ["space.deleted", "deadline.moved", "violation.flagged"]
    assert len(shown(auditor, event="all")) == 7
    assert len(shown(auditor, space="f512b3fa")) == 6  # with another filter, every match


def test_a_space_is_found_by_four_characters_on(played: Space, auditor: User) -> None:
    write(events.BUNDLE_REQUESTED, space_id=OTHER)
    client = make_client(auditor)

    assert len(shown(auditor, space="f512")) == 5
    assert len(shown(auditor, space="F512B3F")) == 5
    assert len(shown(auditor, space="f512b3fb")) == 1
    assert shown(auditor, space="f513") == []
    assert client.get("/log/", {"space": "f51"}).context["problems"][0].startswith("“f51” is not a Space id")


def test_a_person_is_found_by_each_name_and_number(played: Space, alice: User, auditor: User) -> None:
    for name in ("alice", "ALICE", "Alice", f"#{alice.pk}"):
        assert [actor for _, actor in shown(auditor, who=name)] == ["alice", "alice"]
    assert shown(auditor, who="alice", event="decisions") == []


def test_a_command_for_a_person_is_theirs(alice: User, auditor: User) -> None:
    write(events.BUNDLE_REQUESTED, Actor("command", alice.pk))

    assert [event for event, _ in shown(auditor, who="alice")] == ["bundle.requested"]


def test_the_role_of_an_admin_counts_after_it_was_revoked(played: Space, admin: User, auditor: User) -> None:
    bea = make_user("bea")
    grant_role(bea.pk, "admins", None)
    content_access.record_access(ContentAccess.Kind.READ, [played], User.objects.get(pk=bea.pk))
    revoke_role(bea.pk, "admins", None)

    assert [actor for _, actor in shown(auditor, role="admins", event=["played", "read"])] == ["bea", "ada"]
    assert shown(auditor, role="admins", who="alice") == []


def test_the_page_says_what_is_chosen_and_what_a_command_is(alice: User, auditor: User) -> None:
    write(events.BUNDLE_REQUESTED, Actor("command", alice.pk))
    write(events.BUNDLE_READY, size=1)
    client, legend = make_client(auditor), "“(command)” is an action on the server"

    everything = client.get("/log/", {"event": ["all", "played"]})
    assert everything.context["chosen"] == ["all"]
    assert "What happened: everything" in everything.content.decode()
    assert legend in everything.content.decode()
    many = client.get("/log/", {"event": ["played", "read", "found", "bundle.ready", "bundle.failed"]})
    words = "What happened: Played, by anyone; Transcript read, by anyone; Found by a search, by anyone; 2 more"
    assert words in many.content.decode()
    assert legend not in many.content.decode()


def test_what_no_person_did_is_found_by_its_role(auditor: User) -> None:
    write(events.SPACE_DELETED, space_id=SPACE, removed=[], listed_empty_at=None)
    write(events.ACCOUNT_CLOSED, OPERATOR, account=1)

    assert shown(auditor, role="system") == [("space.deleted", "Spacekeep")]
    assert shown(auditor, role="command") == [("account.closed", "operator (command)")]


def test_a_host_and_a_rule_narrow_it_down(alice: User, bob: User, admin: User, auditor: User) -> None:
    flag(make_row(alice).pk, "spam", "Watches.", admin)
    flag(make_row(bob).pk, "hate", "Words.", admin)
    flag(make_row(bob).pk, "spam", "Watches.", admin)

    assert [event for event, _ in shown(auditor, host="alice")] == ["deadline.moved", "violation.flagged"]
    assert len(shown(auditor, host="bob", event="violation.flagged")) == 2
    assert shown(auditor, rule="hate") == [("violation.flagged", "ada")]
    assert len(shown(auditor, rule="spam", host="bob")) == 1


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ({"event": "space.vanished"}, "The log knows no event “space.vanished”."),
        ({"space": "xyz"}, "“xyz” is not a Space id"),
        ({"who": "stranger"}, "There is no account “stranger”."),
        ({"host": "#99999999999999999999"}, "There is no account “#99999999999999999999”."),
        ({"role": "kings"}, "There is no role “kings”."),
        ({"rule": "no/rule"}, "There is no rule “no/rule”."),
        ({"rule": "unknown"}, "There is no rule “unknown”."),
        ({"since": "2026-13-01"}, "“2026-13-01” is not a day"),
        ({"since": "2026-11-03", "until": "2026-11-02"}, "“From” is later than “To”."),
    ],
)
def test_a_wrong_filter_shows_an_error_and_no_entries(
    played: Space, auditor: User, query: dict[str, str], problem: str
) -> None:
    answer = make_client(auditor).get("/log/", query)

    assert answer.context["problems"][0].startswith(problem)
    assert "entries" not in answer.context
    assert "<table" not in answer.content.decode()


def test_a_day_is_whole(auditor: User) -> None:
    write(events.SPACE_DELETED, space_id=SPACE, removed=[], listed_empty_at=None)
    day = LogEntry.objects.get().at

    assert len(shown(auditor, since=f"{day:%Y-%m-%d}", until=f"{day:%Y-%m-%d}")) == 1
    assert shown(auditor, since=f"{day + timedelta(days=1):%Y-%m-%d}") == []
    assert shown(auditor, until=f"{day - timedelta(days=1):%Y-%m-%d}") == []


def test_the_way_to_older_entries_leads_back(auditor: User) -> None:
    numbers = [write(events.SPACE_DELETED, space_id=SPACE, removed=[], listed_empty_at=None).pk for _ in range(230)]
    numbers.reverse()
    client = make_client(auditor)
    pages: list[list[int]] = []
    url: Any = "?event=deletions"
    for _ in range(3):
        answer = client.get(f"/log/{url}")
        pages.append([line.number for line in answer.context["entries"]])
        url = answer.context["older_url"]

    assert pages == [numbers[:100], numbers[100:200], numbers[200:]]
    assert url is None
    second = client.get(f"/log/{answer.context['newer_url']}")
    assert [line.number for line in second.context["entries"]] == pages[1]
    first = client.get(f"/log/{second.context['newer_url']}")
    assert [line.number for line in first.context["entries"]] == pages[0]
    assert first.context["newer_url"] is None
    assert "230 entries" in first.content.decode()
    # From the middle of a page, going back ends with the complete first page.
    middle = client.get(f"/log/?event=deletions&before={numbers[40]}")
    assert [line.number for line in middle.context["entries"]] == pages[0]


def test_the_number_of_entries_is_counted_up_to_a_limit(auditor: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(4):
        write(events.SPACE_DELETED, space_id=SPACE, removed=[], listed_empty_at=None)

    monkeypatch.setattr("archive.audit.find.MAX_COUNTED", 3)
    monkeypatch.setattr("portal.views.log.MAX_COUNTED", 3)

    assert count_entries(LogFilter()) == 4
    assert "More than 3 entries" in make_client(auditor).get("/log/").content.decode()


def problems(auditor: User, **query: str) -> list[str]:
    answer = make_client(auditor).get("/log/", query)
    assert ("entries" in answer.context) != bool(answer.context["problems"])
    page = answer.content.decode()
    assert all(str(escape(problem)) in page for problem in answer.context["problems"])
    return list(answer.context["problems"])


def test_too_many_spaces_are_refused_with_the_way_out(
    alice: User, bob: User, auditor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive.audit.find.MAX_SPACES", 2)
    for number in (1, 2, 3):
        space = make_row(alice, id=UUID(f"f512b3f{number}-0000-4000-8000-000000000001"))
        write(events.BUNDLE_REQUESTED, space_id=space.pk)
    write(events.BUNDLE_REQUESTED, space_id=make_row(bob).pk)

    too_many, of_host = problems(auditor, space="f512b3f"), problems(auditor, host="alice")

    assert too_many == [
        "The ids of more than 2 Spaces begin with this. Enter more of the id. Nothing is shown until you do."
    ]
    assert of_host == [
        "This host has more than 2 Spaces, too many to search. Add the first characters of the id of a "
        "Space. Nothing is shown until you do."
    ]
    assert len(shown(auditor, space="f512b3f2")) == 1
    assert len(shown(auditor, host="alice", space="f512b3f2")) == 1
    assert len(shown(auditor, host="bob", space="f512b3f")) == 0
    assert len(shown(auditor, host="bob")) == 1


def test_the_filter_of_a_rule_says_what_it_leaves_out(alice: User, admin: User, auditor: User) -> None:
    space = make_row(alice)
    flag(space.pk, "spam", "Watches.", admin)
    note = "Only entries that name this rule are shown"

    assert note in make_client(auditor).get("/log/", {"rule": "spam"}).content.decode()
    assert note not in make_client(auditor).get("/log/", {"space": str(space.pk)}).content.decode()
    assert note not in make_client(auditor).get("/log/", {"rule": "unknown"}).content.decode()
