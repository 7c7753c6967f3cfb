"""Holds have a case number and a review date: who may set them, when they are overdue, and what the page shows."""

from datetime import timedelta

import pytest
from django.core.management import call_command

from archive import dbtime
from archive.errors import Conflict, Refused
from archive.models import Hold, LogEntry, Space, User
from archive.moderation.holds import overdue_reviews, place, release, review
from archive.notices import create_hold_reviews, visible_notices
from tests.support.errors import raises_error
from tests.support.factory import make_row
from tests.support.http_clients import make_client
from tests.support.log_entries import entries

pytestmark = pytest.mark.usefixtures("db")
REASON = "A court asked for it."


@pytest.fixture
def space(alice: User) -> Space:
    return make_row(alice)


def days_ahead(days: int) -> str:
    return (dbtime.now().date() + timedelta(days=days)).isoformat()


def make_overdue(hold: Hold) -> None:
    Hold.objects.filter(pk=hold.pk).update(review_on=dbtime.now().date() - timedelta(days=1))


def test_a_hold_has_a_case_and_a_review_date(space: Space, admin: User) -> None:
    day = dbtime.now().date() + timedelta(days=90)

    hold = place(space.pk, REASON, admin, case_number=" 7 C 12/26 ", review_on=day)

    assert (hold.case_number, hold.review_on) == ("7 C 12/26", day)
    (_, placed), _ = entries(space)
    assert placed["review_on"] == day.isoformat()
    assert "7 C" not in str(placed)
    assert len(placed["case"]) == 64


def test_one_case_holds_a_space_once(space: Space, admin: User, second_admin: User) -> None:
    first = place(space.pk, REASON, admin, case_number="A 1")

    with raises_error(Conflict, "hold.exists", case="A 1"):
        place(space.pk, "Again.", second_admin, case_number="A 1")
    place(space.pk, REASON, admin, case_number="A 2")
    place(space.pk, REASON, admin)
    place(space.pk, REASON, admin)
    release(first.pk, "Closed.", second_admin)
    place(space.pk, REASON, admin, case_number="A 1")

    assert Hold.objects.filter(space=space, state="standing").count() == 4


def test_the_review_date_is_in_the_future(space: Space, admin: User) -> None:
    today = dbtime.now().date()

    with raises_error(Refused, "hold.review_not_in_future"):
        place(space.pk, REASON, admin, review_on=today)
    with raises_error(Refused, "hold.case_too_long", length=61, limit=60):
        place(space.pk, REASON, admin, case_number="x" * 61)
    hold = place(space.pk, REASON, admin)
    with raises_error(Refused, "hold.review_not_in_future"):
        review(hold.pk, today, admin)

    assert Hold.objects.get().review_on is None


def test_a_review_sets_the_next_date(space: Space, admin: User, second_admin: User) -> None:
    hold = place(space.pk, REASON, admin)
    make_overdue(hold)
    assert list(overdue_reviews()) == [hold]
    day = dbtime.now().date() + timedelta(days=30)

    review(hold.pk, day, second_admin)

    assert not overdue_reviews().exists()
    entry = LogEntry.objects.get(event="hold.reviewed")
    assert (entry.actor_id, entry.detail) == (second_admin.pk, {"hold": hold.pk, "review_on": day.isoformat()})
    release(hold.pk, "Closed.", second_admin)
    with raises_error(Conflict, "hold.released"):
        review(hold.pk, day, admin)


def test_who_placed_the_hold_is_notified_once_for_each_date(space: Space, admin: User, second_admin: User) -> None:
    hold = place(space.pk, REASON, admin)
    assert create_hold_reviews() == 0
    for _ in range(2):
        make_overdue(hold)
        assert [create_hold_reviews(), create_hold_reviews()] == [1, 0]
        notice = visible_notices(admin).get()
        assert (notice.kind, notice.subject_id, notice.state) == ("hold-review", str(hold.pk), "web-only")
        assert "is still needed" in make_client(admin).get("/notices/").content.decode()

        review(hold.pk, dbtime.now().date() + timedelta(days=30), second_admin)
        assert not visible_notices(admin).exists()
    make_overdue(hold)
    create_hold_reviews()
    release(hold.pk, "Closed.", second_admin)

    assert not visible_notices(admin).exists()


def test_the_pages_show_what_is_overdue(space: Space, admin: User) -> None:
    make_overdue(place(space.pk, REASON, admin, case_number="A 1"))
    place(make_row(space.host).pk, REASON, admin, review_on=dbtime.now().date() + timedelta(days=9))
    client = make_client(admin)

    answer = client.get("/moderation/holds/")

    assert [(row["hold"].case_number, row["overdue"]) for row in answer.context["rows"]] == [("A 1", True), ("", False)]
    assert "Review overdue since" in answer.content.decode()
    assert client.get("/moderation/").context["overdue_holds"] == "1"


def test_the_page_places_and_reviews(space: Space, admin: User) -> None:
    client = make_client(admin)
    typed = {"case_number": "A 1", "review_on": days_ahead(30), "reason": REASON, "from_moderation": "1"}

    wrong = client.post(f"/spaces/{space.pk}/hold", typed | {"review_on": "soon"})
    assert (wrong.status_code, Hold.objects.count()) == (422, 0)
    assert 'value="A 1"' in wrong.content.decode()
    client.post(f"/spaces/{space.pk}/hold", typed)
    hold = Hold.objects.get()
    url = f"/moderation/holds/{hold.pk}/review"
    assert client.post(url, {"review_on": ""}).status_code == 422
    assert client.post(url, {"review_on": days_ahead(0)}).status_code == 422
    assert client.post(url, {"review_on": days_ahead(60)}).status_code == 302

    hold.refresh_from_db()
    assert (hold.case_number, str(hold.review_on)) == ("A 1", days_ahead(60))


@pytest.mark.parametrize("who", ["alice", "bob", "otto"])
def test_only_admins_review_holds(space: Space, admin: User, bob: User, auditor: User, who: str) -> None:
    hold, user = place(space.pk, REASON, admin), User.objects.get(username=who)

    answer = make_client(user).post(f"/moderation/holds/{hold.pk}/review", {"review_on": days_ahead(9)})

    assert answer.status_code == 404
    assert make_client().post(f"/moderation/holds/{hold.pk}/review").status_code == 302
    with raises_error(Refused, "moderation.not_an_admin", user=who):
        review(hold.pk, dbtime.now().date() + timedelta(days=9), user)
    assert Hold.objects.get().review_on is None


def test_an_admin_reviews_no_hold_on_their_own_space(admin: User, second_admin: User) -> None:
    hold = place(make_row(admin).pk, REASON, second_admin, case_number="A 1")

    with raises_error(Refused, "moderation.own_space"):
        review(hold.pk, dbtime.now().date() + timedelta(days=9), admin)

    page = make_client(admin).get("/moderation/holds/").content.decode()
    assert "A 1" not in page
    assert "Set a review date" not in page


def test_the_command_places_a_hold_for_a_case(space: Space, admin: User) -> None:
    options = ["--case", "A 1", "--review-on", days_ahead(30)]

    call_command("hold", str(space.pk), "--reason", REASON, "--by", "ada", *options)

    hold = Hold.objects.get()
    assert (hold.case_number, str(hold.review_on)) == ("A 1", days_ahead(30))
