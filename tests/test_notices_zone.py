"""The reader's time zone comes from their browser, and only valid zones are stored."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from playwright.sync_api import Browser

from archive.models import User
from tests.support import browser_sessions
from tests.support.http_clients import make_client
from tests.support.processes import Services


def visit(user: User | None, zone: str) -> str:
    client = make_client(user)
    client.cookies["zone"] = zone
    assert client.get("/notices/").status_code in (200, 302)
    return User.objects.get(username="alice").time_zone


@pytest.mark.usefixtures("db")
def test_the_time_zone_is_stored_and_updated(alice: User) -> None:
    assert visit(alice, "Europe/Berlin") == "Europe/Berlin"
    assert visit(alice, "Asia/Kathmandu") == "Asia/Kathmandu"
    assert visit(alice, "") == "Asia/Kathmandu"


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "Europe/berlin ", "x" * 5000, "\x00", "<b>"])
def test_an_invalid_zone_is_ignored(alice: User, zone: str) -> None:
    assert visit(alice, zone) == ""


@pytest.mark.usefixtures("db")
def test_an_anonymous_visit_stores_nothing(alice: User) -> None:
    assert visit(None, "Europe/Berlin") == ""


@pytest.mark.usefixtures("db")
def test_an_unchanged_zone_is_not_written_again(alice: User) -> None:
    client = make_client(alice)
    client.cookies["zone"] = "Europe/Berlin"
    client.get("/notices/")

    with CaptureQueriesContext(connection) as queries:
        client.get("/notices/")

    assert [query["sql"] for query in queries if query["sql"].startswith("UPDATE")] == []


@pytest.mark.usefixtures("committed")
def test_a_real_browser_sends_its_zone(services: Services, chromium: Browser, alice: User) -> None:
    services.web()
    page = chromium.new_page(timezone_id="America/New_York")

    def cookies() -> dict[str, str]:
        return {str(cookie.get("name")): str(cookie.get("value")) for cookie in page.context.cookies()}

    page.goto(f"{services.url}/accounts/login/")
    page.wait_for_load_state("networkidle")
    assert "zone" not in cookies()  # nobody is signed in, so none is set

    browser_sessions.sign_in_with_form(page, services.url, "alice")  # it ends on the first page

    assert cookies()["zone"] == User.objects.get(pk=alice.pk).time_zone == "America/New_York"
    page.close()
