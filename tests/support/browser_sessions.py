"""Sign in to and out of the portal in a real browser."""

from playwright.sync_api import Page, expect

from archive.models import User
from tests.support.factory import PASSWORD
from tests.support.http_clients import session_cookie


def sign_in_with_form(page: Page, site: str, name: str) -> None:
    page.goto(f"{site}/accounts/login/")
    page.get_by_label("User name or e-mail").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text(f"Account: {name.capitalize()}")).to_be_visible()


def open_signed_in(page: Page, site: str, name: str) -> None:
    """Open the first page with a session cookie. Most tests do not need the form and its slow password hash."""
    cookie, _, value = session_cookie(User.objects.get(username=name)).partition("=")
    page.context.add_cookies([{"name": cookie, "value": value, "url": site}])
    page.goto(f"{site}/")
    expect(page.get_by_text(f"Account: {name.capitalize()}")).to_be_visible()


def sign_out(page: Page) -> None:
    page.context.clear_cookies()
