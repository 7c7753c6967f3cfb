"""The page of a rejected recording shows no deadline and says what to do, and its host can remove it from their list.
Admins still see it."""

from datetime import timedelta

import pytest

from archive import dbtime, log
from archive.errors import Conflict, Refused, make_problem
from archive.intake.dismiss import dismiss_rejected
from archive.log import SYSTEM, events
from archive.models import Space, User
from tests.support.errors import raises_error
from tests.support.factory import make_row
from tests.support.http_clients import make_client

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def rejected(alice: User) -> Space:
    problem = make_problem("audio.empty", file="talk.m4a")
    return make_row(alice, title="Beans", state="rejected", problem=problem)


def read_page(user: User, path: str) -> str:
    answer = make_client(user).get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_no_clock_runs(alice: User, rejected: Space) -> None:
    page = read_page(alice, f"/spaces/{rejected.pk}/")

    assert "Not kept" in page
    assert "data-until" not in page
    assert "left" not in page[page.index("data-clock") : page.index("</section>", page.index("data-clock"))]
    assert "will be deleted" not in page
    assert "Not kept" in read_page(alice, "/")
    Space.objects.update(expires_at=dbtime.now() + timedelta(days=2))
    assert "Beans" not in read_page(alice, "/?filter=due")


def test_the_page_says_what_was_wrong_and_what_to_do(alice: User, admin: User, rejected: Space) -> None:
    page = read_page(alice, f"/spaces/{rejected.pk}/")

    for text in (rejected.problem_text, "We did not keep a copy.", "Then upload it again", "Remove from the list"):
        assert text in page
    assert "Remove from the list" not in read_page(admin, f"/spaces/{rejected.pk}/")


def test_the_history_says_that_it_was_not_accepted(alice: User, rejected: Space) -> None:
    deadline = log.rfc3339(dbtime.now())
    log.record(events.SPACE_REGISTERED, space_id=rejected.pk, actor=SYSTEM, deadline=deadline)
    log.record(events.SPACE_REJECTED, space_id=rejected.pk, actor=SYSTEM, reason="", removed=[])

    page = read_page(alice, f"/spaces/{rejected.pk}/")

    assert "Recording not accepted" in page
    assert "Space registered" in page
    assert "kept until" not in page


def test_the_host_removes_it_from_their_list(alice: User, admin: User, rejected: Space) -> None:
    path = f"/spaces/{rejected.pk}/dismiss"

    assert make_client(alice).post(path).headers["Location"] == "/"
    assert make_client(alice).post(path).headers["Location"] == "/"  # a second time changes nothing

    assert "Beans" not in read_page(alice, "/")
    assert "Beans" in read_page(admin, "/")
    assert "Remove from the list" not in read_page(alice, f"/spaces/{rejected.pk}/")
    rejected.refresh_from_db()
    assert (rejected.state, rejected.dismissed_at is not None) == ("rejected", True)


def test_only_the_host_may_and_only_if_it_was_not_accepted(
    alice: User, bob: User, admin: User, rejected: Space
) -> None:
    kept = make_row(alice)

    assert make_client(admin).post(f"/spaces/{rejected.pk}/dismiss").status_code == 404
    assert make_client(bob).post(f"/spaces/{rejected.pk}/dismiss").status_code == 404
    assert make_client(alice).post(f"/spaces/{kept.pk}/dismiss").headers["Location"] == f"/spaces/{kept.pk}/"
    with raises_error(Conflict, "intake.not_rejected"):
        dismiss_rejected(kept.pk, alice)
    with raises_error(Refused, "intake.not_the_host"):
        dismiss_rejected(rejected.pk, admin)
    assert not Space.objects.filter(dismissed_at__isnull=False).exists()
