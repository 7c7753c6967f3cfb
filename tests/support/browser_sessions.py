"""What a person does in the browser, in their words."""

from playwright.sync_api import Page, expect

from archive.models import User
from tests.support.factory import PASSWORD
from tests.support.http_clients import session_cookie


def sign_in_with_form(page: Page, site: str, name: str) -> None:
    page.goto(f"{site}/accounts/login/")
    page.get_by_label("Name or e-mail").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text(f"Account: {name.capitalize()}")).to_be_visible()


def open_signed_in(page: Page, site: str, name: str) -> None:
    """To the first page, signed in since yesterday: most tests need no form, and no slow hash of a password."""
    cookie, _, value = session_cookie(User.objects.get(username=name)).partition("=")
    page.context.add_cookies([{"name": cookie, "value": value, "url": site}])
    page.goto(f"{site}/")
    expect(page.get_by_text(f"Account: {name.capitalize()}")).to_be_visible()


def sign_out(page: Page) -> None:
    page.context.clear_cookies()
