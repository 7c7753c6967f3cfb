"""A user reads and dismisses notices: with htmx, without htmx, and without scripts."""

import pytest
from playwright.sync_api import Browser, Page, expect

from archive.models import Notice, User
from tests.support import browser_sessions
from tests.support.factory import make_contents, make_row
from tests.support.http_clients import session_cookie
from tests.support.processes import Services
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("committed")


def make_notice(user: User) -> str:
    """Two notices of a Space; the address of its page."""
    space = make_row(user, title="Seeds")
    bundle = make_contents(space)
    Notice.objects.create(kind="lifted", user=user, space=space, subject_id="1", state="web-only")
    Notice.objects.create(kind="bundle-ready", user=user, space=space, subject_id=str(bundle.pk), state="web-only")
    return f"/spaces/{space.pk}/"


def dismiss_notice(page: Page) -> None:
    page.get_by_role("button", name="Put this notice away").first.click()


def test_dismiss_with_htmx(services: Services, chromium: Browser, alice: User) -> None:
    where = make_notice(alice)
    services.web()
    page = chromium.new_page()
    browser_sessions.open_signed_in(page, services.url, "alice")
    page.goto(services.url + where)
    expect(page.locator("#notes .notice")).to_have_count(2)
    page.evaluate("window.same = true")

    dismiss_notice(page)

    expect(page.locator("#notes .notice")).to_have_count(1)
    expect(page.locator("#live")).to_have_text("Put away.")
    expect(page.get_by_role("button", name="Put this notice away")).to_be_focused()
    assert page.evaluate("window.same") is True
    dismiss_notice(page)
    expect(page.locator("#notes .notice")).to_have_count(0)
    expect(page.locator("#notes")).to_be_hidden()
    assert not Notice.objects.filter(dismissed_at=None).exists()
    page.close()


def test_dismiss_without_scripts(services: Services, chromium: Browser, alice: User) -> None:
    where = make_notice(alice)
    services.web()
    page = chromium.new_page(java_script_enabled=False)
    name, _, value = session_cookie(alice).partition("=")
    page.context.add_cookies([{"name": name, "value": value, "url": services.url}])
    page.goto(services.url + where)

    dismiss_notice(page)

    wait_until(lambda: page.url == services.url + where, "it is the same page again")
    expect(page.locator("#notes .notice")).to_have_count(1)
    page.locator("#notes").get_by_role("link").first.click()
    assert page.url.startswith(services.url + where)
    page.close()


def test_without_htmx_the_same_page_comes_back(services: Services, chromium: Browser, alice: User) -> None:
    make_notice(alice)
    services.web()
    page = chromium.new_page()
    browser_sessions.open_signed_in(page, services.url, "alice")
    page.goto(f"{services.url}/?filter=due")

    dismiss_notice(page)

    expect(page.locator("#notes .notice")).to_have_count(1)
    assert page.url == f"{services.url}/?filter=due"
    page.close()
