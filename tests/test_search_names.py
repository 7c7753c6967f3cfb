"""Spaces are found by title, host, speakers and id, but not after their deadline, and not by strangers."""

from datetime import timedelta
from uuid import UUID

import pytest

from archive import dbtime, search
from archive.accounts.profile import update_profile
from archive.errors import Refused
from archive.intake.register import NewSpace, ParticipantSpec, register_space
from archive.log import Actor
from archive.models import Participant, Space, SpaceIndex, User
from archive.retention.purge import purge
from tests.support.deadlines import make_due
from tests.support.factory import make_row
from tests.support.http_clients import make_client
from tests.support.search_urls import search_url
from tests.support.transcripts import make_transcript

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def space(alice: User) -> Space:
    """A Space that was registered as uploads are."""
    new = NewSpace(
        host=alice,
        ended_at=dbtime.now() - timedelta(days=2),
        title="Café & Bücher: 夜のラジオ",
        participants=[ParticipantSpec(Participant.Role.SPEAKER, "Zoë Łukasiewicz")],
        host_name="Captain Beans",
    )
    return register_space(new, Actor.of(alice))


def found(reader: User, typed: str) -> list[Space]:
    spaces = Space.objects.listed_for(reader).kept()
    return list(search.find_spaces(spaces, typed, reader, ["ended_at"]).rows.order_by("ended_at"))


@pytest.mark.parametrize(
    "typed",
    [
        "cafe",
        "CAFÉ",
        "caf",
        "bucher",
        "cafe bücher",
        "zoe",
        "lukasiewicz cafe",
        "captain",
        "alice",
        "ラジオ",
        "-tea cafe",
    ],
)
def test_it_is_found_by_each_of_its_names(space: Space, admin: User, typed: str) -> None:
    assert found(space.host, typed) == [space]
    assert found(admin, typed) == [space]


@pytest.mark.parametrize("typed", ["afé", "tea", "cafe tea", "@1", "#", "cafe | tea", "!tea", "cafe:*"])
def test_it_is_not_found_by_others(space: Space, typed: str) -> None:
    SpaceIndex.objects.exclude(space=space).delete()

    if typed in ("#",):
        with pytest.raises(Refused) as refused:
            found(space.host, typed)
        assert refused.value.code == "search.no_word"
    else:
        assert found(space.host, typed) == ([space] if typed == "cafe:*" else [])


def test_it_is_found_by_the_beginning_of_its_id(alice: User, auditor: User) -> None:
    space = make_row(alice, id=UUID("2677709f-aaaa-4bbb-8ccc-0123456789ab"))
    make_row(alice, id=UUID("2677709e-aaaa-4bbb-8ccc-0123456789ab"))

    for typed in ("2677709f", "2677709F-AAAA", "2677709faaaa4b", "2677709f-aaaa-4bbb-8ccc-0123456789ab"):
        assert found(alice, typed) == [space], typed
        assert found(auditor, typed) == [space], typed
    for typed in ("2677709", "677709f0", "2677709f-aaaa-4bbb-8ccc-0123456789abc", "2677709fx"):
        assert found(alice, typed) == [], typed


def test_a_host_finds_only_their_own(alice: User, bob: User, admin: User) -> None:
    make_row(alice, title="beans of Alice")
    make_row(bob, title="beans of Bob")

    assert [str(space) for space in found(bob, "beans")] == ["beans of Bob"]
    assert len(found(admin, "beans")) == 2


def test_a_new_name_of_the_host_is_found(space: Space) -> None:
    update_profile(space.host, display_name="Ananda Müller", time_zone="", mailed_kinds=[])

    assert found(space.host, "muller") == [space]


def test_nothing_is_found_after_the_deadline_and_the_index_is_deleted(space: Space, admin: User) -> None:
    make_due(space)
    assert found(admin, "cafe") == []

    assert purge(space.pk)

    assert not SpaceIndex.objects.exists()
    search.index_spaces(space.pk)
    assert not SpaceIndex.objects.exists()


