"""A page has one banner: the most urgent notice, unless the page itself shows the same."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from archive import dbtime, notices
from archive.models import Bundle, Notice, Space, User
from archive.moderation.appeals import appeal, decide
from archive.moderation.violations import flag
from archive.notices.open import BannerKind
from tests.support.factory import make_contents, make_row
from tests.support.http_clients import make_client
from tests.support.rows import update_space

pytestmark = pytest.mark.usefixtures("db")
HOUR = timedelta(hours=1)


def due_in(host: User, left: timedelta, **fields: Any) -> Space:
    space = make_row(host, ended_ago=timedelta(days=30) - left, **fields)
    notices.create_reminders()
    return space


def make_failed(host: User) -> Space:
    space = make_row(host)
    Notice.objects.create(kind="bundle-failed", user=host, space=space, subject_id="1")
    return space


def banner(user: User, **options: Any) -> tuple[BannerKind, list[Any]] | None:
    urgent = notices.find_banner(user, **options)
    return (urgent.kind, [notice.space_id for notice in urgent.notices]) if urgent else None


def test_nothing_urgent_is_no_banner(alice: User) -> None:
    Notice.objects.create(kind="deleted", user=alice, space=make_row(alice))
    due_in(alice, 40 * HOUR)

    assert banner(alice) is None


def test_users_without_notices_cost_two_cheap_queries(alice: User) -> None:
    """Each of their pages looks for a banner, and for the number of the bell."""
    with CaptureQueriesContext(connection) as queries:
        assert banner(alice) is None
        assert notices.count_open(alice) == 0

    assert len(queries) == 2
    assert [query["sql"] for query in queries if "JOIN" in query["sql"] or "CASE" in query["sql"]] == []


def test_a_deadline_within_a_day_comes_before_a_newer_flag_and_bundle(alice: User, admin: User) -> None:
    due = due_in(alice, 5 * HOUR)
    broken = make_failed(alice)
    flagged = make_row(alice)
    flag(flagged.pk, "spam", "Watches.", admin)

    assert banner(alice) == (BannerKind.DUE, [due.pk])
    notices.retire(alice, [due.pk])
    assert banner(alice) == (BannerKind.FAILED, [broken.pk])
    notices.retire(alice, [broken.pk])
    assert banner(alice) == (BannerKind.FLAGGED, [flagged.pk])
    notices.retire(alice, [flagged.pk])
    assert banner(alice) is None


def test_opening_one_space_leaves_the_others_in_the_banner(alice: User) -> None:
    week, day = due_in(alice, 90 * HOUR), due_in(alice, 2 * HOUR)

    notices.retire(alice, [day.pk])
    assert banner(alice) == (BannerKind.DUE, [week.pk])
    notices.retire(alice, [week.pk])
    assert banner(alice) is None


def test_a_banner_stays_red_until_what_is_deleted_within_a_day_was_downloaded(alice: User) -> None:
    """Opening the page of a Space saves nothing, so it does not clear the banner."""
    due_in(alice, 90 * HOUR)
    day = due_in(alice, 2 * HOUR)

    def page() -> str:
        return " ".join(make_client(alice).get("/my-lines/").content.decode().split())

    assert '<div class="notice urgent">' in page()
    notices.retire(alice, [day.pk])
    assert '<div class="notice urgent">' in page()
    assert "2 Spaces will be deleted within 7 days, the first one on <time" in page()

    Bundle.objects.filter(pk=make_contents(day).pk).update(fetched_at=dbtime.now(), host_fetched_at=dbtime.now())
    assert banner(alice) is None


def test_deadlines_of_the_week_are_merged_with_an_urgent_one(alice: User) -> None:
    week, first, day = due_in(alice, 90 * HOUR), due_in(alice, 2 * HOUR), due_in(alice, 20 * HOUR)

    assert banner(alice) == (BannerKind.DUE, [first.pk, day.pk, week.pk])
    text = " ".join(make_client(alice).get("/my-lines/").content.decode().split())
    assert "3 Spaces will be deleted within 7 days, the first one on <time" in text
    assert '<a href="/?filter=due">Show them</a>' in text
    assert 'id="notes" class="notes" role="region" aria-label="Urgent notice" hidden' in " ".join(
        make_client(alice).get("/?filter=due").content.decode().split()
    )


def test_a_banner_counts_every_deadline_of_the_week_though_one_space_was_opened(alice: User) -> None:
    first, day, week = due_in(alice, 2 * HOUR), due_in(alice, 20 * HOUR), due_in(alice, 90 * HOUR)
    notices.retire(alice, [first.pk])

    assert banner(alice) == (BannerKind.DUE, [day.pk, week.pk])
    urgent = notices.find_banner(alice)
    assert urgent is not None
    assert (urgent.number, urgent.next_deadline) == (3, first.expires_at)
    text = " ".join(make_client(alice).get("/my-lines/").content.decode().split())
    assert "3 Spaces will be deleted within 7 days" in text


def test_a_space_with_two_flags_is_one_flagged_space(alice: User, admin: User) -> None:
    space = make_row(alice)
    flag(space.pk, "spam", "Watches.", admin)
    flag(space.pk, "harassment", "Insults.", admin)

    text = " ".join(make_client(alice).get("/my-lines/").content.decode().split())
    assert "1 Space was flagged. You can appeal." in text

    flag(make_row(alice).pk, "spam", "Watches.", admin)
    text = " ".join(make_client(alice).get("/my-lines/").content.decode().split())
    assert "2 Spaces were flagged. You can appeal." in text


def test_a_banner_says_more_than_so_many_when_it_stops_counting(alice: User) -> None:
    first = due_in(alice, 2 * HOUR)
    due_in(alice, 3 * HOUR)
    fields = {"host": alice, "state": "available", "ended_at": first.ended_at, "expires_at": first.expires_at}
    Space.objects.bulk_create(Space(**fields) for _ in range(98))

    text = " ".join(make_client(alice).get("/my-lines/").content.decode().split())
    assert "More than 99 Spaces will be deleted within 7 days" in text


def test_a_flag_is_urgent_while_the_host_can_appeal(alice: User, admin: User) -> None:
    space = make_row(alice)
    violation = flag(space.pk, "spam", "Watches.", admin)
    assert banner(alice) == (BannerKind.FLAGGED, [space.pk])

    update_space(space, expires_at=dbtime.now() + timedelta(days=14) - HOUR)
    assert banner(alice) is None
    update_space(space, expires_at=dbtime.now() + timedelta(days=14) + HOUR)
    assert banner(alice) is not None
    appeal(violation.pk, "Nobody sold anything.", alice)
    assert banner(alice) is None


def test_no_banner_on_the_page_of_the_same_space(alice: User) -> None:
    due, broken = due_in(alice, 5 * HOUR), make_failed(alice)

    assert banner(alice, but_not=due.pk) == (BannerKind.FAILED, [broken.pk])
    assert banner(alice, but_not=broken.pk) == (BannerKind.DUE, [due.pk])


def test_opening_the_page_of_a_space_retires_its_notices(alice: User, bob: User) -> None:
    due, broken = due_in(alice, 5 * HOUR), make_failed(alice)
    client = make_client(alice)

    assert client.head(f"/spaces/{due.pk}/").status_code == 200
    assert client.get(f"/spaces/{due.pk}/", headers={"X-Background": "1"}).status_code == 200
    assert make_client(bob).get(f"/spaces/{due.pk}/").status_code == 404
    assert notices.count_open(alice) == 2
    assert client.get(f"/spaces/{due.pk}/").status_code == 200

    assert notices.count_open(alice) == 1
    assert banner(alice) == (BannerKind.FAILED, [broken.pk])


def test_a_download_retires_what_asks_for_it_and_no_flag(alice: User, admin: User) -> None:
    space = make_row(alice, ended_ago=timedelta(days=29, hours=12))
    make_contents(space)
    notices.create_reminders()
    flag(space.pk, "spam", "Watches.", admin)
    Notice.objects.create(kind="bundle-failed", user=alice, space=space, subject_id="1")

    assert make_client(alice).get(f"/spaces/{space.pk}/recording").status_code == 302

    assert [notice.kind for notice in notices.open_notices(alice)] == ["flagged"]


def test_a_denied_appeal_supersedes_its_flag_and_no_other(alice: User, admin: User, second_admin: User) -> None:
    space = make_row(alice)
    violation = flag(space.pk, "spam", "Watches.", admin)
    flag(space.pk, "hate", "An insult.", admin)
    case = appeal(violation.pk, "Nobody sold anything.", alice)

    decide(case.pk, "They did.", second_admin, granted=False)

    kinds = {(notice.kind, notice.rule_name) for notice in notices.open_notices(alice)}
    assert kinds == {("appeal-denied", "Spam or fraud"), ("flagged", "Hateful conduct")}


def test_the_last_day_supersedes_the_last_week(alice: User) -> None:
    space = make_row(alice, ended_ago=timedelta(days=29, hours=12))
    Notice.objects.create(kind="due-7-days", user=alice, space=space, deadline=space.expires_at)
    assert [notice.kind for notice in notices.open_notices(alice)] == ["due-7-days"]

    notices.create_reminders()

    assert [notice.kind for notice in notices.open_notices(alice)] == ["due-1-day"]
