"""If a user leaves the page that asks for their password again, the form still contains what they typed, until they
send it."""

import pytest
from django.contrib.sessions.backends.db import SessionStore
from playwright.sync_api import Locator, Page, expect

from archive.models import Hold, User
from tests.support import browser_sessions
from tests.support.factory import PASSWORD, make_row
from tests.support.processes import Services

pytestmark = pytest.mark.usefixtures("committed")
REASON = "A court asked for it."


def find_session(page: Page) -> SessionStore:
    (key,) = [cookie["value"] for cookie in page.context.cookies() if cookie["name"].endswith("sessionid")]
    return SessionStore(key)


def make_stale(page: Page) -> None:
    """Date the sign-in back by 16 minutes."""
    session = find_session(page)
    records = session["account_authentication_methods"]
    session["account_authentication_methods"] = [record | {"at": record["at"] - 16 * 60} for record in records]
    session.save()


def test_a_reason_survives_a_question_that_is_left(services: Services, page: Page, alice: User, admin: User) -> None:
    services.web()
    space, other = make_row(alice, title="Seeds"), make_row(alice, title="Beans")
    browser_sessions.sign_in_with_form(page, services.url, "ada")
    make_stale(page)

    def open_form(of: object = space.pk) -> Locator:
        page.goto(f"{services.url}/moderation/spaces/{of}/", wait_until="networkidle")
        return page.get_by_label("Who requested it, and why")

    reason = open_form()
    page.get_by_text("Place a legal hold", exact=True).click()
    reason.fill(REASON)
    page.get_by_label("Case number").fill("7/2026")
    page.get_by_role("button", name="Place the hold").click()
    expect(page.get_by_text("Your legal hold is not placed yet.")).to_be_visible()
    assert "court" not in page.url

    expect(open_form(other.pk)).to_have_value("")
    expect(open_form()).to_have_value(REASON)
    expect(reason).to_be_visible()  # the fold is open
    expect(page.get_by_label("Case number")).to_have_value("7/2026")
    assert not Hold.objects.exists()

    page.get_by_role("button", name="Place the hold").click()
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("Your legal hold is not placed yet.")).to_be_visible()
    expect(open_form()).to_have_value(REASON)
    page.get_by_role("button", name="Place the hold").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("placed by").first).to_be_visible()
    assert (Hold.objects.get().reason, Hold.objects.get().case_number) == (REASON, "7/2026")
    expect(open_form()).to_have_value("")
    assert page.evaluate("sessionStorage.getItem('typed-text')") is None

    open_form(other.pk)
    page.get_by_text("Place a legal hold", exact=True).click()
    reason.fill(REASON)
    find_session(page).delete()  # the session has ended in the meantime
    page.get_by_role("button", name="Place the hold").click()
    page.get_by_label("User name or e-mail").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Beans")).to_be_visible()
    expect(reason).to_have_value(REASON)
    expect(reason).to_be_visible()