@pytest.mark.parametrize(
    ("typed", "code"), [("", "search.no_word"), ("?!", "search.no_word"), ("x" * 301, "search.too_long")]
)
def test_a_search_needs_a_word(alice: User, typed: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        found(alice, typed)

    assert refused.value.code == code


@pytest.mark.parametrize("title", ["", "x" * 300, "\ufdfa" * 300, "🫘", "' | '", "\\"])
def test_a_title_may_be_anything(alice: User, title: str) -> None:
    space = make_row(alice, title=title)

    assert SpaceIndex.objects.filter(space=space).exists()


def test_spaces_come_above_what_was_said(alice: User) -> None:
    named = make_row(alice, title="Beans for beginners", ended_ago=timedelta(days=1))
    spoken = make_row(alice, title="Radio", ended_ago=timedelta(days=2))
    make_transcript(spoken, ["A tin of beans."])

    answer = make_client(alice).get(search_url(alice, "beans"))

    assert [row.space for row in answer.context["named"]] == [named]
    assert [row["space"] for row in answer.context["rows"]] == [spoken]
    page = answer.content.decode()
    assert page.index('id="named"') < page.index('id="spoken"')


def test_an_auditor_finds_titles_and_no_spoken_words(alice: User, auditor: User) -> None:
    space = make_row(alice, title="Beans for beginners")
    make_transcript(space, ["A secret about beans."])

    answer = make_client(auditor).get(search_url(auditor, "beans"))

    assert [row.space for row in answer.context["named"]] == [space]
    assert "found" not in answer.context
    assert "secret" not in answer.content.decode()
    nothing = make_client(auditor).get(search_url(auditor, "secret"))
    assert (nothing.context["named"], "found" in nothing.context) == ([], False)


def test_more_than_a_few_spaces_are_in_the_list(alice: User) -> None:
    for n in range(6):
        make_row(alice, title=f"Beans {n}", ended_ago=timedelta(days=n + 1))
    client = make_client(alice)

    answer = client.get(search_url(alice, "beans"))

    assert [str(row.space) for row in answer.context["named"]] == [f"Beans {n}" for n in range(5)]
    assert len(client.get(answer.context["list_url"]).context["rows"]) == 6


@pytest.mark.parametrize("typed", ["f512b3fa", "F512B3FA-0000-4000-8000-000000000001"])
@pytest.mark.parametrize(("who", "page"), [("otto", "/log/spaces/"), ("ada", "/log/spaces/"), ("alice", "/spaces/")])
def test_a_deleted_id_leads_to_what_is_left(
    alice: User, admin: User, auditor: User, who: str, page: str, typed: str
) -> None:
    """This applies to everybody who may see the Space, in the search and under each filter; others learn nothing."""
    gone = make_row(alice, id=UUID("f512b3fa-0000-4000-8000-000000000001"), state="expiring")
    reader = User.objects.get(username=who)
    client = make_client(reader)

    found, listed = (client.get(search_url(reader, typed, path)) for path in ("/search/", "/"))

    assert found.context["deleted"].url == listed.context["list"].deleted.url == f"{page}{gone.pk}/"
    for answer in (found, listed):
        assert f'href="{page}{gone.pk}/"' in answer.content.decode()
        assert "No matches" not in answer.content.decode()
    assert {choice.code: choice.count for choice in listed.context["list"].filters} == {
        **dict.fromkeys(("all", "due", "flagged", "held", "appealed"), "0"),
        "deleted": "1",
    }


def test_strangers_learn_of_no_deleted_id(alice: User, bob: User) -> None:
    make_row(alice, id=UUID("f512b3fa-0000-4000-8000-000000000001"), state="expiring")
    found = make_client(bob).get(search_url(bob, "f512b3fa"))

    assert found.context["deleted"] is None
    assert "No matches" in found.content.decode()


def test_an_auditor_reads_that_an_id_is_unknown(auditor: User) -> None:
    page = make_client(auditor).get(search_url(auditor, "f512b3fa")).content.decode()

    assert "or in its id. No deleted Space has an id that begins with it." in page


def test_several_deleted_ids_lead_to_their_list(alice: User, auditor: User) -> None:
    for n in (1, 2):
        make_row(alice, id=UUID(f"f512b3fa-0000-4000-8000-00000000000{n}"), state="expiring")
    client = make_client(auditor)

    url = client.get(search_url(auditor, "f512b3fa")).context["deleted"].url

    assert len(client.get(url).context["rows"]) == 2
