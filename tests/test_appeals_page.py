"""Flag, appeal and decision on the pages of the host, the deciding admin and an auditor."""

import re
from datetime import timedelta

import pytest

from archive import dbtime
from archive.models import Space, User, Violation
from archive.moderation import holds
from archive.moderation.evidence import Lines
from archive.moderation.violations import flag
from archive.retention.purge import purge
from tests.support.deadlines import make_due, retention_period
from tests.support.factory import make_row
from tests.support.http_clients import make_client
from tests.support.playable_spaces import make_playable_space

pytestmark = pytest.mark.usefixtures("db")
LINE = "Seeds want to be seeds: a SEED that is not sown is a snack."


@pytest.fixture
def space(alice: User) -> Space:
    return make_playable_space(alice)


@pytest.fixture
def violation(space: Space, admin: User) -> Violation:
    return flag(space.pk, "spam", "They sold seeds.", admin, Lines(1, (5,)))


def text(user: User, url: str) -> str:
    """Return the text of the page in one line."""
    page = make_client(user).get(url).content.decode().split("<main", 1)[1]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))


def test_the_host_sees_what_was_flagged_and_until_when(space: Space, violation: Violation, alice: User) -> None:
    space.refresh_from_db()
    assert space.expires_at is not None
    last = space.expires_at - timedelta(days=14)

    page = text(alice, f"/spaces/{space.pk}/")

    assert "Flagged for Spam or fraud" in page
    assert "They sold seeds." in page
    assert page.count(LINE) == 2  # as evidence, and in the transcript
    assert f"You can appeal until {last.day} {last:%B %Y}, {last:%H:%M} UTC." in page
    assert f"nothing changes: the Space will be deleted on {space.expires_at.day} {space.expires_at:%B %Y}" in page
    granted = max(space.ended_at + timedelta(days=30), dbtime.now() + timedelta(days=7))
    assert f"the Space will be deleted earlier: on {granted.day} {granted:%B %Y}" in page


def test_the_host_appeals_and_reads_the_decision(
    space: Space, violation: Violation, alice: User, second_admin: User
) -> None:
    url = f"/spaces/{space.pk}/violations/{violation.pk}/appeal"

    answer = make_client(alice).post(url, {"statement": "It was <i>a quotation</i>.\nI said so."}, follow=True)
    assert "Your appeal was sent." in answer.content.decode()
    page = text(alice, f"/spaces/{space.pk}/")
    assert "The appeal is being reviewed." in page
    assert "It was &lt;i&gt;a quotation&lt;/i&gt;." in page
    assert "If it is granted, the flag is lifted and the Space will be deleted earlier: on" in page

    queue = text(second_admin, "/moderation/appeals/")
    assert "It was &lt;i&gt;a quotation&lt;/i&gt;." in queue
    assert LINE in queue
    assert "The deadline would move from" in queue
    assert "The deadline would stay at" in queue
    decide = f"/moderation/appeals/{violation.appeal.pk}/decide"
    make_client(second_admin).post(decide, {"decision": "deny", "reason": "It was no quotation."})

    page = text(alice, f"/spaces/{space.pk}/")
    assert "Denied" in page
    assert "It was no quotation." in page
    assert "You can appeal until" not in page
    assert "If it is granted" not in page
    assert "It was &lt;i&gt;a quotation&lt;/i&gt;." in page
    assert "No open appeals" in text(second_admin, "/moderation/appeals/")


def test_a_granted_appeal_restores_the_deadline(
    space: Space, violation: Violation, alice: User, second_admin: User
) -> None:
    make_client(alice).post(f"/spaces/{space.pk}/violations/{violation.pk}/appeal", {"statement": "A quotation."})

    answer = make_client(second_admin).post(
        f"/moderation/appeals/{violation.appeal.pk}/decide", {"decision": "grant", "reason": "So it was."}, follow=True
    )

    page = answer.content.decode()
    assert "granted: the flag is lifted. The Space is kept until" in page
    assert f'Appeal about “<a href="/moderation/spaces/{space.pk}/">' in page
    assert f'href="/moderation/appeals/decided/#appeal-{violation.appeal.pk}"' in page
    assert retention_period(space) == timedelta(days=30)
    assert text(alice, f"/spaces/{space.pk}/").count("So it was.") == 1


def test_a_refused_appeal_keeps_the_form_input(space: Space, violation: Violation, alice: User) -> None:
    answer = make_client(alice).post(f"/spaces/{space.pk}/violations/{violation.pk}/appeal", {"statement": "x" * 2001})

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "The appeal has 2\u202f001 characters; at most 2\u202f000 are allowed." in page
    assert "x" * 2001 + "</textarea>" in page


def test_the_page_says_when_an_appeal_is_too_late(space: Space, violation: Violation, alice: User) -> None:
    Space.objects.filter(pk=space.pk).update(expires_at=dbtime.now() + timedelta(days=13))

    page = text(alice, f"/spaces/{space.pk}/")

    assert "Too late: appeals were possible until" in page
    assert "Send appeal" not in page


def test_a_flag_of_another_space_is_404(violation: Violation, alice: User, bob: User) -> None:
    other = make_row(bob)

    for who, space_id in ((alice, other.pk), (bob, violation.space_id), (bob, other.pk)):
        url = f"/spaces/{space_id}/violations/{violation.pk}/appeal"
        assert make_client(who).post(url, {"statement": "No."}).status_code == 404


def test_an_auditor_sees_no_transcript_text(space: Space, violation: Violation, alice: User, auditor: User) -> None:
    make_client(alice).post(f"/spaces/{space.pk}/violations/{violation.pk}/appeal", {"statement": "A quotation."})

    page = text(auditor, f"/spaces/{space.pk}/")

    assert "Flagged for Spam or fraud" in page
    assert "The host's appeal: open." in page
    assert LINE not in page
    assert "A quotation." not in page


def test_the_deadline_shown_while_on_hold(space: Space, violation: Violation, alice: User, admin: User) -> None:
    holds.place(space.pk, "A secret inquiry.", admin)

    page = make_client(alice).get(f"/spaces/{space.pk}/").content.decode()

    assert 'class="clock kept large"' in page
    assert "On legal hold" in page
    assert "secret" not in page


def test_the_queue_is_sorted_by_deadline(alice: User, admin: User) -> None:
    for title, ended in (("held", 90), ("later", 10), ("sooner", 40)):
        space = make_row(
            alice, title=title, ended_ago=timedelta(days=ended), expires_at=dbtime.now() + timedelta(days=1)
        )
        violation = flag(space.pk, "spam", "Watches.", admin)
        make_client(alice).post(f"/spaces/{space.pk}/violations/{violation.pk}/appeal", {"statement": "No."})
        if title == "held":
            holds.place(space.pk, "A court.", admin)

    rows = make_client(admin).get("/moderation/appeals/").context["rows"]

    assert [str(row["space"]) for row in rows] == ["sooner", "later", "held"]


def test_an_appeal_ends_with_its_space(space: Space, violation: Violation, alice: User, admin: User) -> None:
    make_client(alice).post(f"/spaces/{space.pk}/violations/{violation.pk}/appeal", {"statement": "No."})
    before = make_client(admin).get("/moderation/appeals/").context
    make_due(space)
    purge(space.pk)

    after = make_client(admin).get("/moderation/appeals/").context

    assert [len(page["rows"]) for page in (before, after)] == [1, 0]
    assert [page["tab_counts"].get("appeals") for page in (before, after)] == ["1", None]
