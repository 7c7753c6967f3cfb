"""What a person does in the browser, in their words."""

from playwright.sync_api import Page, expect

from tests.factory import PASSWORD


def sign_in(page: Page, site: str, name: str) -> None:
    page.goto(f"{site}/accounts/login/")
    page.get_by_label("Name or e-mail").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text(f"Account: {name.capitalize()}")).to_be_visible()


def sign_out(page: Page) -> None:
    page.context.clear_cookies()
