"""Speakers can download their own lines, and no others."""

from typing import Any

import pytest
from django.http import HttpResponse

from archive import dbtime
from archive.models import LogEntry, Participant, Space, User
from archive.retention.purge import purge
from tests.support.factory import make_row
from tests.support.http_clients import make_client
from tests.support.search_urls import search_url
from tests.support.transcripts import make_transcript

pytestmark = pytest.mark.usefixtures("db")

SAID = [("Nora", "Welcome."), ("Ida", "Thank you."), ("nora ", "Who is next?"), ("IDA", "A <tin> & beans.")]
TEXT = "[00:00:01] Ida: Thank you.\n[00:00:03] IDA: A <tin> & beans.\n"


@pytest.fixture
def space(alice: User, bob: User) -> Space:
    """A Space hosted by Alice as Nora; Bob spoke as Ida; Felix has no account."""
    space = make_row(alice, title="Seeds")
    for role, seat, name, user in [
        ("host", 1, "Nora", alice),
        ("speaker", 1, "Ida", bob),
        ("speaker", 2, "Felix", None),
    ]:
        Participant.objects.create(space=space, role=role, seat=seat, name=name, user=user)
    make_transcript(space, SAID)
    return space


def words(user: User, space: Space, ending: str = "txt") -> HttpResponse:
    answer: Any = make_client(user).get(f"/spaces/{space.id}/my-lines.{ending}")
    return answer  # type: ignore[no-any-return]


def listed(user: User) -> list[tuple[str, int, str]]:
    rows = make_client(user).get("/my-lines/").context["rows"]
    return [(str(row["space"]), row["own"].lines, row["own"].problem_text) for row in rows]


def rename(space: Space, old: str, new: str) -> None:
    assert Participant.objects.filter(space=space, name=old).update(name=new)


def test_as_text(space: Space, bob: User) -> None:
    answer = words(bob, space)

    assert answer.content.decode() == TEXT
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert f'filename="Seeds-{space.ended_at:%Y-%m-%d}.my-words.en.txt"' in answer["Content-Disposition"]


def test_as_webvtt(space: Space, bob: User) -> None:
    text = words(bob, space, "vtt").content.decode()

    assert text.startswith("WEBVTT\n")
    assert "00:00:03.000 --> 00:00:03.900\n<v IDA>A &lt;tin&gt; &amp; beans." in text
    assert "Welcome" not in text


def test_a_host_who_is_a_speaker(space: Space, alice: User) -> None:
    assert words(alice, space).content.decode() == "[00:00:00] Nora: Welcome.\n[00:00:02] nora : Who is next?\n"


def test_downloads_are_logged(space: Space, bob: User) -> None:
    words(bob, space)

    entry = LogEntry.objects.get(space_id=space.id, event="content.downloaded")
    assert (entry.actor_id, entry.detail["own_lines"]) == (bob.pk, 2)
    assert "Ida" not in str(entry.detail)


@pytest.mark.parametrize("ending", ["srt", "json", "TXT", "exe"])
def test_unknown_formats_are_404(space: Space, bob: User, ending: str) -> None:
    assert words(bob, space, ending).status_code == 404


def test_strangers_learn_nothing(space: Space, bob: User, admin: User, auditor: User) -> None:
    charlie = User.objects.create(username="charlie")
    other = make_row(charlie)

    assert [words(user, space).status_code for user in (charlie, admin, auditor)] == [404, 404, 404]
    assert words(bob, other).status_code == 404
    assert make_client().get(f"/spaces/{space.id}/my-lines.txt").status_code == 302


def test_a_speaker_gets_nothing_else_of_the_space(space: Space, bob: User) -> None:
    client = make_client(bob)

    for rest in ("", "audio", "recording", "transcript.txt", "bundle"):
        assert client.get(f"/spaces/{space.id}/{rest}").status_code == 404
    assert client.get(search_url(bob, "beans")).context["rows"] == []
    page = client.get("/my-lines/").content.decode()
    assert "Seeds" in page
    assert "2 lines of yours" in page
    assert not [name for name in ("Nora", "Felix", "Alice") if name in page]


def test_own_lines_end_with_the_space(space: Space, bob: User, alice: User) -> None:
    Space.objects.filter(pk=space.pk).update(expires_at=dbtime.now())

    assert [words(user, space).status_code for user in (bob, alice)] == [410, 410]
    assert listed(bob) == []

    assert purge(space.pk)
    assert [words(user, space).status_code for user in (bob, alice)] == [404, 410]  # speakers' names are erased


@pytest.mark.parametrize("state", ["receiving", "processing", "expiring"])
def test_own_lines_need_an_available_space(space: Space, bob: User, state: str) -> None:
    Space.objects.filter(pk=space.pk).update(state=state)

    assert words(bob, space).status_code == (410 if state == "expiring" else 404)
    assert listed(bob) == []


def test_a_post_is_405(space: Space, bob: User) -> None:
    assert make_client(bob).post(f"/spaces/{space.id}/my-lines.txt").status_code == 405
    assert make_client(bob).post("/my-lines/").status_code == 405


@pytest.mark.parametrize("name", ["Ida", " ida", "IDA", "Ida  "])
def test_an_ambiguous_name_gets_no_lines(space: Space, bob: User, name: str) -> None:
    rename(space, "Felix", name)

    assert words(bob, space).status_code == 404
    ((_, lines, problem),) = listed(bob)
    assert lines == 0
    assert "Two people in this Space have the name Ida" in problem


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        (["Welcome.", "Thank you."], "has no speaker names"),
        ([("Nora", "Welcome.")], "No line of the transcript has your name"),
        (None, "This Space has no transcript"),
    ],
)
def test_an_empty_page_says_why(space: Space, bob: User, message: Any, problem: str) -> None:
    if message is None:
        space.transcripts.all().delete()
    else:
        make_transcript(space, message, number=2)  # the newest version counts, as on the Space's page

    assert words(bob, space).status_code == 404
    ((_, lines, problem_text),) = listed(bob)
    assert lines == 0
    assert problem in problem_text


@pytest.mark.parametrize(
    ("participant", "speaker"), [("Zoë", "Zoe\u0308"), ("Ida  Maria", "ida maria"), ("STRASSE", "Straße")]
)
def test_spellings_of_a_name_are_normalized(space: Space, bob: User, participant: str, speaker: str) -> None:
    rename(space, "Ida", participant)
    make_transcript(space, [(speaker, "Hello."), ("Nora", "Hello.")], number=2)

    assert words(bob, space).content.decode() == f"[00:00:00] {speaker}: Hello.\n"


def test_the_link_in_the_header(space: Space, alice: User, bob: User) -> None:
    charlie = User.objects.create(username="charlie")

    assert 'href="/my-lines/"' in make_client(bob).get("/").content.decode()
    assert 'href="/my-lines/"' not in make_client(charlie).get("/").content.decode()
    assert "No lines of yours" in make_client(charlie).get("/my-lines/").content.decode()
