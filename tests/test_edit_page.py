"""The page on which a host edits a Space. Its forms work without JavaScript, and keep the typed text when refused."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from archive.models import Space, User
from tests.support.editing import make_talk, read_lines, read_people
from tests.support.html_forms import read_form
from tests.support.http_clients import make_client
from tests.support.log_entries import events
from tests.support.object_stores import UNREACHABLE, override_store
from tests.support.rows import reload_space, update_space

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def space(alice: User, bob: User) -> Space:
    return make_talk(alice, tom=bob)


@pytest.fixture
def host(alice: User) -> Client:
    return make_client(alice)


def url(space: Space, part: str = "") -> str:
    return f"/spaces/{space.pk}/edit/{part}"


def facts_form(host: Client, space: Space, **changes: str) -> dict[str, str]:
    return read_form(host.get(url(space)).content, url(space)) | {n.replace("_0_", "0-"): v for n, v in changes.items()}


def names_form(host: Client, space: Space, **names: str) -> dict[str, str]:
    form = read_form(host.get(url(space)).content, url(space, "speakers"))
    places = {old.lower(): field.partition("-")[2] for field, old in form.items() if field.startswith("speaker-")}
    return form | {f"name-{places[old]}": new for old, new in names.items()}


def problems(answer: Any) -> str:
    page: str = answer.content.decode()
    return page[page.index('role="alert"') :].partition("</div></div>")[0]


def test_the_page_of_the_space_leads_to_it(space: Space, host: Client, admin: User) -> None:
    link = f'href="/spaces/{space.pk}/edit/"'

    assert link in host.get(f"/spaces/{space.pk}/").content.decode()
    assert link not in make_client(admin).get(f"/spaces/{space.pk}/").content.decode()


def test_facts_and_participants_are_saved_together(space: Space, host: Client) -> None:
    start = (space.ended_at - timedelta(hours=1)).replace(microsecond=0)
    form = facts_form(host, space, title="Beans", listeners_peak="41", started_at=f"{start:%Y-%m-%dT%H:%M:%S}")

    answer = host.post(url(space), form | {"p1-name": "Tom Baker", "p2-role": "cohost", "p3-name": "Eve"})

    assert (answer.status_code, answer["Location"]) == (302, url(space))
    saved = reload_space(space)
    assert (saved.title, saved.listeners_peak, saved.listeners_total, saved.started_at) == ("Beans", 41, None, start)
    assert read_people(space) == [
        ("host", 1, "Nora", "alice"),
        ("cohost", 1, "Tom Baker", "bob"),
        ("cohost", 2, "Ida", ""),
        ("speaker", 1, "Eve", ""),
    ]
    assert [speaker for speaker, _ in read_lines(space.transcripts.last())] == ["Nora", "Tom Baker", "Nora", "Ida"]


def test_sending_the_form_unchanged_changes_nothing(space: Space, host: Client) -> None:
    start = (space.ended_at - timedelta(hours=1)).replace(microsecond=0)
    update_space(space, started_at=start, audience="invited", listeners_total=5)
    events_before = events(space)

    answer = host.post(url(space), facts_form(host, space), follow=True)

    assert "Nothing to save" in answer.content.decode()
    assert [event for event in events(space)[len(events_before) :] if event != "content.read"] == []


def test_the_start_is_in_the_zone_of_the_page(space: Space, host: Client) -> None:
    """The zone may become known, or change, after the page was loaded and before its form is sent."""
    update_space(space, ended_at=datetime(2026, 11, 25, 12, 0, tzinfo=UTC))
    host.cookies["zone"] = "Asia/Kolkata"
    page = host.get(url(space)).content
    form = read_form(page, url(space)) | {"started_at": "2026-11-25T10:30"}
    host.cookies["zone"] = "America/New_York"

    assert host.post(url(space), form).status_code == 302

    assert b"(your time, Asia/Kolkata)" in page
    assert reload_space(space).started_at == datetime(2026, 11, 25, 5, 0, tzinfo=UTC)
    assert read_form(host.get(url(space)).content, url(space))["started_at"] == "2026-11-25T00:00:00"


def test_an_ambiguous_start_stays_as_it_is(space: Space, host: Client) -> None:
    """01:30 occurs twice in that night; this is the second one."""
    start = datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    update_space(space, started_at=start, ended_at=datetime(2026, 11, 1, 12, 0, tzinfo=UTC))
    host.cookies["zone"] = "America/New_York"
    form = facts_form(host, space, title="Beans")

    host.post(url(space), form)

    assert form["started_at"] == "2026-11-01T01:30:00"
    assert (reload_space(space).title, reload_space(space).started_at) == ("Beans", start)


@pytest.mark.parametrize("hidden", [{"zone": "Mars/Olympus"}, {"saved_start": "x"}, {"zone": "", "saved_start": ""}])
def test_hidden_fields_of_the_start_that_somebody_changed(space: Space, host: Client, hidden: dict[str, str]) -> None:
    update_space(space, ended_at=datetime(2026, 11, 25, 12, 0, tzinfo=UTC))

    host.post(url(space), facts_form(host, space) | {"started_at": "2026-11-25T10:30"} | hidden)

    assert reload_space(space).started_at == datetime(2026, 11, 25, 10, 30, tzinfo=UTC)


def test_a_participant_is_removed(space: Space, host: Client) -> None:
    host.post(url(space), facts_form(host, space) | {"p2-remove": "on"})

    assert [name for _, _, name, _ in read_people(space)] == ["Nora", "Tom"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "x" * 301),
        ("listeners_peak", "many"),
        ("started_at", "yesterday"),
        ("started_at", "2200-01-01T00:00"),
        ("started_at", "0001-01-01T00:00"),
        ("language", "english!"),
        ("p1-name", "x" * 101),
        ("p1-account", "x" * 151),
    ],
)
def test_a_refused_form_comes_back_as_it_was_typed(space: Space, host: Client, field: str, value: str) -> None:
    form = facts_form(host, space) | {"p3-name": "Eve", "audience": "invited", field: value}

    answer = host.post(url(space), form)

    assert answer.status_code == 422
    assert problems(answer)
    again = read_form(answer.content, url(space))
    assert {name: again[name] for name in form if name in again and name != "csrfmiddlewaretoken"} == {
        name: value for name, value in form.items() if name != "csrfmiddlewaretoken"
    }
    assert reload_space(space).title == "Seeds"


def test_the_second_of_two_tabs_sees_both_and_can_save_again(space: Space, host: Client) -> None:
    mine = facts_form(host, space, title="Peas") | {"p2-name": "Ines"}
    host.post(url(space), facts_form(host, space, title="Beans", listeners_peak="41") | {"p3-name": "Eve"})

    refused = host.post(url(space), mine)

    assert refused.status_code == 409
    page = refused.content.decode()
    assert page.count("Saved in the meantime:") == 2
    again = read_form(refused.content, url(space))
    assert (again["title"], again["p2-name"], again["p3-name"]) == ("Peas", "Ines", "Eve")
    assert reload_space(space).title == "Beans"

    assert host.post(url(space), again).status_code == 302
    assert (reload_space(space).title, reload_space(space).listeners_peak) == ("Peas", None)
    assert [name for _, _, name, _ in read_people(space)] == ["Nora", "Tom", "Ines", "Eve"]


def test_speakers_are_renamed(space: Space, host: Client) -> None:
    answer = host.post(url(space, "speakers"), names_form(host, space, tom="Tom Baker"))

    assert answer["Location"] == f"{url(space)}#speakers"
    assert [speaker for speaker, _ in read_lines(space.transcripts.last())] == ["Nora", "Tom Baker", "Nora", "Ida"]
    assert read_people(space)[1] == ("cohost", 1, "Tom Baker", "bob")


def test_a_merge_that_gives_an_account_lines_is_confirmed_twice(space: Space, host: Client) -> None:
    form = names_form(host, space, ida="Tom")
    assert (
        "The account <bdi>bob</bdi>, if there is one, can download these lines."
        in host.get(url(space)).content.decode()
    )

    first = host.post(url(space, "speakers"), form)
    assert (first.status_code, "merge" in read_form(first.content, url(space, "speakers"))) == (409, False)
    assert 'id="speakers-merge"' in first.content.decode()
    assert 'id="facts-merge"' not in first.content.decode()

    again = read_form(first.content, url(space, "speakers")) | {"merge": "on"}
    second = host.post(url(space, "speakers"), again)
    assert (second.status_code, "Tom (account bob): 1 more" in problems(second)) == (422, True)
    assert read_form(second.content, url(space, "speakers"))["merge"] == "on"
    assert space.transcripts.count() == 1

    third = read_form(second.content, url(space, "speakers")) | {"give_lines": "on"}
    assert host.post(url(space, "speakers"), third).status_code == 302
    assert [speaker for speaker, _ in read_lines(space.transcripts.last())] == ["Nora", "Tom", "Nora", "Tom"]


def test_speakers_of_an_outdated_page_are_not_renamed(space: Space, host: Client) -> None:
    form = names_form(host, space, ida="Ines")
    host.post(url(space, "speakers"), names_form(host, space, tom="Thomas"))

    answer = host.post(url(space, "speakers"), form)

    assert answer.status_code == 409
    again = read_form(answer.content, url(space, "speakers"))
    assert (again["base"], [v for v in again.values() if v == "Ines"]) == ("2", ["Ines"])
    assert host.post(url(space, "speakers"), again).status_code == 302


def test_the_end_can_not_be_edited(space: Space, host: Client) -> None:
    page = host.get(url(space)).content.decode()
    assert "Nobody can change the end: the deadline counts from it." in page
    assert 'name="ended_at"' not in page

    host.post(url(space), facts_form(host, space) | {"ended_at": "2020-01-01T00:00:00Z"})

    assert reload_space(space).ended_at == space.ended_at


def test_too_many_edits_are_refused_and_nothing_is_lost(space: Space, host: Client, settings: Any) -> None:
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"edit": (1, 3600)}
    host.post(url(space), facts_form(host, space, title="Beans"))

    answer = host.post(url(space), facts_form(host, space, title="Peas"))

    assert answer.status_code == 429
    assert read_form(answer.content, url(space))["title"] == "Peas"


def test_a_store_that_does_not_answer_loses_nothing(space: Space, host: Client) -> None:
    form = names_form(host, space, ida="Ines")

    with override_store(**UNREACHABLE):
        answer = host.post(url(space, "speakers"), form)

    assert answer.status_code == 503
    assert "Ines" in read_form(answer.content, url(space, "speakers")).values()
    assert space.transcripts.count() == 1


def test_only_the_host_has_the_page(space: Space, bob: User, admin: User, auditor: User) -> None:
    for part, method in (("", "get"), ("", "post"), ("speakers", "post"), ("transcript/", "get")):
        for stranger in (bob, admin, auditor):
            answer: HttpResponse = getattr(make_client(stranger), method)(url(space, part))
            assert (part, method, stranger.username, answer.status_code) == (part, method, stranger.username, 404)
