"""An invitation and a password reset by mail in a browser, from the admin's page to the first sign-in."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from archive.models import User
from tests.support import browser_sessions
from tests.support.mail_server import FROM, Mailbox, text_body
from tests.support.processes import Services
from tests.support.waiting import dispatch_until

pytestmark = pytest.mark.usefixtures("committed")
PASSWORD = "quagga-72-lantern"
NEWER = "okapi-19-harbour"


def link(mailbox: Mailbox, path: str) -> str:
    """Return the path of the newest mailed link that begins with `path`."""
    found = re.findall(rf"http://[^/\s]+({path}\S+)", text_body(mailbox.to("ines@example.org")[-1]))
    return str(found[0])


def sign_in(page: Page, site: str, password: str) -> None:
    page.goto(f"{site}/accounts/login/")
    page.get_by_label("User name or e-mail").fill("ines@example.org")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_an_invitation_and_a_new_password_by_mail(
    services: Services, chromium: Browser, admin: User, mailbox: Mailbox
) -> None:
    services.web(EMAIL_URL=mailbox.url, MAIL_FROM=FROM)
    services.worker(EMAIL_URL=mailbox.url, MAIL_FROM=FROM)
    page = chromium.new_page()
    browser_sessions.open_signed_in(page, services.url, "ada")
    page.goto(f"{services.url}/people/invitations/")
    page.get_by_label("E-mail address").fill("ines@example.org")
    page.get_by_label("Role").select_option("host")
    page.get_by_role("button", name="Invite", exact=True).click()
    expect(page.get_by_text("You invited ines@example.org. The list says when the mail is sent.")).to_be_visible()
    dispatch_until(lambda: bool(mailbox.to("ines@example.org")), "the invitation is mailed")

    ines = chromium.new_context().new_page()
    ines.goto(services.url + link(mailbox, "/invitation/"))
    assert ines.url == f"{services.url}/accounts/signup/"  # the form's URL contains no secret
    ines.get_by_label("Your name, as others see it").fill("Ines")
    ines.get_by_label("User name, to sign in").fill("ines")
    ines.get_by_label("Password").fill(PASSWORD)
    ines.get_by_role("button", name="Create my account").click()
    expect(ines.get_by_text("Account: Ines")).to_be_visible()
    ines.goto(f"{services.url}/account/")
    expect(ines.get_by_text("verified", exact=True)).to_be_visible()

    other = chromium.new_context().new_page()
    other.goto(f"{services.url}/accounts/login/")
    other.get_by_role("link", name="Forgot your password?").click()
    other.get_by_label("Your e-mail address").fill("ines@example.org")
    other.get_by_role("button", name="Send me a link").click()
    expect(other.get_by_role("heading", name="Check your e-mail")).to_be_visible()
    dispatch_until(lambda: len(mailbox.to("ines@example.org")) == 2, "the link is mailed")
    other.goto(services.url + link(mailbox, "/accounts/password/reset/key/"))
    other.get_by_label("New password", exact=True).fill(NEWER)
    other.get_by_label("New password (again)").fill(NEWER)
    other.get_by_role("button", name="Change the password").click()
    expect(other.get_by_role("heading", name="Your password was changed")).to_be_visible()

    ines.reload()
    expect(ines.get_by_role("heading", name="Sign in")).to_be_visible()  # the old session has ended
    sign_in(other, services.url, PASSWORD)
    expect(other.get_by_role("alert")).to_be_visible()
    sign_in(other, services.url, NEWER)
    expect(other.get_by_text("Account: Ines")).to_be_visible()
