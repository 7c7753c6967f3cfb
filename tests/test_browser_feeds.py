"""A host creates and revokes private feed URLs on the pages. Programs with a revoked URL lose access."""

import pytest
from playwright.sync_api import Page, expect

from archive.models import User
from tests.support import browser_sessions
from tests.support.factory import make_contents, make_row
from tests.support.http_clients import fetch
from tests.support.processes import Services

pytestmark = pytest.mark.usefixtures("committed")


def read_address(page: Page, section: str) -> str:
    return page.get_by_role("region", name=section).locator("code").inner_text()


def revoke(page: Page, section: str) -> None:
    region = page.get_by_role("region", name=section)
    region.get_by_role("button", name="Revoke the address").click()
    expect(region.locator("code")).to_have_count(0)


@pytest.mark.long
def test_revoked_feeds(services: Services, page: Page, alice: User) -> None:
    services.web()
    space = make_row(alice, title="Café & seeds")
    make_contents(space)
    browser_sessions.open_signed_in(page, services.url, "alice")

    page.goto(f"{services.url}/account/")
    page.get_by_role("button", name="Create a calendar address").click()
    calendar = read_address(page, "Calendar of deadlines")
    page.goto(f"{services.url}/spaces/{space.pk}/")
    page.get_by_role("button", name="Create a podcast feed").click()
    podcast = read_address(page, "Podcast feed")

    assert [
        (status, part in body.decode())
        for part, (status, _, body) in (("Café & seeds", fetch(calendar)), ("Café &amp; seeds", fetch(podcast)))
    ] == [(200, True), (200, True)]

    revoke(page, "Podcast feed")
    page.goto(f"{services.url}/account/")
    revoke(page, "Calendar of deadlines")

    assert [fetch(address)[0] for address in (calendar, podcast)] == [404, 404]
    page.get_by_role("button", name="Create a calendar address").click()
    assert read_address(page, "Calendar of deadlines") != calendar
