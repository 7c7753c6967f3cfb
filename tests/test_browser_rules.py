"""An admin flags and the host's deadline moves; an auditor reads the history; other users see nothing."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from archive.models import User
from archive.retention.purge import purge
from tests.support import browser_sessions
from tests.support.factory import make_row, make_space, make_user
from tests.support.processes import Services


@pytest.mark.usefixtures("committed")
def test_a_flag_moves_the_hosts_deadline(services: Services, page: Page, alice: User, admin: User) -> None:
    services.web()
    space = make_space(alice)

    browser_sessions.sign_in_with_form(page, services.url, "ada")
    page.goto(f"{services.url}/spaces/{space.pk}/")
    page.get_by_text("Flag this Space").first.click()
    expect(page.get_by_text("The deadline would move from")).to_be_visible()
    page.get_by_label("Rule", exact=True).select_option("spam")
    page.get_by_role("textbox", name="Reason (the host reads it)").fill("Sold beans that were not beans.")
    page.get_by_role("button", name="Flag this Space").click()
    expect(page.get_by_text("Flagged. The Space is kept until")).to_be_visible()

    browser_sessions.sign_out(page)
    browser_sessions.sign_in_with_form(page, services.url, "alice")
    page.goto(f"{services.url}/spaces/{space.pk}/")
    expect(page.get_by_text("113 days left")).to_be_visible()
    expect(page.get_by_text("Sold beans that were not beans.")).to_be_visible()
    page.get_by_text("Why this date?").first.click()
    expect(page.get_by_text("so it is kept 90 days longer: 120 days in all.")).to_be_visible()


@pytest.mark.long
@pytest.mark.usefixtures("committed")
def test_an_auditor_reads_the_history_of_a_deleted_space(
    services: Services, page: Page, alice: User, auditor: User
) -> None:
    services.web()
    gone = make_row(alice, ended_ago=timedelta(days=31), title="Nobody reads this")
    purge(gone.pk)

    browser_sessions.sign_in_with_form(page, services.url, "otto")
    page.goto(f"{services.url}/log/")
    page.get_by_label("Space id, or its first characters").fill(str(gone.pk)[:8])
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("link", name=str(gone.pk)[:8]).first.click()

    expect(page.get_by_role("heading", name="Deletion started")).to_be_visible()
    expect(page.get_by_text("Nobody reads this")).to_have_count(0)


@pytest.mark.long
@pytest.mark.usefixtures("committed")
def test_a_stranger_sees_nothing(services: Services, page: Page, alice: User) -> None:
    services.web()
    make_user("mallory")
    space = make_space(alice, transcript=None)

    browser_sessions.sign_in_with_form(page, services.url, "mallory")
    answer = page.goto(f"{services.url}/spaces/{space.pk}/")

    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_text("The seed library room")).to_have_count(0)
