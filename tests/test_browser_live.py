"""An open page shows changes of its Spaces without a reload: a flag, a lift, the deadline."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from playwright.sync_api import Browser, Locator, Page, expect

from archive import dbtime
from archive.models import Space, User
from archive.moderation.holds import place, release
from archive.moderation.violations import flag, lift
from archive.retention.purge import purge
from archive.storage import rehearsal, store
from tests.plugin import engines
from tests.support import browser_sessions
from tests.support.factory import make_row, make_space
from tests.support.processes import Services
from tests.test_outages import down

pytestmark = pytest.mark.usefixtures("committed")


def open_page(services: Services, chromium: Browser, path: str, name: str = "alice") -> Page:
    page = chromium.new_page()
    browser_sessions.open_signed_in(page, services.url, name)
    page.goto(services.url + path)
    page.evaluate("window.same = true")
    return page


def come_back(page: Page) -> None:
    """Focus the window: the page polls at once, as it does every half minute by itself."""
    page.wait_for_timeout(2100)  # it polls at most every 2 seconds
    page.evaluate("dispatchEvent(new Event('focus'))")


def test_flags_and_holds_appear_while_the_recording_plays(
    services: Services, chromium: Browser, alice: User, admin: User, second_admin: User
) -> None:
    space = make_space(alice)
    services.web()
    page = open_page(services, chromium, f"/spaces/{space.pk}/")
    expect(page.locator("#clock .clock-words")).to_have_text("23 days left")
    play = page.get_by_role("button", name="Play", exact=True)
    play.click()
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_focused()

    flag(space.pk, "spam", "It sold watches.", admin)
    come_back(page)

    expect(page.locator("#clock .clock-words")).to_have_text("113 days left")
    expect(page.locator("#flags")).to_contain_text("It sold watches.")
    expect(page.get_by_label("Why do you disagree?")).to_be_visible()
    expect(page.get_by_role("link", name="Notices: 1 new")).to_be_visible()
    expect(page.locator("#live")).to_have_text("This Space was flagged. 113 days left")
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_focused()
    assert page.evaluate("!document.querySelector('audio').paused")

    page.get_by_label("Why do you disagree?").fill("Nobody sold any")
    lift(space.pk, "It was a play.", admin)
    come_back(page)

    expect(page.locator("#clock .clock-words")).to_have_text("23 days left")
    expect(page.get_by_label("Why do you disagree?")).to_have_value("Nobody sold any")  # typed text stays
    page.get_by_label("Why do you disagree?").fill("")
    page.get_by_role("button", name="Pause", exact=True).focus()
    expect(page.locator("#flags")).to_contain_text("It was a play.")
    expect(page.locator("#live")).to_have_text("A flag was lifted. 23 days left")

    hold = place(space.pk, "A court.", admin)
    come_back(page)

    expect(page.locator("#live")).to_have_text("This Space is on legal hold. On legal hold")
    release(hold.pk, "The court is done.", second_admin)
    come_back(page)
    expect(page.locator("#live")).to_have_text("The legal hold was released. 23 days left")
    assert page.evaluate("window.same") is True
    page.close()


def end_in(space: Space, seconds: float) -> None:
    until = dbtime.now() + timedelta(seconds=seconds)
    Space.objects.filter(pk=space.pk).update(ended_at=until - timedelta(days=30), expires_at=until)


def download_and_reason(listing: Page) -> list[Locator]:
    """Return the links that a row has until its deadline."""
    row = listing.locator("li[data-space]").first
    return [row.get_by_role("button", name="Download"), row.locator(".why")]


def test_at_the_deadline_an_open_page_becomes_the_gone_page(services: Services, chromium: Browser, alice: User) -> None:
    space = make_space(alice)
    row = make_row(alice, title="Beans")
    make_row(alice, title="Peas")
    services.web()
    for one in (space, row):
        end_in(one, 12)
    listing = open_page(services, chromium, "/")
    page = open_page(services, chromium, f"/spaces/{space.pk}/")
    page.get_by_role("button", name="Play", exact=True).click()
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    assert [closing.is_visible() for closing in download_and_reason(listing)] == [True, True]

    expect(page.get_by_role("heading", name="The deadline of this Space has passed")).to_be_visible()

    rows = listing.locator("li[data-space]")
    expect(rows.first.locator(".clock-words")).to_have_text("Being deleted")
    for closed in download_and_reason(listing):
        expect(closed).to_be_hidden()
    listing.evaluate("dispatchEvent(new Event('focus'))")
    expect(rows).to_have_count(1)
    assert listing.evaluate("window.same") is True
    page.close()
    listing.close()
    assert purge(row.pk)


@pytest.mark.long
def test_a_list_notices_a_flag(services: Services, chromium: Browser, alice: User, admin: User) -> None:
    space, other = make_row(alice, title="Beans"), make_row(alice, title="Peas")
    services.web()
    page = open_page(services, chromium, "/")
    row = page.locator(f'li[data-space="{space.pk}"]')
    expect(row.locator(".clock-words")).to_have_text("23 days left")

    flag(space.pk, "spam", "It sold watches.", admin)
    come_back(page)

    expect(row.locator(".clock-words")).to_have_text("113 days left")
    expect(row).to_contain_text("Flagged")
    expect(page.locator(f'li[data-space="{other.pk}"] .clock-words')).to_have_text("23 days left")
    expect(page.locator("#live")).to_have_text("The list was updated.")
    page.close()


def test_an_open_review_notices_a_flag_and_a_hold(
    services: Services, chromium: Browser, alice: User, admin: User, second_admin: User
) -> None:
    """Each page of a signed-in user also updates the number of notices, even if it shows no Space."""
    space = make_space(alice)
    services.web()
    page = open_page(services, chromium, f"/moderation/spaces/{space.pk}/", "ada")
    other = open_page(services, chromium, "/account/")
    expect(page.locator("#clock .clock-words")).to_have_text("23 days left")
    expect(other.get_by_role("link", name="Notices", exact=True)).to_be_visible()
    page.get_by_label("Reason (the host reads it)").fill("They sold")

    flag(space.pk, "spam", "It sold watches.", second_admin)
    place(space.pk, "A court.", second_admin)
    come_back(page)
    come_back(other)

    expect(page.locator("#clock .clock-words")).to_have_text("On legal hold")
    expect(page.locator("#flags")).to_contain_text("It sold watches.")
    expect(page.locator("#live")).to_have_text("This Space was flagged. On legal hold")
    expect(page.get_by_role("heading", name="Add another flag")).to_be_visible()
    expect(page.get_by_role("heading", name="Lift all flags")).to_be_visible()
    page.locator("#hold-act > summary").click()
    expect(page.locator("#hold-act").get_by_text("Release", exact=True)).to_be_visible()
    page.locator("#hold-act > summary").click()
    expect(page.locator("#flag-reason")).to_have_value("They sold")
    expect(other.get_by_role("link", name="Notices: 2 new")).to_have_text("2")
    page.close()
    other.close()


def next_update(page: Page, seconds: int = 61) -> None:
    """Advance the page's clock so that it polls. Returns before the response."""
    page.clock.fast_forward(1000 * seconds)


