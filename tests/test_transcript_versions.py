"""Each version of a transcript can be downloaded from the list of versions until the Space's deadline."""

import pytest
from django.test import Client

from archive import dbtime
from archive.models import Space, User
from tests.support.editing import make_talk
from tests.support.http_clients import make_client
from tests.support.log_entries import events
from tests.support.rows import update_space
from tests.support.transcripts import make_transcript

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def space(alice: User) -> Space:
    space = make_talk(alice)
    make_transcript(space, [("Nora", "Broad beans.")], number=2)
    return space


@pytest.fixture
def host(alice: User) -> Client:
    return make_client(alice)


def url(space: Space, version: str) -> str:
    return f"/spaces/{space.pk}/transcript.vtt?version={version}"


def test_the_list_leads_to_each_version(space: Space, host: Client) -> None:
    page = host.get(f"/spaces/{space.pk}/edit/").content.decode()

    assert [f'href="{url(space, version)}"' in page for version in "123"] == [True, True, False]


def test_a_version_is_downloaded(space: Space, host: Client) -> None:
    older, newer = host.get(url(space, "1")), host.get(url(space, "2"))

    assert ("And peas." in older.content.decode(), "Broad beans." in older.content.decode()) == (True, False)
    assert ("And peas." in newer.content.decode(), "Broad beans." in newer.content.decode()) == (False, True)
    assert f"Seeds-{space.ended_at:%Y-%m-%d}-version-1.en.vtt" in older["Content-Disposition"]


def test_several_downloads_of_an_hour_are_one_entry(space: Space, host: Client) -> None:
    for version in "121":
        host.get(url(space, version))

    assert [event for event in events(space) if event.startswith("content.")] == ["content.downloaded"]


@pytest.mark.parametrize("version", ["0", "3", "-1", "x", "1.0", "\u0661", "99999999999999999999"])
def test_what_is_no_version_is_not_found(space: Space, host: Client, version: str) -> None:
    assert host.get(url(space, version)).status_code == 404


def test_other_people_find_none(space: Space, bob: User, auditor: User) -> None:
    assert [make_client(user).get(url(space, "1")).status_code for user in (bob, auditor)] == [404, 404]


def test_after_the_deadline_there_is_none(space: Space, host: Client) -> None:
    update_space(space, expires_at=dbtime.now())

    assert host.get(url(space, "1")).status_code == 410
