"""The host links accounts to speakers."""

import re
from typing import Any

import pytest

from archive import dbtime
from archive.models import LogEntry, Participant, Space, User
from tests.support.factory import make_row
from tests.support.http_clients import make_client
from tests.support.log_entries import events
from tests.support.transcripts import make_transcript

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def space(alice: User) -> Space:
    space = make_row(alice)
    Participant.objects.create(space=space, role="speaker", seat=1, name="Ida")
    Participant.objects.create(space=space, role="speaker", seat=2, name="Felix")
    make_transcript(space, [("Ida", "Hello.")])
    return space


def person(space: Space, name: str = "Ida") -> Participant:
    return Participant.objects.select_related("user").get(space=space, name=name)


def link(by: User, space: Space, account: str, name: str = "Ida") -> Any:
    return make_client(by).post(
        f"/spaces/{space.id}/participants/{person(space, name).pk}/account", {"account": account}
    )


def test_only_a_linked_account_gets_its_lines(space: Space, alice: User, bob: User) -> None:
    answer = link(alice, space, " bob ")

    assert (answer.status_code, answer["Location"]) == (302, f"/spaces/{space.id}/#accounts")
    assert make_client(bob).get(f"/spaces/{space.id}/my-lines.txt").status_code == 200
    assert "Unlink" in make_client(alice).get(f"/spaces/{space.id}/").content.decode()

    link(alice, space, "")
    assert make_client(bob).get(f"/spaces/{space.id}/my-lines.txt").status_code == 404
    assert events(space) == ["participant.linked", "content.downloaded", "content.read", "participant.unlinked"]
    entry = LogEntry.objects.get(event="participant.linked")
    assert entry.detail == {"participant": person(space).pk, "account": bob.pk}


def test_linking_twice_logs_one_entry(space: Space, admin: User, bob: User) -> None:
    link(admin, space, "bob")
    link(admin, space, "bob")

    assert person(space).user == bob
    assert events(space) == ["participant.linked"]


@pytest.mark.parametrize("account", ["nobody", "BOB", "bob\x00", "gone"])
def test_no_answer_tells_which_accounts_exist(space: Space, alice: User, bob: User, account: str) -> None:
    """An inactive account and an unknown name look like one that was linked."""
    User.objects.create(username="gone", is_active=False)

    def answers(name: str) -> tuple[int, str, str]:
        answer = link(alice, space, name)
        page = make_client(alice).get(f"/spaces/{space.id}/").content.decode()
        shown = name.replace("\x00", "\ufffd")
        fold = page[page.index('class="fold accounts') :]
        return answer.status_code, answer["Location"], fold[: fold.index("</details>")].replace(shown, "NAME")

    linked, unlinked = answers("bob"), answers(account)

    without_tokens = [re.sub(r'value="\w{64}"', "", text) for _, _, text in (linked, unlinked)]
    assert linked[:2] == unlinked[:2] == (302, f"/spaces/{space.id}/#accounts")
    assert without_tokens[0] == without_tokens[1]
    assert person(space).user is None
    changes = [event for event in events(space) if event.startswith("participant.")]
    assert changes == ["participant.linked", "participant.unlinked"]


def test_a_user_name_that_is_too_long_is_refused(space: Space, alice: User) -> None:
    answer = link(alice, space, "x" * 151)

    assert (answer.status_code, "at most 150 characters" in answer.content.decode()) == (422, True)
    assert person(space).account == ""


def test_an_account_is_linked_to_one_speaker(space: Space, alice: User, bob: User) -> None:
    link(alice, space, "bob")

    answer = link(alice, space, "bob", "Felix")

    assert answer.status_code == 422
    assert "You gave this user name to Ida already." in answer.content.decode()
    assert person(space, "Felix").user is None


def test_only_the_host_and_admins(space: Space, bob: User, admin: User, auditor: User) -> None:
    assert [link(user, space, "bob").status_code for user in (bob, auditor)] == [404, 404]
    assert person(space).user is None
    assert link(admin, space, "bob").status_code == 302
    assert "Accounts of those who spoke" not in make_client(auditor).get(f"/spaces/{space.id}/").content.decode()


def test_a_participant_of_another_space(space: Space, alice: User, bob: User) -> None:
    other = Participant.objects.create(space=make_row(bob), role="host", seat=1, name="Bob")

    answer = make_client(alice).post(f"/spaces/{space.id}/participants/{other.pk}/account", {"account": "bob"})

    assert answer.status_code == 404
    other.refresh_from_db()
    assert other.user is None


def test_no_linking_after_the_deadline(space: Space, alice: User, bob: User) -> None:
    Space.objects.filter(pk=space.pk).update(expires_at=dbtime.now())

    assert link(alice, space, "bob").status_code == 410
    assert person(space).user is None


def test_a_get_changes_nothing(space: Space, alice: User) -> None:
    answer = make_client(alice).get(f"/spaces/{space.id}/participants/{person(space).pk}/account")

    assert (answer.status_code, answer["Allow"]) == (405, "POST")