def open_with_clock(page: Page, site: str, name: str, path: str) -> None:
    """Open a page whose clock `next_update` moves."""
    page.clock.install()
    browser_sessions.open_signed_in(page, site, name)
    page.goto(site + path)
    page.evaluate("window.same = true")


def count_requests(page: Page, seconds: int) -> int:
    """Return how often an upload's progress polls within this many seconds of the page's clock, or a few more."""
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    for _ in range(seconds):
        next_update(page, 1)
        expect(page.locator("#steps:not(.htmx-request)")).to_be_visible()
    return len(urls)


def test_parts_that_update_themselves_never_show_an_old_state_as_the_present_one(
    services: Services, chromium: Browser, alice: User, admin: User
) -> None:
    """Covers the status page, which polls each minute, and the progress of an upload, which polls each second."""
    rehearsal.run(store())
    uploaded = make_row(alice, state="processing")
    services.web()
    pages = {name: chromium.new_page() for name in ("ada", "alice")}
    for name, path in (("ada", "/status/"), ("alice", f"/spaces/{uploaded.pk}/")):
        open_with_clock(pages[name], services.url, name, path)
    page, progress = pages.values()
    other = open_page(services, chromium, f"/spaces/{make_row(alice).pk}/")
    overdue = page.locator('[data-alert="deletions_overdue"]')
    current, outdated = page.locator("[data-current]"), page.locator("[data-outdated]")
    trials = page.locator("details.fold")
    trials.locator("summary").click()
    expect(overdue).to_have_count(0)

    make_row(alice, state="expiring", ended_ago=timedelta(days=31))
    next_update(page)

    expect(overdue).to_be_visible()
    expect(trials).to_have_attribute("open", "")
    expect(trials.locator("summary")).to_be_focused()
    summary = current.locator("strong").text_content() or "nothing"
    expect(page.locator("#live")).to_contain_text(f"{summary} Overdue deletions: 1.")
    expect(outdated).to_be_hidden()

    with down(engines.postgres):
        connection.close()
        next_update(page)
        expect(outdated).to_contain_text("This page has not been updated since")
        expect(current).to_be_hidden()
        expect(page.locator("#live")).to_contain_text("has not been updated since")
        other.locator("#bundle button").click()
        expect(other.locator("#bundle")).to_contain_text("The server did not answer. Try again.")
        next_update(progress, 2)
        expect(progress.locator("#steps [data-outdated]")).to_have_text(
            "This could not be updated. We will retry automatically."
        )
        assert 1 <= count_requests(progress, seconds=10) <= 5, "it asks a server that is down each second"

    next_update(page)
    expect(current).to_be_visible()
    expect(outdated).to_be_hidden()
    expect(page.locator("#live")).to_contain_text(summary)
    next_update(progress, 31)
    expect(progress.locator("[data-outdated]")).to_have_count(0)
    expect(progress.locator("#live")).to_have_text("Comparing every byte")
    assert all(one.evaluate("window.same") for one in pages.values())

    Session.objects.all().delete()
    for one, seconds in ((page, 61), (progress, 2)):
        next_update(one, seconds)
        expect(one.locator("#signed-out")).to_have_text("You are signed out. Sign in again.")
        expect(one.locator("#live")).to_have_text("You are signed out. Sign in again.")
    expect(current).to_be_hidden()
    page.get_by_role("link", name="Sign in again.").click()
    expect(page).to_have_url(f"{services.url}/accounts/login/?next=/status/")
    for one in (page, progress, other):
        one.close()
