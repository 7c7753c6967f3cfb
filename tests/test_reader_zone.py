"""Pages show times in the zone of the account, else of the browser, else in UTC, and then say so.

test_translated_pages.py looks for times in UTC on every page.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from archive import dbtime
from archive.models import LogEntry, Space, User
from tests.support.factory import make_row
from tests.support.http_clients import make_client

pytestmark = pytest.mark.usefixtures("db")

ENDED = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)


def choose_zone(user: User, zone: str) -> None:
    User.objects.filter(pk=user.pk).update(time_zone=zone, time_zone_chosen=True)


def browser_in(user: User, zone: str) -> Client:
    client = make_client(user)
    client.cookies["zone"] = zone
    return client


@pytest.fixture
def space(alice: User) -> Space:
    until = dbtime.now().replace(microsecond=0) + timedelta(days=20)
    return make_row(alice, title="Seeds", ended_at=ENDED, expires_at=until)


def test_the_zone_of_the_account_comes_first(space: Space, alice: User) -> None:
    choose_zone(alice, "Asia/Kolkata")

    page = browser_in(alice, "America/New_York").get(f"/spaces/{space.pk}/").content.decode()

    assert (
        '<time datetime="2026-11-20T20:00:00Z" title="20 November 2026, 20:00 UTC">21 November 2026, 01:30</time>'
        in page
    )


def test_the_zone_of_the_browser_is_next(space: Space, alice: User) -> None:
    page = browser_in(alice, "America/New_York").get(f"/spaces/{space.pk}/").content.decode()

    assert ">20 November 2026, 15:00</time>" in page
    assert "data-utc=" not in page


def test_who_pressed_times_in_utc_gets_them_from_the_server(space: Space, alice: User) -> None:
    client = browser_in(alice, "America/New_York")
    client.cookies["utc"] = "1"

    page = client.get(f"/spaces/{space.pk}/").content.decode()

    assert 'title="20 November 2026, 15:00" data-shows-utc>20 November 2026, 20:00 UTC</time>' in page
    assert 'data-other="Show times in UTC">Show my local times</button>' in page
    del client.cookies["utc"]
    assert "data-shows-utc" not in client.get(f"/spaces/{space.pk}/").content.decode()


def test_without_a_zone_times_are_utc_and_marked_for_the_browser(space: Space, alice: User) -> None:
    page = make_client(alice).get(f"/spaces/{space.pk}/").content.decode()

    assert '<time datetime="2026-11-20T20:00:00Z" data-utc="time">20 November 2026, 20:00 UTC</time>' in page


def test_who_chose_utc_reads_utc(space: Space, alice: User) -> None:
    choose_zone(alice, "UTC")

    page = browser_in(alice, "America/New_York").get(f"/spaces/{space.pk}/").content.decode()

    assert '<time datetime="2026-11-20T20:00:00Z">20 November 2026, 20:00 UTC</time>' in page
    assert "data-utc=" not in page


def test_the_zone_ends_with_the_request(space: Space, alice: User) -> None:
    browser_in(alice, "America/New_York").get(f"/spaces/{space.pk}/")

    assert timezone.get_current_timezone_name() == "UTC"


def test_the_api_answers_in_utc(alice: User) -> None:
    choose_zone(alice, "Asia/Kolkata")
    client = make_client(alice)
    space = {"title": "Seeds", "ended_at": "2099-11-20T20:00:00Z"}

    answer = client.post("/api/v1/spaces", space, content_type="application/json")

    assert answer.json()["detail"].startswith("The Space can't have ended on 20 November 2099, 20:00 UTC")


def test_days_of_the_log_are_days_of_the_reader(space: Space, auditor: User) -> None:
    choose_zone(auditor, "Asia/Kolkata")
    client = make_client(auditor)
    LogEntry.objects.create(event="token.created", actor_kind="system", detail={})
    today = dbtime.now().astimezone(ZoneInfo("Asia/Kolkata"))

    def count(day: datetime) -> int:
        text = f"{day:%Y-%m-%d}"
        return len(client.get("/log/", {"since": text, "until": text}).context["entries"])

    assert (count(today), count(today - timedelta(days=1)), count(today + timedelta(days=1))) == (1, 0, 0)
    assert "Days and times are in Asia/Kolkata." in client.get("/log/").content.decode()
    for day in ("0001-01-01", "9999-12-31"):
        assert client.get("/log/", {"since": day, "until": day}).status_code == 200
