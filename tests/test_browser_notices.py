"""A user reads and dismisses the banner: with htmx, and without scripts."""

from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from archive.models import Notice, User
from tests.support import browser_sessions
from tests.support.factory import make_contents, make_row
from tests.support.http_clients import session_cookie
from tests.support.processes import Services
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("committed")


def make_notices(user: User) -> str:
    """Create two urgent notices about other Spaces. Returns the URL of a Space's page."""
    space = make_row(user, title="Seeds")
    make_contents(space)
    for title in ("Beans", "Peas"):
        other = make_row(user, title=title, ended_ago=timedelta(days=29, hours=12))
        Notice.objects.create(kind="bundle-failed", user=user, space=other, subject_id="1", state="web-only")
    due = make_row(user, title="Bread", ended_ago=timedelta(days=29, hours=12))
    Notice.objects.create(kind="due-1-day", user=user, space=due, deadline=due.expires_at, state="web-only")
    return f"/spaces/{space.pk}/"


def dismiss(page: Page) -> None:
    page.get_by_role("button", name="Dismiss this notice").click()


def test_dismiss_with_htmx(services: Services, chromium: Browser, alice: User) -> None:
    where = make_notices(alice)
    services.web()
    page = chromium.new_page()
    browser_sessions.open_signed_in(page, services.url, "alice")
    page.goto(services.url + where)
    expect(page.locator("#notes .notice")).to_have_count(1)
    expect(page.locator("#notes")).to_contain_text("Bread will be deleted on")
    expect(page.get_by_role("link", name="Notices: 3 new")).to_be_visible()
    page.evaluate("window.same = true")

    dismiss(page)

    expect(page.locator("#notes")).to_contain_text("2 bundles could not be built.")
    expect(page.get_by_role("link", name="Notices: 2 new")).to_be_visible()
    expect(page.locator("#live")).to_have_text("Dismissed.")
    expect(page.get_by_role("button", name="Dismiss this notice")).to_be_focused()
    assert page.evaluate("window.same") is True
    dismiss(page)
    expect(page.locator("#notes")).to_be_hidden()
    expect(page.get_by_role("link", name="Notices", exact=True)).to_be_visible()
    assert not Notice.objects.filter(dismissed_at=None).exists()
    page.close()


@pytest.mark.long
def test_dismiss_without_scripts(services: Services, chromium: Browser, alice: User) -> None:
    where = make_notices(alice)
    services.web()
    page = chromium.new_page(java_script_enabled=False)
    name, _, value = session_cookie(alice).partition("=")
    page.context.add_cookies([{"name": name, "value": value, "url": services.url}])
    page.goto(services.url + where)

    dismiss(page)

    wait_until(lambda: page.url == services.url + where, "the page was loaded again")
    expect(page.locator("#notes")).to_contain_text("2 bundles could not be built.")
    page.locator("#notes").get_by_role("link").first.click()
    assert page.url == f"{services.url}/notices/"
    page.close()
